"""Which records are one person: deterministic rules over exact keys.

Records are compared by fingerprints only. Two different valid national ids never become one person,
whatever else agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Final

# A number or address that more records share is a call centre's or a placeholder, not a person's.
MAX_SHARED: Final = 50


class MatchKey(StrEnum):
    """What two records share, strongest first."""

    EXTERNAL_ID = "external_id"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"


# Two records that share no key but are alike in many points are merged for this.
LIKENESS: Final = "likeness"
STRONG_KEYS: Final = frozenset({MatchKey.EXTERNAL_ID, MatchKey.NATIONAL_ID})


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a record is compared by; texts are fingerprints, empty where nothing is known."""

    national_id: str = ""
    name: str = ""
    birth_date: date | None = field(default=None, repr=False)
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()

    @property
    def is_bare(self) -> bool:
        """Return whether only contacts are known, so that nothing can contradict them."""
        return not self.name and self.birth_date is None and not self.national_id


def is_same_person(one: Likeness, other: Likeness, key: MatchKey) -> bool:
    """Return whether two records that share a key are one person.

    An equal id of the same source or an equal national id decides. An equal phone needs that
    nothing contradicts it and that name, birth date or e-mail agrees too; an equal e-mail needs the
    name. Where one of the records consists of contacts only, the shared contact decides.
    """
    if _differ(one.national_id, other.national_id):
        return False
    if key in STRONG_KEYS:
        return True
    if _differ(one.name, other.name) or _differ(one.birth_date, other.birth_date):
        return False
    is_bare = one.is_bare or other.is_bare
    same_name = bool(one.name) and one.name == other.name
    if key is MatchKey.EMAIL:
        return same_name or (is_bare and not (one.phones and other.phones))
    same_birth = one.birth_date is not None and one.birth_date == other.birth_date
    return same_name or same_birth or bool(one.emails & other.emails) or is_bare


class Clusters:
    """Sets of records that are one person; a set never holds two national ids."""

    def __init__(self) -> None:
        """Start with every record on its own."""
        self._parents: dict[int, int] = {}
        self._national_ids: dict[int, str] = {}

    def add(self, member: int, national_id: str) -> None:
        """Make a record known; adding it again changes nothing."""
        if member not in self._parents:
            self._parents[member] = member
            self._national_ids[member] = national_id

    def leader(self, member: int) -> int:
        """Return the smallest member of the record's set."""
        root = member
        while self._parents[root] != root:
            root = self._parents[root]
        while self._parents[member] != root:
            self._parents[member], member = root, self._parents[member]
        return root

    def join(self, one: int, other: int) -> bool:
        """Put two records' sets together; return whether they are together afterwards."""
        first, second = sorted((self.leader(one), self.leader(other)))
        if first == second:
            return True
        if _differ(self._national_ids[first], self._national_ids[second]):
            return False
        self._parents[second] = first
        self._national_ids[first] = self._national_ids[first] or self._national_ids[second]
        return True

    def followers(self) -> dict[int, int]:
        """Return {record: leader} of all records that do not lead their set."""
        leaders = {member: self.leader(member) for member in self._parents}
        return {member: leader for member, leader in leaders.items() if member != leader}


def cluster(
    groups: Iterable[tuple[MatchKey, Sequence[int]]], records: Mapping[int, Likeness]
) -> dict[int, int]:
    """Return {record: leader} for the records that are somebody else's second record.

    Args:
        groups: Records that share one value of a key, strongest keys first; the result then does
            not depend on the order of the rest.
        records: The likeness of every record in the groups.
    """
    clusters = Clusters()
    for record, likeness in records.items():
        clusters.add(record, likeness.national_id)
    for key, members in groups:
        ordered = sorted(members)
        if key in STRONG_KEYS:
            for one, other in pairwise(ordered):
                clusters.join(one, other) or clusters.join(ordered[0], other)
        elif len(ordered) <= MAX_SHARED:
            for one, other in combinations(ordered, 2):
                if is_same_person(records[one], records[other], key):
                    clusters.join(one, other)
    return clusters.followers()


def _differ(one: object, other: object) -> bool:
    return bool(one) and bool(other) and one != other
