"""Which value was in force at a moment."""

from datetime import UTC, datetime

import pytest

from customers.domain.values.spells import Spell, value_at


def day(number):
    return datetime(2025, 1, number, tzinfo=UTC)


GAP = (Spell("a", day(2), day(4)), Spell("b", day(6)))
# A survivor of a merge: its own time is older than that of the value that it replaced.
OLDER = (Spell("a", day(4), day(8)), Spell("b", day(2)))
OVER = (Spell("a", day(2), day(4)),)


@pytest.mark.parametrize(
    ("spells", "moment", "expected"),
    [
        ((), 1, None),
        (GAP, 1, None),
        (GAP, 2, "a"),
        (GAP, 3, "a"),
        (GAP, 4, None),
        (GAP, 6, "b"),
        (GAP, 30, "b"),
        (OLDER, 1, None),
        (OLDER, 3, "b"),
        (OLDER, 4, "a"),
        (OLDER, 8, "b"),
        (OVER, 3, "a"),
        (OVER, 9, None),
    ],
)
def test_the_value_in_force(spells, moment, expected):
    assert value_at(spells, day(moment)) == expected
