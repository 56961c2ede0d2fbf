from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.sending import schedule
from campaigns.domain.sending.schedule import SendingWindow

WINDOW = SendingWindow(time(9), time(20))
ZONES = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
]


@pytest.mark.parametrize(
    ("_case", "local", "expected"),
    [
        ("inside", "2026-03-04T10:00", "2026-03-04T10:00"),
        ("at the opening", "2026-03-04T09:00", "2026-03-04T09:00"),
        ("a second before the opening", "2026-03-04T08:59:59", "2026-03-04T09:00"),
        ("a second before the end", "2026-03-04T19:59:59", "2026-03-04T19:59:59"),
        ("at the end", "2026-03-04T20:00", "2026-03-05T09:00"),
        ("at night", "2026-03-04T02:00", "2026-03-04T09:00"),
    ],
)
def test_next_opening_in_shanghai(_case, local, expected):
    zone = ZoneInfo("Asia/Shanghai")
    now = datetime.fromisoformat(local).replace(tzinfo=zone)
    opening = schedule.next_opening(now, zone, WINDOW)
    assert opening == datetime.fromisoformat(expected).replace(tzinfo=zone)


def test_the_day_the_clock_springs_forward_opens_at_nine_by_the_new_clock():
    zone = ZoneInfo("America/New_York")
    night = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
    assert schedule.next_opening(night, zone, WINDOW) == datetime(2026, 3, 8, 13, 0, tzinfo=UTC)


@given(
    st.integers(0, 3 * 365 * 86_400).map(
        lambda s: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
    ),
    st.sampled_from(ZONES),
)
def test_d10_the_opening_is_never_early_and_always_inside_the_window(now, name):
    zone = ZoneInfo(name)
    opening = schedule.next_opening(now, zone, WINDOW)
    assert opening >= now
    assert WINDOW.opens <= opening.astimezone(zone).time() < WINDOW.closes
    assert opening - now < timedelta(hours=27)


def test_an_unknown_zone_is_none():
    assert schedule.zone_of("Mars/Olympus") is None
    assert schedule.zone_of("") is None


@pytest.mark.parametrize(("minutes", "expected"), [(59, False), (60, False), (61, True)])
def test_lateness_counts_from_the_due_time(minutes, expected):
    due = datetime(2026, 3, 4, 2, tzinfo=UTC)
    late = due + timedelta(minutes=minutes)
    assert schedule.is_too_late(due_at=due, now=late, late_limit_hours=1) is expected
