"""Writing message templates, and four eyes on every one: who wrote it never approves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.domain.compliance.offers import (
    ProductKind,
    is_offer_under_service,
    product_kind_for,
)
from campaigns.domain.content.approval import OF_TOUCHPOINTS, digests
from campaigns.domain.content.written import TextSpec
from campaigns.domain.requests.template import TemplateStatus, name_problems
from campaigns.domain.sending.service_messages import ServiceKind, kind_for
from campaigns.labels import content as content_labels
from campaigns.models import Channel, MessageTemplate, TemplateEdit, Touchpoint, Variant
from campaigns.selectors.content import faults
from campaigns.selectors.requests import templates as state_of
from campaigns.services.content import writing
from campaigns.services.content.writing import Writer
from customers.domain.consents.consent import Purpose
from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.auditing import audit
from loancrm.kernel.database import stale
from loancrm.kernel.errors import LoanCrmError

WRITES = "campaigns.author_campaign"
WRITES_SERVICE = "campaigns.send_service_messages"
WRITES_COLLECTION = "campaigns.send_collection_messages"
APPROVES = "campaigns.approve_campaign"


class TemplateInvalid(LoanCrmError):
    """The description of a template is not usable; facts hold `problems` as (field, words)."""

    code = "message_template_invalid"


class TemplateLocked(LoanCrmError):
    """The template is in a state in which this cannot be done."""

    code = "message_template_locked"


class TemplateTextsFaulty(LoanCrmError):
    """The texts have faults that somebody has to mend first."""

    code = "message_template_texts_faulty"


class TemplateApprovalRefused(LoanCrmError):
    """The approval would break the four-eyes rule, or cover what nobody has seen or may send."""

    code = "message_template_approval_refused"


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A template as its author describes it, whole.

    Attributes:
        variables: Names whose values come with every message.
        product_kind: What it is about; where it is not said, what the purpose allows.
    """

    slug: str
    name: str
    channel: Channel
    purpose: str
    service_kind: str
    variables: tuple[str, ...]
    texts: tuple[TextSpec, ...]
    product_kind: str = ""


def create_template(*, spec: TemplateSpec, actor: Actor, now: datetime) -> MessageTemplate:
    """Create a draft; nothing is kept when any part is wrong.

    Raises:
        TemplateInvalid: The description is not usable.
        TextUnreadable: Nothing could ever be made of a text.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    with _writing(actor, spec, now=now) as act:
        _check(spec, template=None)
        touchpoint = Touchpoint.objects.create(channel=spec.channel)
        template = MessageTemplate.objects.create(
            slug=spec.slug,
            name=spec.name,
            touchpoint=touchpoint,
            purpose=spec.purpose,
            service_kind=kind_for(spec.purpose, spec.service_kind),
            product_kind=product_kind_for(spec.purpose, spec.product_kind),
            variables=list(spec.variables),
            author=actor.user,
            created_at=now,
            updated_at=now,
        )
        variant = Variant.objects.create(touchpoint=touchpoint, key="A")
        writing.write_texts(variant=variant, texts=spec.texts, writer=Writer(actor.user, now))
        _note_edit(act, template)
        _record(act, template, "created")
    return template


def change_template(
    *, template: MessageTemplate, spec: TemplateSpec, actor: Actor, now: datetime, seen: str = ""
) -> MessageTemplate:
    """Make a template what is described; an approval that it had is void.

    Its slug stays: systems call it by that.

    Args:
        seen: Digest of what was `stored` when the change began; empty where nothing was read.

    Raises:
        StaleSave: Somebody else has saved it since.
        TemplateInvalid: The description is not usable.
        TextUnreadable: Nothing could ever be made of a text.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    with _writing(actor, template, spec, now=now) as act:
        _check(spec, template=template)
        locked = _locked(template)
        stale.refuse_stale(seen, state_of.stored(locked))
        touchpoint = locked.touchpoint
        Touchpoint.objects.filter(pk=touchpoint.pk).update(channel=spec.channel, approved_parts={})
        touchpoint.channel = spec.channel
        variant = touchpoint.variants.get(key="A")
        variant.touchpoint = touchpoint
        writing.write_texts(variant=variant, texts=spec.texts, writer=Writer(actor.user, now))
        MessageTemplate.objects.filter(pk=locked.pk).update(
            name=spec.name,
            purpose=spec.purpose,
            service_kind=kind_for(spec.purpose, spec.service_kind),
            product_kind=product_kind_for(spec.purpose, spec.product_kind),
            variables=list(spec.variables),
            status=TemplateStatus.DRAFT,
            approved_digest="",
            updated_at=now,
        )
        _note_edit(act, locked)
        _record(act, locked, "changed")
    return _fresh(locked)


