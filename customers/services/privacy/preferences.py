"""Preferences beside the consents, and requests about one's own data, each change in a ledger."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from customers.domain.consents.preferences import (
    DETAILS_LENGTH,
    NotifiedBy,
    PreferenceName,
    RequestKind,
    RequestStatus,
    Settings,
    request_due_at,
)
from customers.models import ContactPoint, Customer, Event, Loan, PreferenceRecord, PrivacyRequest
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto


class AnswerIncomplete(LoanCrmError):
    """A request is to be closed without a reason, or without saying how the person was told."""

    code = "answer_incomplete"


@dataclass(frozen=True, slots=True)
class PrivacyAnswer:
    """How a request was answered, and by whom."""

    reason: str
    told_by: str
    actor: str


class DeletionIncomplete(LoanCrmError):
    """A request to delete was to be closed as met while data of the person is still stored."""

    code = "deletion_incomplete"


def append_settings(
    *, customer: Customer, wanted: Settings, source: str, evidence: str, now: datetime
) -> list[PreferenceName]:
    """Store the preferences that differ, for a service that checks and audits itself.

    Args:
        customer: The row, locked by the caller.

    Returns:
        The preferences that changed, each with a row of the ledger.
    """
    before = settings_of(customer).written()
    changed = {name: text for name, text in wanted.written().items() if before[name] != text}
    if not changed:
        return []
    customer.marketing_paused_until = wanted.paused_until
    customer.weekly_message_limit = wanted.weekly_limit
    customer.personalisation_allowed = wanted.is_personalised
    customer.updated_at = now
    customer.save(
        update_fields=[
            "marketing_paused_until",
            "weekly_message_limit",
            "personalisation_allowed",
            "updated_at",
        ]
    )
    PreferenceRecord.objects.bulk_create(
        PreferenceRecord(
            customer=customer, name=name, value=text, source=source, evidence=evidence, at=now
        )
        for name, text in changed.items()
    )
    return list(changed)


def settings_of(customer: Customer) -> Settings:
    """Return the preferences in force of a customer."""
    return Settings(
        paused_until=customer.marketing_paused_until,
        weekly_limit=customer.weekly_message_limit,
        is_personalised=customer.personalisation_allowed,
    )


def request_privacy(
    *,
    actor: Actor,
    customer_id: int,
    kind: RequestKind,
    details: str,
    source: str,
    now: datetime,
) -> PrivacyRequest:
    """Record that somebody asks for a correction or a deletion; the clock of the answer starts.

    A second request of a kind while one is open is the same request: its date stays.

    Args:
        details: In the person's own words; kept sealed.

    Raises:
        PermissionRefused: The actor may not record requests.
    """
    with acting(actor, "customers.add_privacyrequest", now=now) as act:
        Customer.objects.select_for_update().get(pk=customer_id)
        known = PrivacyRequest.objects.filter(
            customer_id=customer_id, kind=kind, status=RequestStatus.OPEN
        ).first()
        if known is not None:
            act.unchanged()
            return known
        request = PrivacyRequest(
            customer_id=customer_id,
            kind=kind,
            source=source,
            requested_at=now,
            due_at=request_due_at(now),
        )
        text = details.strip()[:DETAILS_LENGTH]
        if text:
            request.details_sealed = crypto.vault().seal(
                PrivacyRequest.DETAILS_COLUMN, request.row_key, text
            )
        request.save(force_insert=True)
        act.record(
            "privacy.request",
            on=(Customer, customer_id),
            facts={"kind": kind.value, "request": request.pk, "due_at": request.due_at.isoformat()},
        )
    return request


def read_details(*, actor: Actor, request_id: int, now: datetime) -> str:
    """Return what the person wrote, for who has to answer it; every look is in the audit trail.

    Raises:
        PermissionRefused: The actor may not answer requests.
    """
    act = acting(actor, "customers.change_privacyrequest", now=now)
    request = PrivacyRequest.objects.get(pk=request_id)
    if request.details_sealed is None:
        return ""
    with act:
        owner = (Customer, request.customer_id)
        act.record("privacy.look", on=owner, facts={"request": request.pk})
    return crypto.vault().open(
        PrivacyRequest.DETAILS_COLUMN, request.row_key, bytes(request.details_sealed)
    )


def close_request(
    *,
    actor: Actor,
    request_id: int,
    is_done: bool,
    reason: str,
    told_by: str,
    now: datetime,
) -> PrivacyRequest:
    """Answer an open request; one that is closed already is left as it is.

    Args:
        is_done: False when it is refused.
        reason: What was done, or why not.
        told_by: How the person was told, one of `NotifiedBy`; what nobody was told is no answer.

    Raises:
        PermissionRefused: The actor may not answer requests.
        AnswerIncomplete: The reason is missing, or nobody says how the person was told.
        DeletionIncomplete: A deletion is to be noted as done while the person is still there.
    """
    act = acting(actor, "customers.change_privacyrequest", now=now)
    if not reason.strip():
        raise AnswerIncomplete(_("Say why."))
    if told_by not in set(NotifiedBy):
        raise AnswerIncomplete(_("Say how the person was told."))
    with act:
        request = PrivacyRequest.objects.select_for_update().get(pk=request_id)
        if request.status != RequestStatus.OPEN:
            act.unchanged()
            return request
        if is_done and request.kind == RequestKind.DELETION:
            _refuse_unless_gone(request.pk, request.customer_id)
        request.status = RequestStatus.DONE if is_done else RequestStatus.REFUSED
        request.closed_at = now
        request.save(update_fields=["status", "closed_at"])
        act.record(
            "privacy.close",
            on=(Customer, request.customer_id),
            facts={"request": request.pk, "status": request.status, "told_by": told_by},
            reason=reason.strip(),
        )
    return request


def answer_of(request: PrivacyRequest) -> PrivacyAnswer | None:
    """Return the answer to a closed request, which the audit trail keeps."""
    entry = (
        AuditEntry.objects.filter(
            action="privacy.close", object_id=str(request.customer_id), facts__request=request.pk
        )
        .order_by("-pk")
        .first()
    )
    if entry is None:
        return None
    return PrivacyAnswer(entry.reason, str(entry.facts.get("told_by", "")), entry.actor_label)


def _refuse_unless_gone(request_id: int, customer_id: int) -> None:
    held = [
        (_("records of the person"), Customer.objects.filter(pk=customer_id).count()),
        (_("contact points"), ContactPoint.objects.filter(customer_id=customer_id).count()),
        (_("loans"), Loan.objects.filter(customer_id=customer_id).count()),
        (_("events"), Event.objects.filter(customer_id=customer_id).count()),
    ]
    if any(count for _words, count in held):
        kinds = ", ".join(f"{words}: {count}" for words, count in held if count)
        raise DeletionIncomplete(
            _(
                "Request %(request)s cannot be noted as done: the person is still stored"
                " (%(kinds)s). Have the data erased first, or refuse the request."
            )
            % {"request": f"#{request_id}", "kinds": kinds},
            request=request_id,
        )
