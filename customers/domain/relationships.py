"""How customers are tied to each other: kinds of ties, and the picture of two hops around one.

Ties serve risk and fraud checks only (see docs/relationships.md); nothing here may choose whom to
market to.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import cos, pi, sin

# Something that more people share says nothing about any two of them: a company's switchboard, the
# address of a dormitory. It is shown as a number and never followed.
HUB_SIZE = 50
# Source of what is derived from ties.
GRAPH_SOURCE = "relationships"
# As many people as a picture can show apart from each other.
MOST_FIRST = 24
MOST_SECOND = 48
_FIRST_RADIUS = 165.0
_SECOND_RADIUS = 310.0


class SharedKind(StrEnum):
    """What several customers may have in common."""

    PHONE = "phone"
    ADDRESS = "address"
    EMPLOYER = "employer"
    DEVICE = "device"
    HOUSEHOLD = "household"


class RelationKind(StrEnum):
    """How one customer stands to another one that its record names."""

    REFERRAL = "referral"
    GUARANTOR = "guarantor"


class RiskPurpose(StrEnum):
    """What somebody may look at ties for."""

    FRAUD_CHECK = "fraud_check"
    CREDIT_RISK = "credit_risk"


# Contact points that tie whoever has the same one. E-mail addresses are not needed for it.
CONTACT_TIES: Mapping[str, SharedKind] = {
    "phone": SharedKind.PHONE,
    "postal": SharedKind.ADDRESS,
}
# Text attributes that tie whoever has the same value.
ATTRIBUTE_TIES: Mapping[str, SharedKind] = {
    "address": SharedKind.ADDRESS,
    "employer": SharedKind.EMPLOYER,
    "device_id": SharedKind.DEVICE,
    "household_id": SharedKind.HOUSEHOLD,
}
# Text attributes that hold another customer's id at the same source.
ATTRIBUTE_RELATIONS: Mapping[str, RelationKind] = {
    "referred_by": RelationKind.REFERRAL,
    "guaranteed_by": RelationKind.GUARANTOR,
}


def normal_form(text: str) -> str:
    """Return a value without differences of width, case and blanks."""
    while True:
        folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        # Normalising after folding can leave something to fold.
        if folded == text:
            return folded
        text = folded


@dataclass(frozen=True, slots=True)
class Link:
    """One tie between two people; `kinds` are values of SharedKind or RelationKind."""

    one: int
    other: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiagramPosition:
    """Where a person stands in the picture, the middle being 0, 0; `hop` is 0, 1 or 2."""

    customer_id: int
    hop: int
    x: float
    y: float


def joined(ties: Sequence[tuple[int, int, str]]) -> list[Link]:
    """Return one link for every two people, with all kinds of ties between them."""
    kinds: dict[tuple[int, int], set[str]] = {}
    for one, other, kind in ties:
        if one != other:
            kinds.setdefault((min(one, other), max(one, other)), set()).add(kind)
    return [Link(*pair, tuple(sorted(found))) for pair, found in sorted(kinds.items())]


def neighbours(center: int, links: Sequence[Link]) -> list[int]:
    """Return whom a person is tied to, those with most kinds of ties first."""
    found = {
        (link.other if link.one == center else link.one): len(link.kinds)
        for link in links
        if center in {link.one, link.other}
    }
    return sorted(found, key=lambda person: (-found[person], person))


def places(center: int, first: Sequence[int], links: Sequence[Link]) -> list[DiagramPosition]:
    """Return where everybody stands: the neighbours on a ring, theirs on a wider one beside them.

    Args:
        first: Neighbours of the person in the middle, in the order of the ring.
        links: All ties of the picture; people further away than two hops are left out.
    """
    ring = {person: position for position, person in enumerate(first)}
    found = [DiagramPosition(center, 0, 0.0, 0.0)]
    found += [
        _placed(person, 1, position / max(len(first), 1), _FIRST_RADIUS)
        for person, position in ring.items()
    ]
    behind: dict[int, int] = {}
    for link in links:
        for near, far in ((link.one, link.other), (link.other, link.one)):
            if near in ring and far not in ring and far != center:
                behind[far] = min(behind.get(far, ring[near]), ring[near])
    second = sorted(behind, key=lambda person: (behind[person], person))[:MOST_SECOND]
    found += [
        _placed(person, 2, position / len(second), _SECOND_RADIUS)
        for position, person in enumerate(second)
    ]
    return found


def _placed(person: int, hop: int, share: float, radius: float) -> DiagramPosition:
    angle = 2 * pi * share - pi / 2
    return DiagramPosition(
        person, hop, round(radius * cos(angle), 1), round(radius * sin(angle), 1)
    )


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What the graph says about one customer, as features for risk.

    Attributes:
        degree: People tied to the customer, hubs apart.
        shared_device_count: Other people seen on a device of the customer, hubs included.
        neighbour_default_rate: Share of the tied people with a loan who ever defaulted; None
            without any such people.
    """

    degree: int
    shared_device_count: int
    neighbour_default_rate: float | None


def neighbourhood(
    tied: Sequence[int], has_defaulted: Mapping[int, bool], *, shared_device_count: int
) -> Neighbourhood:
    """Return the features of a customer.

    Args:
        tied: Everybody tied to the customer, the customer apart.
        has_defaulted: Whether they ever did, for those of them who had a loan.
    """
    people = set(tied)
    borrowers = [has_defaulted[person] for person in people if person in has_defaulted]
    rate = sum(borrowers) / len(borrowers) if borrowers else None
    return Neighbourhood(len(people), shared_device_count, rate)