def submit_template(*, template: MessageTemplate, actor: Actor, now: datetime) -> MessageTemplate:
    """Ask for an approval.

    Raises:
        TemplateLocked: It is no draft.
        TemplateTextsFaulty: The texts have faults.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    with _writing(actor, template, now=now) as act:
        locked = _locked(template)
        # One whose products or channel changed lost its approval by that, and is submitted again.
        if locked.status == TemplateStatus.IN_REVIEW or state_of.is_approved(locked):
            raise TemplateLocked(_("The template is not waiting for you."), template=locked.slug)
        if found := _blocking(locked, now):
            raise TemplateTextsFaulty(
                _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(found)},
                template=locked.slug,
            )
        _move(locked, TemplateStatus.IN_REVIEW, now)
        _record(act, locked, "submitted")
    return _fresh(locked)


def approve_template(
    *, template: MessageTemplate, seen_digest: str, actor: Actor, now: datetime
) -> MessageTemplate:
    """Approve a template as the approver has seen it.

    Args:
        seen_digest: Of what the approver was shown.

    Raises:
        TemplateApprovalRefused: The actor wrote it or is no user, it is not what was seen any more,
            or its texts have faults.
        TemplateLocked: It is not waiting for an approval.
        PermissionRefused: The actor may not approve.
    """
    act = acting(actor, APPROVES, now=now)
    approver = _approver(act, template)
    with act:
        locked = _locked(template)
        _require_in_review(locked)
        # Channel and products are not locked: a change that is not in what is read here has a
        # higher number, and bars who made it.
        seen_entry = audit.last_number()
        parts = state_of.shown(locked)
        # Once more, of what was read: she may have changed it while this waited.
        _refuse_barred(locked, approver)
        digest = state_of.digest_of(parts)
        if digest != seen_digest:
            raise TemplateApprovalRefused(
                _("The template has changed since you looked at it. Read it again."),
                template=locked.slug,
            )
        if found := _blocking(locked, now):
            raise TemplateApprovalRefused(
                _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(found)},
                template=locked.slug,
            )
        read = {part.value: parts[part] for part in OF_TOUCHPOINTS}
        Touchpoint.objects.filter(pk=locked.touchpoint_id).update(approved_parts=digests(read))
        MessageTemplate.objects.filter(pk=locked.pk).update(
            status=TemplateStatus.APPROVED,
            approved_digest=digest,
            approved_by=approver,
            approved_at=now,
            approved_edit_number=locked.edits.aggregate(last=Max("pk"))["last"] or 0,
            updated_at=now,
        )
        _record(act, locked, "approved", facts={audit.SEEN: seen_entry})
        return _fresh(locked)


def reject_template(
    *, template: MessageTemplate, actor: Actor, now: datetime, reason: str
) -> MessageTemplate:
    """Send a template back to its author, with the reason.

    Raises:
        TemplateLocked: It is not waiting for an approval.
        TemplateApprovalRefused: The actor is no user, or wrote it.
        PermissionRefused: The actor may not approve.
    """
    act = acting(actor, APPROVES, now=now)
    approver = _approver(act, template)
    with act:
        locked = _locked(template)
        _require_in_review(locked)
        _refuse_barred(locked, approver)
        _move(locked, TemplateStatus.DRAFT, now)
        _record(act, locked, "rejected", reason=reason)
        return _fresh(locked)


def set_active(
    *, template: MessageTemplate, is_active: bool, actor: Actor, now: datetime
) -> MessageTemplate:
    """Let systems use a template, or refuse their calls at once.

    Raises:
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    with _writing(actor, template, now=now) as act:
        _require_kind(actor, _locked(template))
        MessageTemplate.objects.filter(pk=template.pk).update(is_active=is_active, updated_at=now)
        _record(act, template, "switched_on" if is_active else "switched_off")
    return _fresh(template)


def _writing(actor: Actor, *kinds: MessageTemplate | TemplateSpec, now: datetime) -> Act:
    """Open the door to whoever may write templates of these purposes and kinds."""
    act = acting(actor, WRITES, now=now)
    for kind in kinds:
        _require_kind(actor, kind)
    return act


