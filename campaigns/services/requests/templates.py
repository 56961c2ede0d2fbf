"""Writing message templates, and four eyes on every one: who wrote it never approves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.content.approval import READ_BY_WORKERS, digests
from campaigns.domain.content.written import TextSpec
from campaigns.domain.requests.template import TemplateStatus, name_problems
from campaigns.domain.sending.service_messages import ServiceKind, kind_for
from campaigns.models import Channel, MessageTemplate, TemplateEdit, Touchpoint, Variant
from campaigns.selectors.content import faults
from campaigns.selectors.requests import templates as state_of
from campaigns.services.content import writing
from campaigns.services.content.writing import Writer
from customers.domain.consents.consent import Purpose
from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError

WRITES = "campaigns.author_campaign"
WRITES_SERVICE = "campaigns.send_service_messages"
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
    """

    slug: str
    name: str
    channel: Channel
    purpose: str
    service_kind: str
    variables: tuple[str, ...]
    texts: tuple[TextSpec, ...]


@transaction.atomic
def create_template(*, spec: TemplateSpec, actor: Actor, now: datetime) -> MessageTemplate:
    """Create a draft; nothing is kept when any part is wrong.

    Raises:
        TemplateInvalid: The description is not usable.
        TextUnreadable: Nothing could ever be made of a text.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    _require_writer(actor, spec.purpose)
    _check(spec, template=None)
    touchpoint = Touchpoint.objects.create(channel=spec.channel)
    template = MessageTemplate.objects.create(
        slug=spec.slug,
        name=spec.name,
        touchpoint=touchpoint,
        purpose=spec.purpose,
        service_kind=kind_for(spec.purpose, spec.service_kind),
        variables=list(spec.variables),
        author=actor.user,
        created_at=now,
        updated_at=now,
    )
    variant = Variant.objects.create(touchpoint=touchpoint, key="A")
    writing.write_texts(variant=variant, texts=spec.texts, writer=Writer(actor.user, now))
    _note(template, "created", actor, now)
    return template


@transaction.atomic
def change_template(
    *, template: MessageTemplate, spec: TemplateSpec, actor: Actor, now: datetime
) -> MessageTemplate:
    """Make a template what is described; an approval that it had is void.

    Its slug stays: systems call it by that.

    Raises:
        TemplateInvalid: The description is not usable.
        TextUnreadable: Nothing could ever be made of a text.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    _require_writer(actor, template.purpose)
    _require_writer(actor, spec.purpose)
    _check(spec, template=template)
    locked = _locked(template)
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
        variables=list(spec.variables),
        status=TemplateStatus.DRAFT,
        approved_digest="",
        updated_at=now,
    )
    _note(locked, "changed", actor, now)
    return _fresh(locked)


