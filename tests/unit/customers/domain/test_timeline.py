from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.timeline import (
    TimelineFilter,
    TimelineItem,
    TimelineKind,
    TimelinePosition,
    decoded,
    last_day_before,
    page_of,
    read_filter,
    start_of,
)

ZONE = ZoneInfo("Asia/Shanghai")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
positions = st.builds(
    TimelinePosition,
    st.timedeltas(timedelta(0), timedelta(days=80_000)).map(lambda age: BEGINNING + age),
    st.integers(0, 999),
    st.integers(0, 2**63 - 1),
)


def _entry(position):
    return TimelineItem(position, TimelineKind.EVENT, "app_login", "App login")


@given(positions)
def test_a_cursor_leads_back_to_its_place(position):
    assert decoded(position.encoded()) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "djE6MTox",
        "v1:1:2:3",
        "djI6MToyOjM",
        "djE6MToyOi0z",
        "é",
        "djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE6MQ",
    ],
)
def test_a_cursor_that_was_never_handed_out_is_refused(text):
    with pytest.raises(ValueError, match="no cursor"):
        decoded(text)


@given(st.lists(st.lists(positions, max_size=8), max_size=4), st.integers(1, 5))
def test_pages_put_together_are_everything_in_order_and_nothing_twice(parts, size):
    # A source has a rank of its own and every row stands in it once.
    parts = [
        sorted({TimelinePosition(p.at, rank, p.key) for p in part}, key=lambda p: p.order)
        for rank, part in enumerate(parts)
    ]
    shown, after = [], None
    while True:
        rest = [[p for p in part if after is None or p.order > after.order] for part in parts]
        page = page_of([[_entry(p) for p in part[: size + 1]] for part in rest], size=size)
        shown += [entry.position for entry in page.entries]
        if page.older is None:
            break
        after = decoded(page.older)

    assert shown == sorted((p for part in parts for p in part), key=lambda p: p.order)


def test_a_day_begins_in_the_companys_zone():
    midnight = start_of(date(2026, 3, 4), ZONE)

    assert midnight == datetime(2026, 3, 3, 16, tzinfo=UTC)
    assert last_day_before(midnight, ZONE) == date(2026, 3, 3)
    assert last_day_before(midnight + timedelta(microseconds=1), ZONE) == date(2026, 3, 4)


def test_a_filter_is_read_from_texts():
    found = read_filter(
        zone=ZONE, kind="loan,event", channel="sms", first="2026-03-04", last="2026-03-05"
    )

    assert found.kinds == {TimelineKind.LOAN, TimelineKind.EVENT}
    assert (found.start, found.end) == (
        datetime(2026, 3, 3, 16, tzinfo=UTC),
        datetime(2026, 3, 5, 16, tzinfo=UTC),
    )
    assert read_filter(zone=ZONE) == TimelineFilter()


@pytest.mark.parametrize(
    "texts",
    [
        {"kind": "x"},
        {"first": "4.3."},
        {"first": "20260304"},
        {"first": "0001-01-01"},
        {"last": "9999-12-31"},
        {"first": "2026-03-05", "last": "2026-03-04"},
        {"channel": "x" * 61},
        {"event": "a\x00"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(texts):
    with pytest.raises(ValueError, match=r".+"):
        read_filter(zone=ZONE, **texts)


def test_only_the_event_log_answers_for_an_event_or_a_source():
    by_event = TimelineFilter(event="app_login")

    assert by_event.wants(TimelineKind.EVENT, has_channel=True)
    assert not by_event.wants(TimelineKind.LOAN, has_channel=False)
    assert not TimelineFilter(source="x").wants(TimelineKind.SCORE, has_channel=False)
    assert not TimelineFilter(channel="sms").wants(TimelineKind.LOAN, has_channel=False)
