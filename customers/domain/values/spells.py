"""A value over time: spells that are over, then what is in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
# Of the person's own columns, those that models learn from; no other has a history.
PROFILE_COLUMNS: Final = ("occupation", "education", "income_band")


@dataclass(frozen=True, slots=True)
class Spell(Generic[Value]):
    """A value with the time from which it held, and until before which; None is still in force."""

    value: Value
    began: datetime
    ended: datetime | None = None


def value_at(spells: Iterable[Spell[Value]], moment: datetime) -> Value | None:
    """Return the value in force at a moment; None before the first, and in a gap.

    Args:
        spells: Those that are over in the order in which they were written down; the one in force
            last, if there is any. What is over goes before what is in force: a value that was
            written with an older time (by a merge, or a writer who named none) replaced the one
            before it only when that one's spell ended.
    """
    for spell in spells:
        if spell.began <= moment and (spell.ended is None or moment < spell.ended):
            return spell.value
    return None
