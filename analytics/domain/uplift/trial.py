"""A campaign with a group held out by chance: who was treated, what came of it, and the facts."""

from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, rows_of

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
# A column that differs between groups drawn by chance does so by chance this often, over all
# columns.
IMBALANCE_P = 0.001


class TrialTooSmallError(ValueError):
    """A group lacks people with or without the outcome."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One row a person: facts known before the treatment, the treatment and the outcome.

    Attributes:
        table: The facts; its ids break ties between equal scores.
        treated: Who was treated; the others were held out by chance.
        outcome: Who did what was hoped for.
    """

    table: FeatureTable
    treated: Flags
    outcome: Flags

    @property
    def treated_share(self) -> float:
        """Return the share of the treated."""
        return float(self.treated.mean())

    @property
    def cells(self) -> Rows:
        """Return of everybody which of the four cells of treatment and outcome they are in."""
        return 2 * self.treated.astype(np.int64) + self.outcome

    def rows(self, chosen: Rows | Flags) -> "Trial":
        """Return some of the people."""
        return Trial(rows_of(self.table, chosen), self.treated[chosen], self.outcome[chosen])

    def without(self, names: set[str]) -> "Trial":
        """Return the trial without some columns."""
        kept = [at for at, name in enumerate(self.table.names) if name not in names]
        table = replace(
            self.table,
            names=tuple(self.table.names[at] for at in kept),
            values=self.table.values[:, kept],
        )
        return replace(self, table=table)


def split(trial: Trial, *, test_share: float, seed: int) -> tuple[Trial, Trial]:
    """Return a part to learn from and a part to measure on, alike in treatment and outcome.

    Args:
        test_share: Share of every (treated, outcome) cell that is measured on.
        seed: Of the draw; the same trial and seed give the same parts.

    Raises:
        TrialTooSmallError: A cell has fewer than two people, so that one part would lack it.
    """
    learned, tested = split_rows(trial, test_share=test_share, seed=seed)
    return trial.rows(learned), trial.rows(tested)


def split_rows(trial: Trial, *, test_share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the positions of both parts of `split`, ascending.

    Raises:
        TrialTooSmallError: A cell has fewer than two people, so that one part would lack it.
    """
    rng = np.random.default_rng(seed)
    is_test = np.zeros(len(trial.treated), dtype=bool)
    for treated in (False, True):
        for outcome in (False, True):
            cell = np.flatnonzero((trial.treated == treated) & (trial.outcome == outcome))
            count = min(max(round(test_share * cell.size), 1), cell.size - 1)
            if cell.size < 2:
                raise TrialTooSmallError
            is_test[rng.permutation(cell)[:count]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def unbalanced(trial: Trial) -> dict[str, float]:
    """Return {column: z} of those that differ between the groups more than chance explains.

    Such a column was shaped by the treatment, or the groups were not drawn by chance; it is no fact
    that was known before. Welch's z of every number (and of every word's share, and of what is
    unknown) at p < .001 over all comparisons (Bonferroni).
    """
    found: dict[str, float] = {}
    tests: dict[str, list[float]] = {}
    for at, name in enumerate(trial.table.names):
        column = trial.table.values[:, at]
        unknown = np.isnan(column)
        compared = [unknown.astype(np.float64)]
        if name in trial.table.words:
            compared += [(column == code) * 1.0 for code in range(len(trial.table.words[name]))]
        elif not unknown.all():
            compared.append(np.where(unknown, np.nanmean(column), column))
        tests[name] = [_welch(values, trial.treated) for values in compared]
    count = sum(map(len, tests.values()))
    limit = NormalDist().inv_cdf(1 - IMBALANCE_P / 2 / max(count, 1))
    for name, values in tests.items():
        most = max(values, key=abs)
        if abs(most) > limit:
            found[name] = most
    return found


def _welch(values: npt.NDArray[np.float64], treated: Flags) -> float:
    groups = [values[treated], values[~treated]]
    if min(group.size for group in groups) < 2:
        return 0.0
    error = sqrt(sum(float(group.var(ddof=1)) / group.size for group in groups))
    difference = float(groups[0].mean() - groups[1].mean())
    if error == 0.0:
        return 0.0 if difference == 0.0 else float(np.copysign(1e9, difference))
    return difference / error
