"""Whom a new score or cut-off lets in and whom it keeps out, and what that is expected to earn."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class SwapGroup(StrEnum):
    """What becomes of an applicant under the old and the new rule."""

    KEPT_IN = "kept_in"
    SWAPPED_IN = "swapped_in"
    SWAPPED_OUT = "swapped_out"
    KEPT_OUT = "kept_out"


@dataclass(frozen=True, slots=True)
class SwapApplicant:
    """One applicant under both rules.

    Attributes:
        old_chance: Chance of default by the score in use.
        new_chance: Chance of default by the new score; losses are reckoned with it for everybody.
        exposure_amount: What would be lent, in CNY.
        margin_amount: What the loan earns if it is paid back, in CNY.
        is_bad: Whether a loan that was made defaulted; None where it was not made or is young.
    """

    old_chance: float
    new_chance: float
    exposure_amount: float
    margin_amount: float
    is_bad: bool | None = None


@dataclass(frozen=True, slots=True)
class SwapLine:
    """One group: how many, what they are expected to bring and to lose, in CNY.

    Attributes:
        profit_amount: Σ margin × (1 − PD) − PD × LGD × exposure.
        known_count: Applicants with a known outcome; `bad_count` of them defaulted.
    """

    group: SwapGroup
    count: int
    exposure_amount: float
    profit_amount: float
    loss_amount: float
    known_count: int
    bad_count: int


@dataclass(frozen=True, slots=True)
class SwapSet:
    """All four groups, and what the change brings: the swapped in less the swapped out."""

    lines: tuple[SwapLine, ...]

    def line(self, group: SwapGroup) -> SwapLine:
        """Return the line of a group."""
        return next(line for line in self.lines if line.group is group)

    @property
    def profit_change(self) -> float:
        """Return the expected profit of who comes in less that of who goes out."""
        lines = (self.line(SwapGroup.SWAPPED_IN), self.line(SwapGroup.SWAPPED_OUT))
        return lines[0].profit_amount - lines[1].profit_amount

    @property
    def loss_change(self) -> float:
        """Return the expected loss of who comes in less that of who goes out."""
        lines = (self.line(SwapGroup.SWAPPED_IN), self.line(SwapGroup.SWAPPED_OUT))
        return lines[0].loss_amount - lines[1].loss_amount


def swap_set(
    applicants: Iterable[SwapApplicant],
    *,
    old_cut_off: float,
    new_cut_off: float,
    loss_given_default: float,
) -> SwapSet:
    """Return the swap set of two rules; an applicant is accepted up to and with the cut-off."""
    return swap_of(
        ((one.old_chance <= old_cut_off, one.new_chance <= new_cut_off, one) for one in applicants),
        loss_given_default=loss_given_default,
    )


def swap_of(
    judged: Iterable[tuple[bool, bool, SwapApplicant]], *, loss_given_default: float
) -> SwapSet:
    """Return the swap set of (accepted before, accepted now, applicant), whatever accepted them."""
    groups: dict[SwapGroup, list[SwapApplicant]] = {group: [] for group in SwapGroup}
    for was_in, is_in, one in judged:
        groups[_group(was_in=was_in, is_in=is_in)].append(one)
    return SwapSet(
        tuple(_line(group, members, loss_given_default) for group, members in groups.items())
    )


def _group(*, was_in: bool, is_in: bool) -> SwapGroup:
    if was_in:
        return SwapGroup.KEPT_IN if is_in else SwapGroup.SWAPPED_OUT
    return SwapGroup.SWAPPED_IN if is_in else SwapGroup.KEPT_OUT


def _line(group: SwapGroup, members: list[SwapApplicant], lgd: float) -> SwapLine:
    losses = [one.new_chance * lgd * one.exposure_amount for one in members]
    earned = [one.margin_amount * (1 - one.new_chance) for one in members]
    known = [one.is_bad for one in members if one.is_bad is not None]
    return SwapLine(
        group=group,
        count=len(members),
        exposure_amount=sum(one.exposure_amount for one in members),
        profit_amount=sum(earned) - sum(losses),
        loss_amount=sum(losses),
        known_count=len(known),
        bad_count=sum(known),
    )
