"""What of a partner's report is believable."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from campaigns.domain.partners.contract import (
    REPORTABLE_CONVERSIONS,
    REPORTABLE_EVENTS,
    LeadStanding,
    status_of,
)
from campaigns.domain.partners.events import LeadReport, faults_of

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
GOOD = LeadReport(
    index=0,
    report_id="E1",
    event="page_viewed",
    occurred_at=NOW,
    reference="L1",
    amount=Decimal(0),
)


def _codes(**changes: Any) -> list[str]:
    report = replace(GOOD, **changes)
    return [fault.code for fault in faults_of(report, allowed=REPORTABLE_EVENTS, now=NOW)]


def test_a_plain_report_has_no_faults() -> None:
    assert _codes() == []


@pytest.mark.parametrize(
    ("_case", "changes", "codes"),
    [
        ("five minutes ahead", {"occurred_at": NOW + timedelta(minutes=5)}, []),
        (
            "more ahead",
            {"occurred_at": NOW + timedelta(minutes=5, seconds=1)},
            ["time_implausible"],
        ),
        (
            "before any calendar",
            {"occurred_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))},
            ["time_implausible"],
        ),
        ("infinite", {"amount": Decimal("Infinity")}, ["amount_invalid"]),
        ("signalling", {"amount": Decimal("sNaN")}, ["amount_invalid"]),
        ("a cent below the limit", {"amount": Decimal("999999999999.99")}, []),
        ("the limit", {"amount": Decimal(10) ** 12}, ["amount_invalid"]),
        ("no lead", {"reference": ""}, ["lead_missing"]),
        ("the lender's word", {"event": "application_approved"}, ["event_not_reportable"]),
        ("NUL in a name", {"properties": {"\x00": 1}}, ["properties_invalid"]),
    ],
)
def test_faults_of_a_report(_case: str, changes: dict[str, Any], codes: list[str]) -> None:
    assert _codes(**changes) == codes


def test_a_partner_can_never_report_money_or_decisions_as_plain_events() -> None:
    lenders = {"loan_disbursed", "application_approved", "repayment_made", "opted_out"}

    assert not lenders & REPORTABLE_EVENTS
    assert "repayment_made" not in REPORTABLE_CONVERSIONS


def test_a_partner_is_not_told_that_the_lender_knew_the_person() -> None:
    assert {standing: status_of(standing).value for standing in LeadStanding} == {
        LeadStanding.ATTRIBUTED: "accepted",
        LeadStanding.KNOWN: "accepted",
        LeadStanding.DUPLICATE: "duplicate",
    }
