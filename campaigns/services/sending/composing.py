"""From a person's facts to the finished message, exactly as it will be sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.channels.base import EmailPayload, Outbound, SmsPayload
from campaigns.domain.compliance.rules import RulesInForce
from campaigns.domain.content import approval, links, rule_checks, sms_parts, texts
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.content.mime import Addressee, EmailSkeleton, HeaderRefused
from campaigns.domain.content.preference_links import preference_token
from campaigns.domain.content.texts import CompiledEmail, CompiledSms, PersonFields
from campaigns.domain.receipts.report import message_key
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.service_messages import ServiceKind
from campaigns.models import (
    Channel,
    ContentVersion,
    Dispatch,
    MessageText,
    MessageVariables,
    TrackedLink,
)
from campaigns.selectors.content import approved_touchpoint, current_texts, faults
from campaigns.selectors.content.constants import constants
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.filing import standing
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.content.text_refusals import ApprovalLapsed, RuleBroken, RulesForbid
from campaigns.services.evidence import message_texts
from campaigns.services.evidence.message_texts import FinishedText, Master
from campaigns.services.filing.filed import FilingLapsed, TemplateMismatch, filed_as
from customers.domain.consents.consent import Purpose
from customers.models import ContactPoint, Customer
from loancrm.kernel import clock
from loancrm.kernel.security import crypto, keys
from loancrm.kernel.security.crypto import CipherRefused
from loancrm.kernel.texts.templates import MissingVariable, OutputTooLong, RenderFailed, freeze

FALLBACK_LANGUAGE = "zh-hans"
# Columns of Customer and the link are read anyway; anything else a text names is a typed attribute.
BUILT_IN = frozenset(
    {
        "name", "first_name", "last_name", "title", "city", "province", "products",
        "campaign_name", "brand", "hotline", "sender_address", "unsubscribe_url",
        "preferences_url",
    }
)  # fmt: skip


# Differ from person to person, but say nothing: addresses of pages.
_SAME_WORDS = frozenset({"unsubscribe_url", "preferences_url"})


@dataclass(frozen=True, slots=True)
class Composed:
    """A finished message and what it costs."""

    recipient: Recipient
    outbound: Outbound = field(repr=False)
    content_id: int
    parts: int
    cost: Decimal
    text: FinishedText | None = field(default=None, repr=False)
    filing_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NotComposed:
    """Why a person's message could not be written."""

    recipient: Recipient
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True)
class _CompiledText:
    content_id: int
    language: str
    compiled: CompiledEmail | CompiledSms
    skeleton: EmailSkeleton | None
    link_ids: Mapping[str, int]
    fixed: Mapping[str, Any]
    varies: bool
    master: Master | None


_REFUSED = {
    RuleBroken: SkipReason.RULE_BROKEN,
    TemplateMismatch: SkipReason.TEMPLATE_MISMATCH,
    FilingLapsed: SkipReason.TEMPLATE_MISMATCH,
}
_UNWRITTEN = (*_REFUSED, RenderFailed, OutputTooLong, HeaderRefused)


