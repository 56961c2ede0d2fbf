"""Which messages fit under caps on their number, and what of a reservation stays."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.sending import volumes

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = [date(2026, 3, day) for day in (4, 5, 6)]


@pytest.mark.parametrize(
    ("units", "rooms", "stopped"),
    [
        ([1, 1, 1], {}, ["", "", ""]),
        ([1, 1, 1], {"in_all": 2}, ["", "", "in_all"]),
        ([1, 1, 1], {"day": 1}, ["", "day", "day"]),
        ([1, 1, 1], {"in_all": 2, "day": 1}, ["", "day", "day"]),
        ([1, 1], {"in_all": 0, "day": 0}, ["in_all", "in_all"]),
        # What has its place already takes no other.
        ([1, 0, 1], {"in_all": 1}, ["", "", "in_all"]),
        ([1, 0], {"in_all": -1, "day": -1}, ["in_all", ""]),
    ],
)
def test_d16_messages_fit_in_their_order(
    units: list[int], rooms: dict[str, int], stopped: list[str]
) -> None:
    assert volumes.stopped_by(units, rooms) == stopped


@given(
    st.lists(st.integers(0, 1), max_size=30),
    st.dictionaries(st.sampled_from(["in_all", "day"]), st.integers(0, 20)),
)
def test_d16_no_cap_is_ever_passed(units: list[int], rooms: dict[str, int]) -> None:
    found = volumes.stopped_by(units, rooms)
    taken = sum(unit for unit, period in zip(units, found, strict=True) if not period)
    assert all(taken <= room for room in rooms.values())
    if any(found):
        assert taken == min(rooms.values())


@given(
    st.dictionaries(st.sampled_from(DAYS), st.integers(0, 9), min_size=1),
    st.dictionaries(st.sampled_from(DAYS), st.integers(0, 9)),
)
def test_d16_everything_that_was_used_stays_counted(
    reserved: dict[date, int], used: dict[date, int]
) -> None:
    kept = volumes.settled(reserved, used)
    assert sum(kept.values()) == sum(used.values())
    first = min(reserved)
    assert all(kept[day] <= reserved[day] for day in reserved if day != first)


def test_d16_what_goes_out_after_midnight_counts_for_the_day_that_let_it_through() -> None:
    assert volumes.settled({DAYS[0]: 5}, {DAYS[0]: 3, DAYS[1]: 2}) == {DAYS[0]: 5}
    assert volumes.settled({DAYS[0]: 5, DAYS[1]: 1}, {DAYS[0]: 3, DAYS[1]: 3}) == {
        DAYS[0]: 5,
        DAYS[1]: 1,
    }


def test_f8_a_day_is_the_companys_and_begins_at_its_midnight() -> None:
    late = datetime(2026, 3, 4, 15, 59, tzinfo=UTC)
    assert volumes.period_start("day", late, ZONE) == date(2026, 3, 4)
    assert volumes.next_day(late, ZONE) == datetime(2026, 3, 4, 16, tzinfo=UTC)
    assert volumes.period_start("day", volumes.next_day(late, ZONE), ZONE) == date(2026, 3, 5)
    assert volumes.period_start("in_all", late, ZONE) == volumes.ALL_DAYS
