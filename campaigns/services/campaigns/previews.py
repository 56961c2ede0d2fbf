"""One campaign message as one customer would get it: to look at, or to send to a colleague.

The message is written by the same code that sends, from a plan that is not stored, so a preview
equals the sent text and leaves nothing behind. Links in it carry ids that do not exist: nobody can
unsubscribe a customer by clicking in a test message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.channels.base import EmailPayload, Outbound, SendOutcome, SendResult, SmsPayload
from campaigns.domain.sending.eligibility import Decision, Verdict, decide
from campaigns.domain.sending.states import HoldReason
from campaigns.models import Campaign, Channel, Dispatch, Step, Variant
from campaigns.selectors.campaigns import earlier_runs, preview_people
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.filing import standing
from campaigns.selectors.filing.standing import FiledNow
from campaigns.selectors.sending import contact_facts, message_plan
from campaigns.selectors.sending.contact_facts import SealedText
from campaigns.services.campaigns import plans
from campaigns.services.filing.filed import FilingLapsed, unfiled
from campaigns.services.sending import providers, side_messages
from campaigns.services.sending.composing import Composed, Composer, NotComposed
from customers.domain.values.emails import parse_email
from customers.domain.values.quality import ValueRefused
from customers.models import ContactPoint, Customer
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import deployment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.phones import PhoneRefused, parse_phone
from loancrm.kernel.security import crypto

EXAMPLES = 4
# Enough to meet different people in, few enough to be asked at once.
EXAMPLES_LOOKED_AT = 200
PREVIEWS = (
    "campaigns.author_campaign",
    "campaigns.approve_campaign",
    "campaigns.launch_campaign",
)


class TestSendRefused(LoanCrmError):
    """The test message could not be written or handed over."""

    code = "test_send_refused"


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """One person's message, and whether she would get it now.

    Attributes:
        problem: Why there is no message (a `SkipReason`); empty when there is one.
        decision: What the gates say at this moment.
    """

    channel_kind: str
    variant_key: str
    decision: Decision
    problem: str = ""
    problem_detail: str = ""
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    parts: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Written:
    composed: Composed | NotComposed
    decision: Decision
    channel: Channel


def may_preview(actor: Actor, campaign: Campaign) -> bool:
    """Return whether the actor may see messages as customers get them."""
    return any(access.is_allowed(actor, right, campaign) for right in PREVIEWS)


def _right_to_preview(actor: Actor, campaign: Campaign) -> str:
    """Return the right by which the actor may see messages; one of them where they have none."""
    held = (right for right in PREVIEWS if access.is_allowed(actor, right, campaign))
    return next(held, PREVIEWS[0])


def preview(
    *,
    campaign: Campaign,
    variant: Variant,
    customers: Sequence[Customer],
    actor: Actor,
    now: datetime,
) -> list[MessagePreview]:
    """Return the message of one variant as each of these customers would get it now.

    It may hold the customers' names in full, so only people who write, approve or launch campaigns
    see it, and every look is in the audit trail: one entry, with everybody who was shown in it.

    Raises:
        PermissionRefused: The actor may do none of these.
        LoanCrmError: The text itself is faulty.
    """
    act = acting(actor, _right_to_preview(actor, campaign), on=campaign, now=now)
    written = [
        _written(campaign, variant.touchpoint.step, variant, customer, now)
        for customer in customers
    ]
    with act:
        shown = [customer.pk for customer in customers]
        act.record("campaign.previewed", facts={"customers": shown, "variant": variant.key})
    return [_shown(item, variant) for item in written]


def _shown(written: _Written, variant: Variant) -> MessagePreview:
    kind = written.channel.kind
    match written.composed:
        case NotComposed(_, reason, detail):
            return MessagePreview(kind, variant.key, written.decision, str(reason), detail)
        case Composed(_, outbound, _, parts, cost):
            subject, text, html = readable(outbound)
            return MessagePreview(
                kind,
                variant.key,
                written.decision,
                subject=subject,
                text=text,
                html=html,
                parts=parts,
                cost=cost,
            )


def examples(*, campaign: Campaign, step: Step, now: datetime) -> list[Customer]:
    """Return up to four people of the audience who differ, somebody who would get it first.

    They differ in whether they would get it, in language, form of address and what is known.
    """
    ids = preview_people.audience_ids(campaign, now=now, limit=EXAMPLES_LOOKED_AT)
    if not ids or step.channel is None:
        return []
    plan = message_plan.plan_of(_plan(campaign, step, now), now=now)
    people = contact_facts.load_prospects(customer_ids=ids, plan=plan, now=now)
    over = earlier_runs.excluded(campaign, ids)
    passes = {
        person.customer_id: person.customer_id not in over
        and decide(person.facts, plan, now).verdict is Verdict.PASS
        for person in people
    }
    people.sort(key=lambda person: not passes[person.customer_id])
    kinds: dict[tuple[object, ...], int] = {}
    for person in people:
        known = (person.name is not None, bool(person.city))
        kind = (passes[person.customer_id], person.language, person.gender, *known)
        kinds.setdefault(kind, person.customer_id)
    chosen = list(kinds.values())
    barred = [pk for pk in chosen if not passes[pk]]
    chosen = [pk for pk in chosen if passes[pk]][: EXAMPLES - bool(barred)] + barred
    found = Customer.objects.in_bulk(chosen[:EXAMPLES])
    return [found[pk] for pk in chosen[:EXAMPLES]]


def send_test(
    *,
    campaign: Campaign,
    step: Step,
    variant: Variant,
    customer: Customer,
    to: str,
    actor: Actor,
    now: datetime,
) -> SendResult:
    """Send one message, written as for this customer, to a colleague's own address.

    Raises:
        TestSendRefused: The address is none for this channel, the message cannot be written, or
            the provider did not take it.
        PermissionRefused: The actor may not write campaigns.
        SendingUnconfirmed: Nothing goes out until a person has confirmed.
    """
    act = acting(actor, "campaigns.author_campaign", on=campaign, now=now)
    deployment.require_confirmed()
    if step.channel is None:
        raise TestSendRefused(_("The step has no channel."), campaign=campaign.slug)
    address = _address(step.channel.kind, to)
    composed = _as_filed(campaign, step, variant, customer, address, now)
    if isinstance(composed, NotComposed):
        raise _unwritten(campaign, labels.SKIP_REASONS.label(composed.reason))
    provider = providers.provider_of(step.channel)
    outbound = replace(composed.outbound, idempotency_key=f"t{uuid4().hex}")
    result = provider.send([outbound])[0]
    side_messages.note(channel=step.channel, results=[result], now=now)
    facts = {"outcome": result.outcome, "variant": variant.key, "customer": customer.pk}
    with act:
        act.record("campaign.test_sent", facts=facts)
    if result.outcome is not SendOutcome.ACCEPTED:
        raise TestSendRefused(
            _("The provider did not take the message: %(code)s") % {"code": result.code},
            campaign=campaign.slug,
        )
    return result


def _as_filed(
    campaign: Campaign, step: Step, variant: Variant, customer: Customer, to: str, now: datetime
) -> Composed | NotComposed:
    """Write a message for an address, under what the channel has filed with its provider.

    Raises:
        TestSendRefused: The provider would drop it, and count it against the account.
    """
    filed = standing.filed_now(step.channel, now=now) if step.channel else standing.NOTHING
    reason = unfiled(filed)
    if reason is None:
        try:
            return _written(
                campaign, step, variant, customer, now, address=to, filed=filed
            ).composed
        except FilingLapsed:
            reason = HoldReason.TEMPLATE_NOT_FILED
    raise _unwritten(campaign, labels.HOLD_REASONS.label(reason))


def _unwritten(campaign: Campaign, reason: object) -> TestSendRefused:
    words = _("The message cannot be written: %(reason)s") % {"reason": reason}
    return TestSendRefused(words, campaign=campaign.slug)


def _written(
    campaign: Campaign,
    step: Step,
    variant: Variant,
    customer: Customer,
    now: datetime,
    *,
    address: str = "",
    filed: FiledNow = standing.NOTHING,
) -> _Written:
    if step.channel is None:
        raise TestSendRefused(_("The step has no channel."), campaign=campaign.slug)
    run = _plan(campaign, step, now)
    composer = Composer(run, step.channel, rules=rules_at(now))
    composer.filed = filed
    plan = message_plan.plan_of(run, now=now)
    prospect = contact_facts.load_prospects(
        customer_ids=[customer.pk],
        plan=plan,
        now=now,
        attribute_names=composer.attribute_names,
    )[0]
    decision = decide(prospect.facts, plan, now)
    recipient = replace(prospect, variant_id=variant.pk)
    if address:
        key = uuid4()
        sealed = crypto.vault().seal(ContactPoint.VALUE_COLUMN, key, address)
        recipient = replace(recipient, address=SealedText(key, sealed))
    composed = composer.compose(recipient, now=now)
    return _Written(composed, decision, step.channel)


def _plan(campaign: Campaign, step: Step, now: datetime) -> Dispatch:
    version = campaign.segment.current_version if campaign.segment else None
    plan = plans.plan_step(campaign=campaign, step=step, version=version, due_at=now, now=now)
    if step.position > 1:
        plan.refusals_since = campaign.launched_at
    return plan


def readable(outbound: Outbound) -> tuple[str, str, str]:
    """Return subject, text and HTML of a finished message, as its reader sees them."""
    match outbound.payload:
        case SmsPayload(text, _):
            return "", text, ""
        case EmailPayload(_, raw):
            message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
            return str(message["Subject"] or ""), _body(message, "plain"), _body(message, "html")


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return part.get_content() if part is not None else ""


def _address(kind: str, to: str) -> str:
    try:
        return parse_email(to) if kind == "email" else parse_phone(to).e164
    except (ValueRefused, PhoneRefused) as error:
        raise TestSendRefused(_("This is no address for the channel.")) from error
