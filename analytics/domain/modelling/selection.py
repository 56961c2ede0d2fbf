"""Which features a scorecard is made of, and of every one why it is in or out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.binning import BinnedFeature
from analytics.domain.modelling.logistic import fit_logistic
from analytics.domain.modelling.stability import psi_of_counts

Floats = npt.NDArray[np.float64]


class SelectionReason(StrEnum):
    """Why a feature is in the model or out of it."""

    KEPT = "kept"
    EXCLUDED = "excluded"
    CONSTANT = "constant"
    IDENTIFIER = "identifier"
    LOW_INFORMATION = "low_information"
    CHANCE = "no_more_than_chance"
    UNSTABLE = "unstable_over_time"
    CORRELATED = "correlated"
    COLLINEAR = "collinear"
    PENALISED = "penalised_away"
    WRONG_SIGN = "wrong_sign"
    NO_SPLIT = "no_split"
    UNBALANCED = "unbalanced"


@dataclass(frozen=True, slots=True)
class SelectionEntry:
    """What was decided on one feature.

    Attributes:
        figure: What the decision rests on: information value, correlation, VIF, PSI, weight; None
            where it rests on no number.
        bound: What the figure was held against; None as above.
        other: The feature that says the same; empty where there is none.
        information: The information value of the feature's bins; None where it has none.
    """

    feature: str
    reason: SelectionReason
    figure: float | None = None
    bound: float | None = None
    other: str = ""
    information: float | None = None

    @property
    def is_chosen(self) -> bool:
        """Return whether the feature is in the model."""
        return self.reason is SelectionReason.KEPT

    def to_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {**asdict(self), "reason": self.reason.value}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "SelectionEntry":
        """Return the entry that wrote this."""
        return cls(**{**content, "reason": SelectionReason(content["reason"])})


@dataclass(frozen=True, slots=True)
class SelectionRules:
    """Bounds of the steps, in their order.

    Attributes:
        min_information: Least information value. Source: Siddiqi 2006, 6: below .02 not predictive.
        max_psi: Most that a feature's bins may move from the first half of the time to the second.
        max_correlation: Of weights of evidence, with a feature of more information.
        max_vif: Most variance inflation.
        l1: Penalty in standard errors that a feature without signal has; 0: none.
    """

    min_information: float = 0.02
    max_psi: float = 0.25
    max_correlation: float = 0.85
    max_vif: float = 10.0
    l1: float = 1.5


def select(
    features: Sequence[BinnedFeature],
    positions: Mapping[str, npt.NDArray[np.intp]],
    outcome: npt.NDArray[Any],
    *,
    rules: SelectionRules,
    is_late: npt.NDArray[np.bool_] | None = None,
    weight: Floats | None = None,
) -> list[SelectionEntry]:
    """Return an entry for every feature; those kept have weights of the right sign.

    Args:
        positions: Of each feature, the bin of each row.
        is_late: Which rows are in the second half of the time; None: time is not known.
    """
    log: dict[str, SelectionEntry] = {}
    candidates = []
    for feature in sorted(features, key=lambda each: (-each.information, each.name)):
        entry = _alone(feature, positions[feature.name], outcome, rules, is_late)
        if entry:
            log[feature.name] = entry
        else:
            candidates.append(feature)
    evidence = {each.name: each.woe[positions[each.name]] for each in candidates}
    information = {each.name: each.information for each in candidates}
    kept = _uncorrelated(information, evidence, rules, log)
    kept = _not_collinear(kept, information, evidence, rules, log)
    kept = _penalised(kept, information, evidence, outcome, rules, log, weight)
    kept = _of_right_sign(kept, information, evidence, outcome, log, weight)
    for name in kept:
        log[name] = SelectionEntry(
            name,
            SelectionReason.KEPT,
            information[name],
            rules.min_information,
            information=information[name],
        )
    return [log[feature.name] for feature in features]


def _alone(
    feature: BinnedFeature,
    at: npt.NDArray[np.intp],
    outcome: npt.NDArray[Any],
    rules: SelectionRules,
    is_late: npt.NDArray[np.bool_] | None,
) -> SelectionEntry | None:
    """Return why a feature is out for what it is by itself; None: it stays."""
    found, name = feature.information, feature.name
    if found < rules.min_information:
        reason = SelectionReason.LOW_INFORMATION
        return SelectionEntry(name, reason, found, rules.min_information, information=found)
    chance = expected_by_chance(feature, outcome)
    if found < chance:
        return SelectionEntry(name, SelectionReason.CHANCE, found, chance, information=found)
    if is_late is not None:
        count = len(feature.bins)
        early = np.bincount(at[~is_late], minlength=count).astype(np.float64)
        late = np.bincount(at[is_late], minlength=count).astype(np.float64)
        moved = psi_of_counts(early, late).value
        if moved > rules.max_psi:
            reason = SelectionReason.UNSTABLE
            return SelectionEntry(name, reason, moved, rules.max_psi, information=found)
    return None


def expected_by_chance(feature: BinnedFeature, outcome: npt.NDArray[Any]) -> float:
    """Return about the information that a feature without any signal would show, at its 95 % bound.

    Bins that are free to differ give (bins − 1)·(1/events + 1/non-events) on average, as chi-square
    does; a category is free in each of its words, since they were sorted by what they showed.
    """
    bads = float(np.sum(outcome))
    goods = len(outcome) - bads
    free = max(len(feature.groups) or len(feature.bins) - 1, 2) - 1
    # Wilson and Hilferty 1931: the 95 % bound of chi-square with `free` degrees of freedom.
    spread = 2 / (9 * free)
    return float(free * (1 - spread + 1.645 * spread**0.5) ** 3 * (1 / bads + 1 / goods))


def _uncorrelated(
    information: Mapping[str, float],
    evidence: Mapping[str, Floats],
    rules: SelectionRules,
    log: dict[str, SelectionEntry],
) -> list[str]:
    kept: list[str] = []
    for name in information:
        for other in kept:
            found = _correlation(evidence[name], evidence[other])
            if abs(found) > rules.max_correlation:
                log[name] = SelectionEntry(
                    name,
                    SelectionReason.CORRELATED,
                    found,
                    rules.max_correlation,
                    other,
                    information[name],
                )
                break
        else:
            kept.append(name)
    return kept


def _not_collinear(
    kept: list[str],
    information: Mapping[str, float],
    evidence: Mapping[str, Floats],
    rules: SelectionRules,
    log: dict[str, SelectionEntry],
) -> list[str]:
    names = list(kept)
    while len(names) > 1:
        matrix = np.corrcoef(np.column_stack([evidence[name] for name in names]), rowvar=False)
        inflation = np.diag(np.linalg.pinv(matrix))
        if inflation.max() <= rules.max_vif:
            break
        high = [name for name, found in zip(names, inflation, strict=True) if found > rules.max_vif]
        worst = min(high, key=lambda name: information[name])
        log[worst] = SelectionEntry(
            worst,
            SelectionReason.COLLINEAR,
            float(inflation[names.index(worst)]),
            rules.max_vif,
            information=information[worst],
        )
        names.remove(worst)
    return names


def _penalised(
    kept: list[str],
    information: Mapping[str, float],
    evidence: Mapping[str, Floats],
    outcome: npt.NDArray[Any],
    rules: SelectionRules,
    log: dict[str, SelectionEntry],
    weight: Floats | None,
) -> list[str]:
    if not kept or not rules.l1:
        return kept
    rows = np.column_stack([evidence[name] for name in kept])
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    rate = float(np.mean(outcome))
    l1 = rules.l1 * float(np.sqrt(len(rows) * rate * (1 - rate)))
    weights = fit_logistic(scaled, outcome, l1=l1, weight=weight).weights
    for name, found in zip(kept, weights, strict=True):
        if abs(found) < 1e-9:
            log[name] = SelectionEntry(
                name, SelectionReason.PENALISED, 0.0, l1, information=information[name]
            )
    return [name for name in kept if name not in log]


def _of_right_sign(
    kept: list[str],
    information: Mapping[str, float],
    evidence: Mapping[str, Floats],
    outcome: npt.NDArray[Any],
    log: dict[str, SelectionEntry],
    weight: Floats | None,
) -> list[str]:
    """Take out, worst first, what would take points from the better bin."""
    names = list(kept)
    while names:
        rows = np.column_stack([evidence[name] for name in names])
        weights = fit_logistic(rows, outcome, weight=weight).weights
        at = int(weights.argmax())
        if weights[at] < 0:
            break
        log[names[at]] = SelectionEntry(
            names[at],
            SelectionReason.WRONG_SIGN,
            float(weights[at]),
            0.0,
            information=information[names[at]],
        )
        del names[at]
    return names


def _correlation(first: Floats, second: Floats) -> float:
    if not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
