"""Double opt-in: a consent counts only once the owner of the address has confirmed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.events.event import EventName, ReportedEvent
from customers.models import ConsentState, Customer, OptInRequest
from customers.selectors import consents as ledger
from customers.services.consents import ledger as consents
from customers.services.consents.ledger import ConsentChange
from customers.services.events import log
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

VALID_DAYS = 7
SOURCE = "double_opt_in"


class Confirmation(StrEnum):
    """What became of a confirmation."""

    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RequestedOptIn:
    """A consent that somebody ticked and that is to be confirmed.

    Attributes:
        evidence: What proves the tick: language and digest of the text that was shown.
    """

    channel: ConsentChannel
    purpose: Purpose
    policy_version: str
    evidence: str


def append_requests(
    *, customer_id: int, wishes: Sequence[RequestedOptIn], source: str, now: datetime
) -> list[OptInRequest]:
    """Note consents that wait for confirmation, for a service that checks and audits itself.

    What is granted already, or waits already, is not asked for again.
    """
    granted = ledger.granted_now(customer_id, now=now)
    waiting = set(
        OptInRequest.objects.filter(
            customer_id=customer_id, confirmed_at__isnull=True, expires_at__gt=now
        ).values_list("channel", "purpose")
    )
    rows = [
        OptInRequest(
            customer_id=customer_id,
            channel=wish.channel,
            purpose=wish.purpose,
            policy_version=wish.policy_version,
            source=source,
            evidence=wish.evidence,
            requested_at=now,
            expires_at=now + timedelta(days=VALID_DAYS),
        )
        for wish in wishes
        if (wish.channel, wish.purpose) not in granted | waiting
    ]
    return OptInRequest.objects.bulk_create(rows)


def standing(*, request_id: int, now: datetime) -> Confirmation | None:
    """Return what became of a request; None while it waits to be confirmed."""
    request = OptInRequest.objects.filter(pk=request_id).first()
    if request is None:
        return Confirmation.UNKNOWN
    if request.confirmed_at is not None:
        return Confirmation.CONFIRMED
    return _obstacle(request, now)


def confirm(*, actor: Actor, request_id: int, now: datetime) -> Confirmation:
    """Grant what was asked for, once; a refusal after the request is stronger than it.

    Raises:
        PermissionRefused: The actor may not change consents.
    """
    with acting(actor, "customers.change_consentstate", now=now) as act:
        request = OptInRequest.objects.select_for_update().filter(pk=request_id).first()
        if request is None:
            act.unchanged()
            return Confirmation.UNKNOWN
        if request.confirmed_at is not None:
            act.unchanged()
            return Confirmation.CONFIRMED
        Customer.objects.select_for_update().get(pk=request.customer_id)
        obstacle = _obstacle(request, now)
        if obstacle is not None:
            act.unchanged()
            return obstacle
        _grant(request, now)
        act.record(
            "consents.confirm",
            on=(Customer, request.customer_id),
            facts={"request": request.pk, "channel": request.channel, "purpose": request.purpose},
        )
    return Confirmation.CONFIRMED


def _obstacle(request: OptInRequest, now: datetime) -> Confirmation | None:
    if request.expires_at <= now:
        return Confirmation.EXPIRED
    refused_since = ConsentState.objects.filter(
        customer_id=request.customer_id,
        channel=request.channel,
        purpose=request.purpose,
        is_granted=False,
        changed_at__gt=request.requested_at,
    )
    return Confirmation.WITHDRAWN if refused_since.exists() else None


def _grant(request: OptInRequest, now: datetime) -> None:
    request.confirmed_at = now
    request.save(update_fields=["confirmed_at"])
    consents.append_changes(
        changes=[
            ConsentChange(
                request.customer_id,
                request.channel,
                request.purpose,
                is_granted=True,
                source=request.source,
                evidence=f"{SOURCE}:{request.pk};{request.evidence}"[:200],
                policy_version=request.policy_version,
            )
        ],
        now=now,
    )
    log.append_events(
        events=[
            ReportedEvent(
                source=SOURCE,
                external_id="",
                customer_id=request.customer_id,
                name=EventName.OPTED_IN,
                occurred_at=now,
                dedup_key=f"opt_in:{request.pk}",
                channel=request.channel,
                subject=request.purpose,
            )
        ],
        now=now,
    )
