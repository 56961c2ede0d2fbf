from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.domain.partners.touches import Exposure, Touch, TouchChannel, is_touch, parse_touch
from customers.domain.events.event import EventError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = {"external_id": "c1", "touched_at": "2026-05-01T08:00:00", "cost": "0.5", "variant": "A"}


def _parse(**changes):
    row = {**ROW, **changes}
    return parse_touch(row, channel=TouchChannel.SMS, now=NOW, zone=ZoneInfo("Asia/Shanghai"))


def test_a_row_becomes_a_touch():
    touch = _parse()

    assert touch.touched_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert (touch.cost_amount, touch.variant, touch.medium) == (Decimal("0.50"), "A", "sms")
    assert touch.dedup_key == _parse().dedup_key
    assert _parse(event_id="e1", channel="cellular").medium == "cellular"


def test_occurred_at_serves_where_touched_at_is_missing():
    touch = _parse(touched_at="", occurred_at="2026-05-02T08:00:00")

    assert touch.touched_at == datetime(2026, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"external_id": ""}, "person_missing"),
        ({"touched_at": ""}, "time_missing"),
        ({"touched_at": "2026-06-01T08:00:01"}, "time_in_future"),
        ({"cost": "much"}, "amount_invalid"),
    ],
)
def test_a_wrong_row_is_refused(changes, problem):
    with pytest.raises(EventError) as caught:
        _parse(**changes)

    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("row", "expected"),
    [({}, True), ({"event": "call_made"}, True), ({"event": "app_login"}, False)],
)
def test_rows_about_other_events_are_no_touches(row, expected):
    assert is_touch(row, TouchChannel.PHONE.event_name) is expected


touches = st.lists(
    st.builds(
        Touch,
        external_id=st.just("c1"),
        touched_at=st.integers(0, 5).map(lambda days: NOW - timedelta(days=days)),
        dedup_key=st.just("k"),
        variant=st.sampled_from(["A", "B"]),
        cost_amount=st.decimals(0, 9, places=2),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(touches, st.randoms(use_true_random=False))
def test_the_exposure_does_not_depend_on_the_order_of_touches(rows, rng):
    shuffled = rows[:]
    rng.shuffle(shuffled)

    one = reduce(Exposure.with_touch, rows[1:], Exposure.of(rows[0]))
    other = reduce(Exposure.with_touch, shuffled[1:], Exposure.of(shuffled[0]))

    assert one == other
    assert one.first_at == min(row.touched_at for row in rows)
    assert (one.touch_count, one.cost_amount) == (len(rows), sum(row.cost_amount for row in rows))