def _require_kind(actor: Actor, kind: MessageTemplate | TemplateSpec) -> None:
    if kind.purpose == Purpose.SERVICE:
        access.require(actor, WRITES_SERVICE)
        if kind.service_kind == ServiceKind.COLLECTION:
            access.require(actor, WRITES_COLLECTION)


def _check(spec: TemplateSpec, *, template: MessageTemplate | None) -> None:
    problems: list[tuple[str, str]] = []
    if template is None and MessageTemplate.objects.filter(slug=spec.slug).exists():
        problems.append(("slug", _("There is a template of this slug already.")))
    if spec.purpose not in set(Purpose):
        problems.append(("purpose", _("This is no purpose.")))
    if spec.service_kind and spec.service_kind not in set(ServiceKind):
        problems.append(("service_kind", _("This is no kind of service message.")))
    problems += _kind_problems(spec)
    if not any(text.text.strip() or text.html.strip() for text in spec.texts):
        problems.append(("texts", _("A template needs a text in at least one language.")))
    if any("\x00" in f"{text.subject}{text.text}{text.html}" for text in spec.texts):
        problems.append(("texts", _("A text holds a character that cannot be stored.")))
    problems += _name_problems(spec.variables)
    if problems:
        raise TemplateInvalid(
            _("The template cannot be stored: %(problems)s")
            % {"problems": "; ".join(words for _field, words in problems)},
            problems=tuple(problems),
        )


def _kind_problems(spec: TemplateSpec) -> list[tuple[str, str]]:
    if spec.product_kind and spec.product_kind not in set(ProductKind):
        return [("product_kind", _("This is nothing that a message is about."))]
    if is_offer_under_service(spec.purpose, spec.product_kind):
        return [("product_kind", _("An offer of credit needs a consent for marketing."))]
    return []


def _name_problems(names: Sequence[str]) -> list[tuple[str, str]]:
    found = [
        ("variables", content_labels.VARIABLE_NAME_PROBLEMS.label(problem) % {"name": name[:40]})
        for name, problem in name_problems(names)
    ]
    taken = faults.attribute_names() & set(names)
    return found + [
        ("variables", _("“%(name)s” is an attribute of customers.") % {"name": name})
        for name in sorted(taken)
    ]


def _blocking(template: MessageTemplate, now: datetime) -> list[str]:
    found = state_of.findings_of(template, now=now)
    return [str(finding) for finding in found if finding.is_blocking]


def _approver(act: Act, template: MessageTemplate) -> User:
    actor = act.actor
    if actor.kind is not ActorKind.USER or actor.user is None:
        raise TemplateApprovalRefused(
            _("Only a person can approve a template."), template=template.slug
        )
    if state_of.is_barred(template, actor.user):
        # Recorded before the refusal leaves: an attempt at one's own text must not go unseen.
        with act:
            _record(act, template, "own_approval_refused")
        raise _own_text(template)
    return actor.user


def _refuse_barred(template: MessageTemplate, approver: User) -> None:
    if state_of.is_barred(template, approver):
        raise _own_text(template)


def _own_text(template: MessageTemplate) -> TemplateApprovalRefused:
    return TemplateApprovalRefused(
        _("A template is never approved by somebody who wrote or changed it."),
        template=template.slug,
    )


def _require_in_review(template: MessageTemplate) -> None:
    if template.status != TemplateStatus.IN_REVIEW:
        raise TemplateLocked(
            _("The template is not waiting for an approval."), template=template.slug
        )


def _locked(template: MessageTemplate) -> MessageTemplate:
    rows = MessageTemplate.objects.select_for_update(of=("self",))
    return rows.select_related("touchpoint__channel").get(pk=template.pk)


def _fresh(template: MessageTemplate) -> MessageTemplate:
    return MessageTemplate.objects.select_related("touchpoint__channel").get(pk=template.pk)


def _move(template: MessageTemplate, status: TemplateStatus, now: datetime) -> None:
    MessageTemplate.objects.filter(pk=template.pk).update(status=status, updated_at=now)


def _note_edit(act: Act, template: MessageTemplate) -> None:
    """Keep who changed it, for the approval."""
    if act.actor.user is not None:
        TemplateEdit.objects.create(template=template, editor=act.actor.user, at=act.now)


def _record(
    act: Act,
    template: MessageTemplate,
    deed: str,
    *,
    reason: str = "",
    facts: Mapping[str, object] | None = None,
) -> None:
    told = {"slug": template.slug, **(facts or {})}
    act.record(f"message_template.{deed}", on=template, facts=told, reason=reason)
