"""Events and conversions that partners report: what of them is believable."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.domain.partners.contract import ItemCode, ItemFault

_CLOCK_SKEW = timedelta(minutes=5)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AMOUNT_LIMIT = Decimal(10) ** 12
_PROPERTIES_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class LeadReport:
    """One event of one lead, as a partner sent it.

    Attributes:
        index: Position in the call.
        report_id: The partner's own id of the event; with the kind of call it is the event's
            dedup key.
        lead_id: Our id of the lead, or None when `reference`, the partner's own, names it.
        amount: CNY.
        campaign: Slug of a campaign that is shared with the partner, or empty.
    """

    index: int
    report_id: str
    event: str
    occurred_at: datetime
    lead_id: UUID | None = None
    reference: str = ""
    amount: Decimal | None = None
    channel: str = ""
    subject: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    campaign: str = ""


def faults_of(
    report: LeadReport, *, allowed: frozenset[str], now: datetime
) -> tuple[ItemFault, ...]:
    """Return what is wrong with a report before any look into the database."""
    return tuple(_faults(report, allowed, now))


def _faults(report: LeadReport, allowed: frozenset[str], now: datetime) -> Iterator[ItemFault]:
    if report.lead_id is None and not report.reference:
        yield ItemFault(ItemCode.LEAD_MISSING, "lead_id")
    if report.event not in allowed:
        yield ItemFault(ItemCode.EVENT_NOT_REPORTABLE, "event")
    if not _EARLIEST <= report.occurred_at <= now + _CLOCK_SKEW:
        yield ItemFault(ItemCode.TIME_IMPLAUSIBLE, "occurred_at")
    if report.amount is not None and not _is_plausible(report.amount):
        yield ItemFault(ItemCode.AMOUNT_INVALID, "amount")
    text = json.dumps(report.properties, ensure_ascii=False)
    if len(text) > _PROPERTIES_CHARACTERS or "\\u0000" in text:
        yield ItemFault(ItemCode.PROPERTIES_INVALID, "properties")


def _is_plausible(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < _AMOUNT_LIMIT