@transaction.atomic
def submit_template(*, template: MessageTemplate, actor: Actor, now: datetime) -> MessageTemplate:
    """Ask for an approval.

    Raises:
        TemplateLocked: It is no draft.
        TemplateTextsFaulty: The texts have faults.
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    _require_writer(actor, template.purpose)
    locked = _locked(template)
    # One whose products or channel changed lost its approval by that, and is submitted again.
    if locked.status == TemplateStatus.IN_REVIEW or state_of.is_approved(locked):
        raise TemplateLocked(_("The template is not waiting for you."), template=locked.slug)
    if found := _blocking(locked):
        raise TemplateTextsFaulty(
            _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(found)},
            template=locked.slug,
        )
    _move(locked, TemplateStatus.IN_REVIEW, now)
    _write_down(locked, "submitted", actor, now)
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
    approver = _approver(template, actor, now)
    with transaction.atomic():
        locked = _locked(template)
        _require_in_review(locked)
        # Once more under the lock: she may have changed it while this waited.
        _refuse_barred(locked, approver)
        parts = state_of.shown(locked)
        digest = state_of.digest_of(parts)
        if digest != seen_digest:
            raise TemplateApprovalRefused(
                _("The template has changed since you looked at it. Read it again."),
                template=locked.slug,
            )
        if found := _blocking(locked):
            raise TemplateApprovalRefused(
                _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(found)},
                template=locked.slug,
            )
        read = {part.value: parts[part] for part in READ_BY_WORKERS}
        Touchpoint.objects.filter(pk=locked.touchpoint_id).update(approved_parts=digests(read))
        MessageTemplate.objects.filter(pk=locked.pk).update(
            status=TemplateStatus.APPROVED,
            approved_digest=digest,
            approved_by=approver,
            approved_at=now,
            updated_at=now,
        )
        _write_down(locked, "approved", actor, now)
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
    approver = _approver(template, actor, now)
    with transaction.atomic():
        locked = _locked(template)
        _require_in_review(locked)
        _refuse_barred(locked, approver)
        _move(locked, TemplateStatus.DRAFT, now)
        _write_down(locked, "rejected", actor, now, reason=reason)
        return _fresh(locked)


@transaction.atomic
def set_active(
    *, template: MessageTemplate, is_active: bool, actor: Actor, now: datetime
) -> MessageTemplate:
    """Let systems use a template, or refuse their calls at once.

    Raises:
        PermissionRefused: The actor may not write templates, or none of this purpose.
    """
    _require_writer(actor, _locked(template).purpose)
    MessageTemplate.objects.filter(pk=template.pk).update(is_active=is_active, updated_at=now)
    _write_down(template, "switched_on" if is_active else "switched_off", actor, now)
    return _fresh(template)


def _require_writer(actor: Actor, purpose: str) -> None:
    access.require(actor, WRITES)
    if purpose == Purpose.SERVICE:
        access.require(actor, WRITES_SERVICE)


def _check(spec: TemplateSpec, *, template: MessageTemplate | None) -> None:
    problems: list[tuple[str, str]] = []
    if template is None and MessageTemplate.objects.filter(slug=spec.slug).exists():
        problems.append(("slug", _("There is a template of this slug already.")))
    if spec.purpose not in set(Purpose):
        problems.append(("purpose", _("This is no purpose.")))
    if spec.service_kind and spec.service_kind not in set(ServiceKind):
        problems.append(("service_kind", _("This is no kind of service message.")))
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


def _name_problems(names: Sequence[str]) -> list[tuple[str, str]]:
    found = [
        ("variables", labels.read(labels.VARIABLE_NAME_PROBLEMS, problem) % {"name": name[:40]})
        for name, problem in name_problems(names)
    ]
    taken = faults.attribute_names() & set(names)
    return found + [
        ("variables", _("“%(name)s” is an attribute of customers.") % {"name": name})
        for name in sorted(taken)
    ]


def _blocking(template: MessageTemplate) -> list[str]:
    return [str(finding) for finding in state_of.findings_of(template) if finding.is_blocking]


def _approver(template: MessageTemplate, actor: Actor, now: datetime) -> User:
    access.require(actor, APPROVES)
    if actor.kind is not ActorKind.USER or actor.user is None:
        raise TemplateApprovalRefused(
            _("Only a person can approve a template."), template=template.slug
        )
    if state_of.is_barred(template, actor.user):
        # Recorded before the refusal leaves: an attempt at one's own text must not go unseen.
        _write_down(template, "own_approval_refused", actor, now)
    _refuse_barred(template, actor.user)
    return actor.user


def _refuse_barred(template: MessageTemplate, approver: User) -> None:
    if state_of.is_barred(template, approver):
        raise TemplateApprovalRefused(
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


def _note(template: MessageTemplate, deed: str, actor: Actor, now: datetime) -> None:
    """Keep who changed it, for the approval, and say so in the audit trail."""
    if actor.user is not None:
        TemplateEdit.objects.create(template=template, editor=actor.user, at=now)
    _write_down(template, deed, actor, now)


def _write_down(
    template: MessageTemplate, deed: str, actor: Actor, now: datetime, *, reason: str = ""
) -> None:
    audit.record(
        actor=actor,
        action=f"message_template.{deed}",
        object_type=audit.type_of(template),
        object_id=template.pk,
        now=now,
        reason=reason,
        facts={"slug": template.slug},
    )
