"""Comparison levels a role, and the keys by which candidate pairs are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from customers.domain.linkage.records import ColumnRole, LinkageRecord
from customers.domain.linkage.similarity import edits, jaro_winkler

UNKNOWN: Final = -1
# Level 0 is equal, the last level is different.
LEVELS: Final = 5
# A value that more records share is a placeholder or a crowd: it finds no candidates.
MAX_BLOCK: Final = 60
_OTHER_NAME: Final = {
    ColumnRole.GIVEN_NAME: ColumnRole.SURNAME,
    ColumnRole.SURNAME: ColumnRole.GIVEN_NAME,
}
_NAMES: Final = frozenset({ColumnRole.NAME, ColumnRole.GIVEN_NAME, ColumnRole.SURNAME})
_NUMBERS: Final = frozenset(
    {
        ColumnRole.NATIONAL_ID,
        ColumnRole.PHONE,
        ColumnRole.POSTCODE,
        ColumnRole.STREET_NUMBER,
        ColumnRole.BIRTH_DATE,
    }
)
Key = tuple[ColumnRole, ...]
_Part = Callable[[str], str]


def level(role: ColumnRole, one: LinkageRecord, other: LinkageRecord) -> int:
    """Return how well two records agree in a role: 0 equal, 4 different, -1 not comparable.

    Names: 1 given and family name exchanged, 2 and 3 alike. Numbers and dates: 1, 2 and 3 edits
    (a swap of neighbours is one). Other texts: 1, 2 and 3 by falling likeness.
    """
    left, right = one.get(role), other.get(role)
    if not left or not right:
        return UNKNOWN
    if left == right:
        return 0
    if role in _NUMBERS:
        return min(edits(left, right), LEVELS - 1)
    if role in _NAMES:
        return _name_level(role, one, other)
    return _text_level(left, right)


def _name_level(role: ColumnRole, one: LinkageRecord, other: LinkageRecord) -> int:
    counterpart = _OTHER_NAME.get(role)
    left, right = one.get(role), other.get(role)
    if counterpart and (left == other.get(counterpart) or right == one.get(counterpart)):
        return 1
    likeness = jaro_winkler(left, right)
    return 2 if likeness >= 0.9 else 3 if likeness >= 0.78 else 4


def _text_level(left: str, right: str) -> int:
    if edits(left, right) == 1:
        return 1
    likeness = jaro_winkler(left, right)
    return 2 if likeness >= 0.92 else 3 if likeness >= 0.82 else 4


def _head(count: int) -> _Part:
    return lambda text: text[:count]


def _whole(text: str) -> str:
    return text


def _sorted_letters(text: str) -> str:
    return "".join(sorted(text))


def _local_part(text: str) -> str:
    return text.partition("@")[0]


_KEYS: Final[Sequence[tuple[tuple[ColumnRole, _Part], ...]]] = (
    ((ColumnRole.NATIONAL_ID, _whole),),
    ((ColumnRole.PHONE, _whole),),
    ((ColumnRole.EMAIL, _whole),),
    ((ColumnRole.EMAIL, _local_part),),
    ((ColumnRole.BIRTH_DATE, _whole),),
    ((ColumnRole.BIRTH_DATE, _sorted_letters), (ColumnRole.CITY, _head(3))),
    ((ColumnRole.NAME, _whole),),
    ((ColumnRole.GIVEN_NAME, _whole), (ColumnRole.SURNAME, _whole)),
    ((ColumnRole.SURNAME, _whole), (ColumnRole.POSTCODE, _whole)),
    ((ColumnRole.GIVEN_NAME, _whole), (ColumnRole.POSTCODE, _whole)),
    ((ColumnRole.SURNAME, _whole), (ColumnRole.CITY, _whole)),
    ((ColumnRole.GIVEN_NAME, _whole), (ColumnRole.CITY, _whole)),
    ((ColumnRole.SURNAME, _head(3)), (ColumnRole.BIRTH_DATE, _head(4))),
    ((ColumnRole.GIVEN_NAME, _head(3)), (ColumnRole.BIRTH_DATE, _head(4))),
    ((ColumnRole.POSTCODE, _whole), (ColumnRole.STREET_NUMBER, _whole)),
    ((ColumnRole.STREET, _whole), (ColumnRole.STREET_NUMBER, _whole)),
    ((ColumnRole.STREET, _head(5)), (ColumnRole.CITY, _head(4))),
)
# Given and family name exchanged: both orders meet under the sorted pair.
_NAME_PAIR: Final = (ColumnRole.GIVEN_NAME, ColumnRole.SURNAME)
KEYS: Final[Sequence[Key]] = (*(tuple(role for role, _ in parts) for parts in _KEYS), _NAME_PAIR)


def key_values(person: LinkageRecord) -> list[tuple[str, ...]]:
    """Return the record's value of every key in `KEYS`, empty where a part of it is not known."""
    found = [tuple(part(person.get(role)) for role, part in parts) for parts in _KEYS]
    found.append(tuple(sorted(person.get(role) for role in _NAME_PAIR)))
    return [value if all(value) else () for value in found]


def blocks(people: Sequence[LinkageRecord]) -> Iterator[tuple[Key, list[tuple[int, int]]]]:
    """Yield, a blocking key, the pairs of positions that share its value."""
    groups: list[defaultdict[tuple[str, ...], list[int]]] = [defaultdict(list) for _ in KEYS]
    for position, person in enumerate(people):
        for number, value in enumerate(key_values(person)):
            if value:
                groups[number][value].append(position)
    for number, roles in enumerate(KEYS):
        yield roles, _pairs(groups[number])


def _pairs(groups: Mapping[tuple[str, ...], list[int]]) -> list[tuple[int, int]]:
    return [
        pair
        for members in groups.values()
        if 1 < len(members) <= MAX_BLOCK
        for pair in combinations(members, 2)
    ]