class Composer:
    """Writes the messages of one dispatch; texts are compiled once.

    Attributes:
        filed: What the channel has filed with its provider, as of the chunk in hand.

    Args:
        dispatch: With its touchpoint; one that is not stored writes previews and tests, whose links
            lead nowhere.
        unsaved: What is being written, for a preview of texts that are not stored yet.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        channel: Channel,
        *,
        rules: RulesInForce,
        unsaved: Sequence[CurrentText] = (),
    ) -> None:
        """Compile every current text of the dispatch's touchpoint.

        Raises:
            ApprovalLapsed: What would be sent is no longer what was approved.
            RulesForbid: A rule of the day forbids a text, or a product that it lists.
        """
        self._dispatch = dispatch
        self._channel = channel
        self.filed = standing.NOTHING
        self._vault = crypto.vault()
        self._signer = links.signer_for(settings.SECRET_KEY)
        self._public_url = settings.LOANCRM_PUBLIC_URL
        self._is_marketing = dispatch.purpose == Purpose.MARKETING
        self._is_test = dispatch.pk is None
        if not self._is_test:
            _require_as_approved(dispatch, is_stand_in=self.is_stand_in)
        self._rules = rules
        current = (self._is_test and unsaved) or current_texts.of_touchpoint(dispatch.touchpoint)
        if not self._is_test:
            self._require_lawful(current)
        self._texts = {
            (text.variant.pk, text.locale): self._compile(text.written) for text in current
        }

    def _require_lawful(self, current: Sequence[CurrentText]) -> None:
        found = faults.breaches(
            current,
            name=self._dispatch.name,
            purpose=self._dispatch.purpose,
            own_names=self._dispatch.variables,
            rules=self._rules,
        )
        if found:
            raise RulesForbid(_("A rule forbids this text."), breach=found[0].code)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """Return the typed attributes that the texts use."""
        used: set[str] = set()
        for text in self._texts.values():
            used |= text.compiled.variables
        used -= BUILT_IN | set(self._dispatch.variables)
        return tuple(sorted(name for name in used if not name.startswith("link_")))

    @property
    def is_stand_in(self) -> bool:
        """Return whether another channel than the dispatch's own sends."""
        return not self._is_test and self._channel.pk != self._dispatch.channel_id

    def compose(self, recipient: Recipient, *, now: datetime) -> Composed | NotComposed:
        """Return the finished message, or why there is none.

        What is wrong with no person, such as a link that fits into no header, is raised: it would
        be wrong with everybody.

        Raises:
            KeysRefused: This process has not the keys that the data was sealed with.
            FilingLapsed: The provider of the dispatch's own channel has not approved the template.
        """
        text = self._text_for(recipient)
        if text is None:
            return NotComposed(recipient, SkipReason.NO_CONTENT, "")
        if reason := self._missing(recipient):
            return NotComposed(recipient, reason, "")
        try:
            return self._render(recipient, text, now)
        except MissingVariable as error:
            return NotComposed(
                recipient, SkipReason.MISSING_VARIABLE, str(error.facts.get("name", ""))
            )
        except _UNWRITTEN as error:
            if isinstance(error, FilingLapsed) and not self.is_stand_in:
                raise
            reason = _REFUSED.get(type(error), SkipReason.RENDER_ERROR)
            return NotComposed(recipient, reason, error.code)
        except CipherRefused as error:
            # One row may be damaged; keys that are not the data's are nobody's fault.
            keys.refuse_wrong_keys()
            return NotComposed(recipient, SkipReason.RENDER_ERROR, error.code)

    def _missing(self, recipient: Recipient) -> SkipReason | None:
        if recipient.address is None:
            return SkipReason.UNREACHABLE
        if self._dispatch.variables and recipient.variables is None and not self._is_test:
            # Its values are gone by now: a text that could do without would say half of it.
            return SkipReason.MISSING_VARIABLE
        return None

    def _text_for(self, recipient: Recipient) -> _CompiledText | None:
        if recipient.variant_id is None:
            return None
        own = self._texts.get((recipient.variant_id, recipient.language))
        if own is not None:
            return own
        default = self._texts.get((recipient.variant_id, FALLBACK_LANGUAGE))
        if default is not None:
            return default
        return next(
            (text for (variant, _), text in self._texts.items() if variant == recipient.variant_id),
            None,
        )

    def _render(self, recipient: Recipient, text: _CompiledText, now: datetime) -> Composed:
        name = self._open(Customer.NAME_COLUMN, recipient.name)
        filing_ids: tuple[int, ...] = ()
        address = self._open(ContactPoint.VALUE_COLUMN, recipient.address)
        context = self._context(recipient, name, text, now)
        key = (
            f"t{recipient.customer_id}"
            if self._is_test
            else message_key(self._dispatch.key_space, recipient.message_id)
        )
        if isinstance(text.compiled, CompiledSms):
            body, parts = texts.render_sms(
                text.compiled,
                context,
                signature=self._channel.sender,
                opt_out_text=sms_parts.OPT_OUT_TEXT if self._is_marketing else "",
            )
            self._check(text, {"text": body})
            filed, filing_ids = filed_as(filed=self.filed, body=body, context=context)
            said: tuple[str, ...] = (body,)
            payload = SmsPayload(body, parts, filed)
            outbound = Outbound(recipient.message_id, key, address, payload)
        else:
            subject, plain, html = texts.render_email(text.compiled, context)
            self._check(text, {"subject": subject, "text": plain, "html": html or ""})
            said = (self._channel.sender, subject, plain, html or "")
            assert text.skeleton is not None  # noqa: S101 - e-mail texts are compiled with one
            raw = text.skeleton.fill(
                to=Addressee(address, name),
                subject=subject,
                text=plain,
                html=html,
                message_key=key,
                unsubscribe_url=context["unsubscribe_url"] if self._is_marketing else "",
                at=now,
            )
            parts = 1
            outbound = Outbound(
                recipient.message_id,
                key,
                address,
                EmailPayload(sender=self._channel.sender.rpartition(" ")[2].strip("<>"), raw=raw),
            )
        finished = FinishedText(text.master, said) if text.master is not None else None
        cost = self._cost(parts)
        return Composed(recipient, outbound, text.content_id, parts, cost, finished, filing_ids)

    def _check(self, text: _CompiledText, parts: Mapping[str, str]) -> None:
        """Refuse a finished text that says what no single value of it says."""
        if not text.varies:
            # What everybody reads was looked at when it was compiled.
            return
        found = rule_checks.check_rendered(
            parts, is_marketing=self._is_marketing, rules=self._rules
        )
        if found:
            raise RuleBroken(_("The finished text would break a rule."), breach=found[0].code)

    def _context(
        self, recipient: Recipient, name: str, text: _CompiledText, now: datetime
    ) -> dict[str, Any]:
        context = texts.person_context(
            PersonFields(
                name=name,
                gender=recipient.gender,
                city=recipient.city,
                province=recipient.province,
            ),
            language=text.language,
        )
        message_id = links.TEST_MESSAGE if self._is_test else recipient.message_id
        context.update(text.fixed)
        token = self._signer.token(LinkPurpose.UNSUBSCRIBE, message_id=message_id)
        context["unsubscribe_url"] = f"{self._public_url}/u/{token}/"
        if "preferences_url" in text.compiled.variables:
            customer_id = links.TEST_MESSAGE if self._is_test else recipient.customer_id
            token = preference_token(
                self._signer, customer_id, today=now.astimezone(clock.company_zone()).date()
            )
            context["preferences_url"] = f"{self._public_url}/p/{token}/"
        for variable, link_id in text.link_ids.items():
            token = self._signer.token(LinkPurpose.CLICK, message_id=message_id, link_id=link_id)
            context[variable] = f"{self._public_url}/t/{token}/"
        if recipient.attributes:
            context.update(freeze(recipient.attributes))
        if recipient.variables is not None:
            values = self._open(MessageVariables.VALUES_COLUMN, recipient.variables)
            context.update(freeze(json.loads(values)))
        return context

    def _cost(self, parts: int) -> Decimal:
        # Who stands in for another channel has a price of its own.
        price = self._channel.cost_per_part if self.is_stand_in else self._dispatch.unit_cost
        return (price or Decimal(0)) * parts

    def _open(self, column: str, sealed: Any) -> str:
        return self._vault.open(column, sealed.row_key, sealed.envelope) if sealed else ""

    def _compile(self, row: ContentVersion) -> _CompiledText:
        compiled: CompiledEmail | CompiledSms
        skeleton = None
        if self._channel.kind == "email":
            compiled = texts.compile_email(
                subject=row.subject, text=row.text, html=row.html, language=row.locale
            )
            sender_name, _, sender_address = self._channel.sender.rpartition(" ")
            skeleton = EmailSkeleton(
                sender_name=sender_name.strip(),
                sender_address=sender_address.strip("<>"),
                language=row.locale,
                has_html=compiled.html is not None,
            )
        else:
            compiled = texts.compile_sms(text=row.text, language=row.locale)
        fixed = constants(self._dispatch.name, compiled.variables, language=row.locale)
        fixed_words = [value for value in fixed.values() if isinstance(value, str)]
        return _CompiledText(
            content_id=row.pk,
            language=row.locale,
            compiled=compiled.with_fixed(fixed),
            skeleton=skeleton,
            link_ids=self._tracked(compiled.link_targets),
            fixed=fixed,
            varies=any(
                name not in fixed and name not in _SAME_WORDS and not name.startswith("link_")
                for name in compiled.variables
            ),
            master=self._master(
                [*fixed_words, self._channel.sender, row.subject, row.text, row.html]
            ),
        )

    def _master(self, words: list[str]) -> Master | None:
        # A one-time code has no business in a database the day after.
        if self._is_test or self._dispatch.service_kind == ServiceKind.ONE_TIME_CODE:
            return None
        return message_texts.master_of(dispatch=self._dispatch, parts=words)

    def _tracked(self, targets: tuple[str, ...]) -> dict[str, int]:
        if not targets:
            return {}
        if self._is_test:
            return {links.variable_of(position): 0 for position, _ in enumerate(targets)}
        TrackedLink.objects.bulk_create(
            [TrackedLink(dispatch=self._dispatch, target=target) for target in targets],
            ignore_conflicts=True,
        )
        known = dict(
            TrackedLink.objects.filter(Q(dispatch=self._dispatch), target__in=targets).values_list(
                "target", "pk"
            )
        )
        return {
            links.variable_of(position): known[target] for position, target in enumerate(targets)
        }


def sealed_texts(batch: Sequence[Composed], *, now: datetime) -> list[MessageText]:
    """Return the rows of a sub-batch's texts, for those whose texts are stored."""
    texts_of_batch = {
        (item.recipient.message_id, item.recipient.attempts + 1): item.text
        for item in batch
        if item.text is not None
    }
    return message_texts.sealed_rows(texts=texts_of_batch, now=now)


def _require_as_approved(dispatch: Dispatch, *, is_stand_in: bool) -> None:
    """Compare what is about to be read with what was approved, before anything is compiled."""
    now = approved_touchpoint.parts_of(dispatch.touchpoint, name=dispatch.name)
    among = approval.OF_TOUCHPOINTS if is_stand_in else approval.READ_BY_WORKERS
    changed = approval.changed(dispatch.approved_parts, now, among)
    if changed:
        raise ApprovalLapsed(changed[0])
