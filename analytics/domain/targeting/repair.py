"""From prices to a choice that keeps every cap, and the same filling for any other ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analytics.domain.targeting.prices import PricedPeople, Prices
from analytics.domain.targeting.problem import (
    NOBODY,
    Choice,
    ChoiceProblem,
    Floats,
    Ints,
    counts_by_group,
    ratio_holds,
    used_amount,
)

_BLOCK = 20_000
_TRIES = 40
_ROUNDS = 12
_STRICTER = 1 + 1e-12


@dataclass(slots=True)
class Ledger:
    """A choice and what it uses of every cap, kept together in whole numbers."""

    problem: ChoiceProblem
    choice: Choice
    spent: list[int] = field(init=False)
    people: list[int] = field(init=False)
    members: list[int] = field(init=False)
    groups: list[list[int]] = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        """Count what the choice uses."""
        self.count()

    def count(self) -> None:
        """Count anew."""
        problem, choice = self.problem, self.choice
        self.total = int((choice >= 0).sum())
        self.spent = [used_amount(cap.use, choice) for cap in problem.amounts]
        self.people = [int(np.isin(choice, cap.options).sum()) for cap in problem.people]
        self.members = [int(((choice >= 0) & c.is_member).sum()) for c in problem.shares]
        self.groups = [counts_by_group(c.codes, choice, len(c.sizes)) for c in problem.ratios]


def repaired(layout: Prices, prices: Floats, taken: PricedPeople) -> Choice:
    """Return a choice near the one at these prices that keeps every cap.

    What is too much is taken away where it is worth least beyond its price; what is left of the
    caps then goes to whoever gains most. Equal ones: the lower id first.
    """
    choice = np.where(taken.reduced > 0, taken.option, NOBODY).astype(np.int16)
    ledger = Ledger(layout.problem, choice)
    shrink(ledger, taken.reduced)
    for _round in range(_ROUNDS):
        if not _improve(ledger, layout, prices):
            break
    return ledger.choice


def shrink(ledger: Ledger, worth: Floats) -> None:
    """Take people out, the least worth first, until every cap holds."""
    problem = ledger.problem
    for amount, spent in zip(problem.amounts, ledger.spent, strict=True):
        if spent > amount.cap:
            _take_back_amount(ledger, amount.use, amount.cap, worth)
    for cap in problem.people:
        rows = np.flatnonzero(np.isin(ledger.choice, cap.options))
        if len(rows) > cap.cap:
            _drop(ledger, _least(rows, worth[rows])[: len(rows) - cap.cap])
    ledger.count()
    while not _is_fair(ledger):
        _make_fair(ledger, worth)
        ledger.count()


def fill_in_order(ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]) -> int:
    """Give people, in this order, their option as far as the caps allow; return how many got it.

    Who does not fit is passed over; whoever has an option already changes to the new one.
    """
    given = 0
    for start in range(0, len(rows), _BLOCK):
        block, wanted = rows[start : start + _BLOCK], options[start : start + _BLOCK]
        for _try in range(_TRIES):
            fits = _fits_alone(ledger, block, wanted)
            block, wanted = block[fits], wanted[fits]
            if not len(block):
                break
            last = _longest(ledger, block, wanted)
            if last == 0:
                # Only fairness is in the way of all who fit: pass over whose group is full.
                fair = _is_group_open(ledger, block)
                if fair.all() or not fair.any():
                    break
                block, wanted = block[fair], wanted[fair]
                continue
            _give(ledger, block[:last], wanted[:last])
            given += last
            block, wanted = block[last:], wanted[last:]
    return given


def _improve(ledger: Ledger, layout: Prices, prices: Floats) -> int:
    """Use what is left of the caps: newcomers and better options, the largest gain first."""
    problem = ledger.problem
    n, _m = problem.shape
    gains, options = np.full(n, -np.inf), np.zeros(n, dtype=np.int16)
    open_options = _open(ledger)
    for start in range(0, n, 100_000):
        rows = slice(start, min(n, start + 100_000))
        current = ledger.choice[rows]
        reduced = layout.reduced(prices, rows)
        at = np.arange(len(current))
        is_in = current >= 0
        kept = np.where(is_in, problem.value[rows][at, current], 0.0)
        kept_reduced = np.where(is_in, reduced[at, current], 0.0)
        may = (problem.value[rows] > kept[:, None]) & open_options[None, :]
        for k, amount in enumerate(problem.amounts):
            held = np.where(is_in, amount.use[rows][at, current], 0)
            may &= amount.use[rows] - held[:, None] <= amount.cap - ledger.spent[k]
        gain = np.where(may, reduced - kept_reduced[:, None], -np.inf)
        best = gain.argmax(axis=1)
        options[rows], gains[rows] = best, gain[at, best]
    order = np.flatnonzero(np.isfinite(gains))
    order = order[np.argsort(-gains[order], kind="stable")]
    return fill_in_order(ledger, order, options[order])


def _open(ledger: Ledger) -> npt.NDArray[np.bool_]:
    found = np.ones(ledger.problem.shape[1], dtype=bool)
    for cap, used in zip(ledger.problem.people, ledger.people, strict=True):
        # All options of it being full, a change between them is still possible.
        if used >= cap.cap and len(cap.options) < len(found):
            found[list(cap.options)] = False
    return found


def _least(rows: Ints, worth: Floats) -> Ints:
    """Return rows, the least worth first, of equal ones the higher id first."""
    return rows[::-1][np.argsort(worth[::-1], kind="stable")]


def _drop(ledger: Ledger, rows: Ints) -> None:
    ledger.choice[rows] = NOBODY


def _take_back_amount(ledger: Ledger, use: Ints, cap: int, worth: Floats) -> None:
    rows = np.flatnonzero(ledger.choice >= 0)
    used = use[rows, ledger.choice[rows]]
    rows, used = rows[used > 0], used[used > 0]
    order = len(rows) - 1 - np.argsort((worth[rows] / used)[::-1], kind="stable")
    rows, used = rows[order], used[order]
    over = used_amount(use, ledger.choice) - cap
    if over > 0:
        _drop(ledger, rows[: int(np.searchsorted(np.cumsum(used), over)) + 1])


def _is_fair(ledger: Ledger) -> bool:
    problem = ledger.problem
    return all(
        count <= cap.share * ledger.total
        for cap, count in zip(problem.shares, ledger.members, strict=True)
    ) and all(
        ratio_holds(counts, cap.sizes, cap.ratio)
        for cap, counts in zip(problem.ratios, ledger.groups, strict=True)
    )


def _make_fair(ledger: Ledger, worth: Floats) -> None:
    """Take people out of the groups that have too many, once for every cap."""
    problem, choice = ledger.problem, ledger.choice
    for share in problem.shares:
        rows = np.flatnonzero((choice >= 0) & share.is_member)
        others = int((choice >= 0).sum()) - len(rows)
        rest = 1 - share.share
        allowed = len(rows) if rest <= 0 else int(share.share * others / rest)
        if len(rows) > allowed:
            _drop(ledger, _least(rows, worth[rows])[: len(rows) - allowed])
    for floor in problem.ratios:
        counts = counts_by_group(floor.codes, choice, len(floor.sizes))
        if not floor.ratio or ratio_holds(counts, floor.sizes, floor.ratio):
            continue
        low, size = min(
            ((c, s) for c, s in zip(counts, floor.sizes, strict=True) if s),
            key=lambda pair: pair[0] / pair[1],
        )
        for group, (count, members) in enumerate(zip(counts, floor.sizes, strict=True)):
            allowed = int(low * members / (size * floor.ratio))
            if count > allowed:
                rows = np.flatnonzero((choice >= 0) & (floor.codes == group))
                _drop(ledger, _least(rows, worth[rows])[: count - allowed])


def _fits_alone(
    ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]
) -> npt.NDArray[np.bool_]:
    problem, fits = ledger.problem, np.ones(len(rows), dtype=bool)
    for added, left in _amount_changes(ledger, rows, options):
        fits &= added <= left
    for added, left in _people_changes(ledger, rows, options):
        fits &= added <= left
    return fits & np.isfinite(problem.value[rows, options])


def _is_group_open(ledger: Ledger, rows: Ints) -> npt.NDArray[np.bool_]:
    """Return whose group may have one more, as things stand."""
    problem, found = ledger.problem, np.ones(len(rows), dtype=bool)
    for cap, count in zip(problem.shares, ledger.members, strict=True):
        if count + 1 > cap.share * (ledger.total + 1):
            found &= ~cap.is_member[rows]
    for floor, counts in zip(problem.ratios, ledger.groups, strict=True):
        for group in range(len(counts)):
            more = [count + (at == group) for at, count in enumerate(counts)]
            if not ratio_holds(more, floor.sizes, floor.ratio):
                found &= floor.codes[rows] != group
    return found


def _longest(ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]) -> int:
    """Return how many of them, from the first on, fit together: the longest run."""
    fits = np.ones(len(rows), dtype=bool)
    for added, left in _amount_changes(ledger, rows, options):
        fits &= np.cumsum(added) <= left
    for added, left in _people_changes(ledger, rows, options):
        fits &= np.cumsum(added) <= left
    problem = ledger.problem
    if problem.shares or problem.ratios:
        new = (ledger.choice[rows] < 0).astype(np.int64)
        total = ledger.total + np.cumsum(new)
        for cap, count in zip(problem.shares, ledger.members, strict=True):
            members = count + np.cumsum(new * cap.is_member[rows])
            fits &= members * cap.share.denominator <= total * cap.share.numerator
        for floor, counts in zip(problem.ratios, ledger.groups, strict=True):
            fits &= _ratio_fits(floor.codes[rows], floor.sizes, float(floor.ratio), counts, new)
    found = np.flatnonzero(fits)
    return int(found[-1]) + 1 if len(found) else 0


def _ratio_fits(
    codes: npt.NDArray[np.int16],
    sizes: Sequence[int],
    ratio: float,
    counts: Sequence[int],
    new: Ints,
) -> npt.NDArray[np.bool_]:
    low, high = np.full(len(codes), np.inf), np.full(len(codes), -np.inf)
    for group, size in enumerate(sizes):
        if not size:
            continue
        rate = (counts[group] + np.cumsum(new * (codes == group))) / size
        np.minimum(low, rate, out=low)
        np.maximum(high, rate, out=high)
    fits: npt.NDArray[np.bool_] = low >= ratio * high * _STRICTER
    return fits


def _amount_changes(
    ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]
) -> list[tuple[Ints, int]]:
    current = ledger.choice[rows]
    found = []
    for cap, spent in zip(ledger.problem.amounts, ledger.spent, strict=True):
        held = np.where(current >= 0, cap.use[rows, current], 0)
        found.append((cap.use[rows, options] - held, cap.cap - spent))
    return found


def _people_changes(
    ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]
) -> list[tuple[Ints, int]]:
    current = ledger.choice[rows]
    found = []
    for cap, used in zip(ledger.problem.people, ledger.people, strict=True):
        added = np.isin(options, cap.options).astype(np.int64)
        added -= np.isin(current, cap.options)
        found.append((added, cap.cap - used))
    return found


def _give(ledger: Ledger, rows: Ints, options: npt.NDArray[np.int16]) -> None:
    problem = ledger.problem
    for k, (added, _left) in enumerate(_amount_changes(ledger, rows, options)):
        ledger.spent[k] += int(added.sum())
    for k, (added, _left) in enumerate(_people_changes(ledger, rows, options)):
        ledger.people[k] += int(added.sum())
    is_new = ledger.choice[rows] < 0
    ledger.total += int(is_new.sum())
    for k, share in enumerate(problem.shares):
        ledger.members[k] += int((is_new & share.is_member[rows]).sum())
    for counts, floor in zip(ledger.groups, problem.ratios, strict=True):
        codes = floor.codes[rows][is_new]
        for group, count in enumerate(np.bincount(codes[codes >= 0], minlength=len(counts))):
            counts[group] += int(count)
    ledger.choice[rows] = options
