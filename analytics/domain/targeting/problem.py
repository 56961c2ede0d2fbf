"""Whom to contact with which option: the values, the caps, and what a choice uses of them.

A multiple-choice knapsack (Sinha and Zoltners 1979): at most one option a person. Everything that a
cap counts is a whole number (money in millionths of a yuan), so that "the cap holds" is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Choice: TypeAlias = npt.NDArray[np.int16]
MICRO = 1_000_000
NOBODY = -1


class CapKind(StrEnum):
    """What a cap limits."""

    AMOUNT = "amount"
    PEOPLE = "people"
    SHARE = "share"
    IMPACT_RATIO = "impact_ratio"


def micro(amount: float) -> int:
    """Return an amount in millionths, as caps count it."""
    return round(amount * MICRO)


@dataclass(frozen=True, slots=True)
class AmountCap:
    """At most so much of what is used in all, such as a budget.

    Attributes:
        use: Millionths a person (rows) and option (columns); never negative.
        cap: Millionths.
    """

    name: str
    use: Ints
    cap: int


@dataclass(frozen=True, slots=True)
class PeopleCap:
    """At most so many people by some of the options."""

    name: str
    options: tuple[int, ...]
    cap: int


@dataclass(frozen=True, slots=True)
class ShareCap:
    """People of one group are at most this share of everybody chosen."""

    name: str
    is_member: npt.NDArray[np.bool_]
    share: Fraction


@dataclass(frozen=True, slots=True)
class RatioFloor:
    """The lowest share of chosen people in a group is at least `ratio` times the highest.

    Attributes:
        codes: The group of each person; negative where it is unknown, or too small to be judged.
        sizes: People of each group in the population that is compared.
    """

    name: str
    codes: npt.NDArray[np.int16]
    sizes: tuple[int, ...]
    ratio: Fraction


@dataclass(frozen=True, slots=True)
class ChoiceProblem:
    """Everything that decides.

    Attributes:
        ids: Of the people, rising; equal values are decided by them.
        value: Expected profit in CNY, people x options; minus infinity where nobody may choose.
    """

    ids: Ints
    value: Floats
    amounts: tuple[AmountCap, ...] = ()
    people: tuple[PeopleCap, ...] = ()
    shares: tuple[ShareCap, ...] = ()
    ratios: tuple[RatioFloor, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be decided.

        Raises:
            ValueError: Shapes differ, ids do not rise, or a use or a cap is negative.
        """
        if self.value.ndim != 2 or len(self.ids) != len(self.value):
            msg = "one row of values a person is needed"
            raise ValueError(msg)
        if len(self.ids) > 1 and not (np.diff(self.ids) > 0).all():
            msg = "ids must rise"
            raise ValueError(msg)
        for cap in self.amounts:
            if cap.cap < 0 or cap.use.shape != self.value.shape or cap.use.min(initial=0) < 0:
                msg = f"the cap {cap.name} is negative or does not fit"
                raise ValueError(msg)
        if any(cap.cap < 0 for cap in self.people):
            msg = "a cap is negative"
            raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of people and of options."""
        return self.value.shape[0], self.value.shape[1]

    def part(self, rows: Ints) -> "ChoiceProblem":
        """Return the problem of some of the people, with caps in proportion."""
        share = len(rows) / max(len(self.ids), 1)
        return ChoiceProblem(
            ids=self.ids[rows],
            value=self.value[rows],
            amounts=tuple(AmountCap(c.name, c.use[rows], int(c.cap * share)) for c in self.amounts),
            people=tuple(PeopleCap(c.name, c.options, int(c.cap * share)) for c in self.people),
            shares=tuple(ShareCap(c.name, c.is_member[rows], c.share) for c in self.shares),
            ratios=tuple(
                RatioFloor(
                    c.name, c.codes[rows], tuple(max(1, round(s * share)) for s in c.sizes), c.ratio
                )
                for c in self.ratios
            ),
        )


@dataclass(frozen=True, slots=True)
class CapUse:
    """What a choice uses of one cap.

    Attributes:
        used: Millionths, people, or a share; an impact ratio for a floor (None: nobody is chosen).
        limit: In the same unit.
    """

    name: str
    kind: CapKind
    used: float | None
    limit: float
    holds: bool


def profit_of(value: Floats, choice: Choice) -> float:
    """Return the sum of the values of what was chosen, in CNY."""
    rows = np.flatnonzero(choice >= 0)
    return float(value[rows, choice[rows]].sum())


def used_amount(use: Ints, choice: Choice) -> int:
    """Return what a choice uses, in millionths."""
    rows = np.flatnonzero(choice >= 0)
    return int(use[rows, choice[rows]].sum())


def counts_by_group(codes: npt.NDArray[np.int16], choice: Choice, groups: int) -> list[int]:
    """Return how many people of each group were chosen."""
    chosen = codes[(choice >= 0) & (codes >= 0)]
    return [int(count) for count in np.bincount(chosen, minlength=groups)]


def ratio_holds(counts: Sequence[int], sizes: Sequence[int], ratio: Fraction) -> bool:
    """Return whether the lowest share is at least `ratio` times the highest; exact."""
    shares = [Fraction(c, s) for c, s in zip(counts, sizes, strict=True) if s]
    return not shares or min(shares) >= ratio * max(shares)


def caps_used(problem: ChoiceProblem, choice: Choice) -> list[CapUse]:
    """Return what a choice uses of every cap, and whether each holds: whole numbers throughout."""
    found: list[CapUse] = []
    for amount in problem.amounts:
        spent = used_amount(amount.use, choice)
        found.append(
            CapUse(amount.name, CapKind.AMOUNT, spent, amount.cap, holds=spent <= amount.cap)
        )
    for people in problem.people:
        count = int(np.isin(choice, people.options).sum())
        found.append(
            CapUse(people.name, CapKind.PEOPLE, count, people.cap, holds=count <= people.cap)
        )
    total = int((choice >= 0).sum())
    for share in problem.shares:
        count = int(((choice >= 0) & share.is_member).sum())
        found.append(
            CapUse(
                share.name,
                CapKind.SHARE,
                count / total if total else None,
                float(share.share),
                holds=count <= share.share * total,
            )
        )
    for floor in problem.ratios:
        counts = counts_by_group(floor.codes, choice, len(floor.sizes))
        shares = [c / s for c, s in zip(counts, floor.sizes, strict=True) if s]
        highest = max(shares, default=0.0)
        found.append(
            CapUse(
                floor.name,
                CapKind.IMPACT_RATIO,
                min(shares) / highest if highest else None,
                float(floor.ratio),
                holds=ratio_holds(counts, floor.sizes, floor.ratio),
            )
        )
    return found
