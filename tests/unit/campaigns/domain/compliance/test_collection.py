from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.domain.compliance.collection import CLOSES, OPENS, unanswered_tries
from campaigns.domain.sending.eligibility import SkipReason, Verdict, decide
from campaigns.domain.sending.schedule import SendingWindow
from customers.domain.consents.consent import Purpose
from tests.unit.campaigns.domain.sending.test_eligibility import FACTS, PLAN, SHANGHAI

NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)
COLLECTING = replace(
    PLAN,
    purpose=Purpose.SERVICE,
    bars_students=False,
    is_collection=True,
    max_tries=6,
    window=SendingWindow(OPENS, CLOSES),
)
OVERDUE = replace(FACTS, dpd_days=1)


def test_d23_from_21_59_59_to_22_00_00_and_on_to_08_00():
    last = datetime(2026, 3, 4, 21, 59, 59, tzinfo=SHANGHAI)
    assert decide(OVERDUE, COLLECTING, last).verdict is Verdict.PASS
    decision = decide(OVERDUE, COLLECTING, last + timedelta(seconds=1))
    assert (decision.verdict, decision.reason) == (Verdict.DEFER, SkipReason.QUIET_HOURS)
    assert decision.retry_at == datetime(2026, 3, 5, 8, tzinfo=SHANGHAI)


def test_d23_the_clock_is_that_of_the_person():
    urumqi_late = replace(OVERDUE, zone=ZoneInfo("Asia/Tokyo"))
    at = datetime(2026, 3, 4, 21, 30, tzinfo=SHANGHAI)
    assert decide(urumqi_late, COLLECTING, at).verdict is Verdict.DEFER


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dpd_days": 0}, SkipReason.NOT_OVERDUE),
        ({"is_address_shared": True}, SkipReason.THIRD_PARTY),
        ({"collection_tries": 6}, SkipReason.COLLECTION_TRIES),
    ],
)
def test_d23_who_is_not_collected_from(change, reason):
    assert decide(replace(OVERDUE, **change), COLLECTING, NOON).reason is reason
    assert decide(replace(OVERDUE, collection_tries=5), COLLECTING, NOON).verdict is Verdict.PASS


def test_d23_a_reminder_is_a_service_until_the_due_day_only():
    reminding = replace(COLLECTING, is_collection=False, is_due_reminder=True)
    assert decide(FACTS, reminding, NOON).verdict is Verdict.PASS
    assert decide(OVERDUE, reminding, NOON).reason is SkipReason.OVERDUE


def test_d23_tries_of_the_persons_day_that_nobody_answered_count():
    tries = [NOON - timedelta(hours=hours) for hours in (1, 2, 3, 20)]
    asked = {"now": NOON, "zone": SHANGHAI}
    assert unanswered_tries(tries, answered_at=None, **asked) == 3
    assert unanswered_tries(tries, answered_at=NOON - timedelta(minutes=90), **asked) == 1
