"""d2: what a campaign waits for, as it is written, read back and refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.given.trigger_reading import of_stored, read_trigger, stored
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.campaigns.trigger import (
    MOST_DELAY_MINUTES,
    TRIGGER_EVENTS,
    Trigger,
    TriggerKind,
    TriggerRefusal,
    refusal_by_time,
)

AMOUNTS = st.none() | st.decimals(0, 10_000, places=2)
TIMES = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001 - Hypothesis takes bounds without a zone
    datetime(2030, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@given(
    st.sampled_from(TRIGGER_EVENTS),
    AMOUNTS,
    st.integers(0, MOST_DELAY_MINUTES),
    st.sampled_from(Again),
)
def test_d2_what_is_stored_is_read_back(event, least, delay, again):
    trigger = Trigger(
        TriggerKind.EVENT,
        event=event.value,
        channel="app",
        amount_at_least=least,
        delay_minutes=delay,
        again=again,
    )
    assert of_stored(stored(trigger)) == trigger
    assert of_stored(None) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"on": "moon"}, ("t.on", ValueProblemCode.ONE_OF)),
        ({"on": "event"}, ("t.event", ValueProblemCode.ONE_OF)),
        ({"on": "event", "event": "message_sent"}, ("t.event", ValueProblemCode.ONE_OF)),
        ({"on": "api", "event": "app_login"}, ("t.event", ValueProblemCode.UNKNOWN_KEY)),
        ({"on": "api", "soon": 1}, ("t.soon", ValueProblemCode.UNKNOWN_KEY)),
        ({"on": "api", "delay_minutes": 44_641}, ("t.delay_minutes", ValueProblemCode.AT_MOST)),
        ({"on": "api", "again": "often"}, ("t.again", ValueProblemCode.ONE_OF)),
        (
            {"on": "event", "event": "app_login", "amount_at_least": 5, "amount_at_most": 4},
            ("t.amount_at_most", ValueProblemCode.AT_LEAST),
        ),
        ([1], ("t", ValueProblemCode.OBJECT_EXPECTED)),
    ],
)
def test_d2_a_wrong_description_is_refused_where_it_is_wrong(value, problem):
    read = Reader()
    read_trigger(value, read, "t")
    assert problem in [(found.path, found.code) for found in read.problems]


def test_d2_amounts_are_read_as_they_are_written():
    value = {"on": "event", "event": "app_login", "amount_at_least": "0.10"}
    found = of_stored(value)
    assert found is not None
    assert found.amount_at_least == Decimal("0.10")


@given(TIMES, TIMES, TIMES, st.integers(0, 1000), st.integers(0, 720))
def test_d2_only_what_is_neither_early_nor_late_begins(occurred, begins, now, delay, hours):
    due = occurred + timedelta(minutes=delay)
    found = refusal_by_time(
        occurred_at=occurred, due_at=due, begins_at=begins, late_hours=hours, now=now
    )
    if occurred < begins:
        assert found is TriggerRefusal.BEFORE_START
    elif (now - due).total_seconds() > hours * 3600:
        assert found is TriggerRefusal.TOO_LATE
    else:
        assert found is None
