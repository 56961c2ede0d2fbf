"""The life of a model version: its states, what a promotion needs, and when drift halts a score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from analytics.domain.modelling.stability import ACTED_ON_FROM
from customers.domain.fields.score_bands import SHADOW

# Fewer events than this on the test rows measure nothing that a decision could rest on.
LEAST_TEST_EVENTS = 20
# Fewer of either outcome than this make no model at all.
LEAST_CASES = 20
# Fewer events than this in the training part make a model that its reader should not lean on.
FEW_EVENTS = 200
# Runs in a row with a bad index before a score is halted.
BAD_RUNS_TO_HALT = 2
_SLOPE = (0.8, 1.25)


class VersionState(StrEnum):
    """Where a version is in its life."""

    CANDIDATE = "candidate"
    APPROVED = "approved"
    CHAMPION = "champion"
    CHALLENGER = "challenger"
    RETIRED = "retired"
    REJECTED = "rejected"


# From each state, where a person may take it; a champion goes when another comes, or for good.
MOVES: Final[Mapping[VersionState, frozenset[VersionState]]] = {
    VersionState.CANDIDATE: frozenset({VersionState.APPROVED, VersionState.REJECTED}),
    VersionState.APPROVED: frozenset(
        {VersionState.CHAMPION, VersionState.CHALLENGER, VersionState.RETIRED}
    ),
    VersionState.CHALLENGER: frozenset(
        {VersionState.CHAMPION, VersionState.APPROVED, VersionState.RETIRED}
    ),
    VersionState.CHAMPION: frozenset({VersionState.RETIRED}),
    # Only by rolling back, to what was champion before.
    VersionState.RETIRED: frozenset({VersionState.CHAMPION}),
    VersionState.REJECTED: frozenset(),
}


class ApprovalProblem(StrEnum):
    """What keeps a version from being approved."""

    NOT_MEASURED = "not_measured"
    TOO_FEW_EVENTS = "too_few_events"
    NO_BETTER_THAN_CHANCE = "no_better_than_chance"
    BADLY_CALIBRATED = "badly_calibrated"
    NO_USABLE_RANKING = "no_usable_ranking"
    UPLIFT_EXAGGERATED = "uplift_exaggerated"


def approval_problems(result: Mapping[str, Any] | None) -> tuple[ApprovalProblem, ...]:
    """Return what keeps a version from being approved, by its figures on rows not learned from.

    Args:
        result: As `ModelResult.to_json` writes it.
    """
    if not result or "test" not in result or "calibration" not in result:
        return (ApprovalProblem.NOT_MEASURED,)
    found = []
    if result["test"]["events"] < LEAST_TEST_EVENTS:
        found.append(ApprovalProblem.TOO_FEW_EVENTS)
    if result["test"]["auc"]["low"] <= 0.5:
        found.append(ApprovalProblem.NO_BETTER_THAN_CHANCE)
    if not is_calibrated(result["calibration"]["slope"]):
        found.append(ApprovalProblem.BADLY_CALIBRATED)
    return tuple(found)


def is_calibrated(slope: Mapping[str, float]) -> bool:
    """Return whether a slope is near 1, or not told apart from it."""
    return _SLOPE[0] <= slope["value"] <= _SLOPE[1] or slope["low"] <= 1 <= slope["high"]


class Limitation(StrEnum):
    """What a reader of a model has to bear in mind."""

    FEW_EVENTS = "few_events"
    NOT_OUT_OF_TIME = "not_out_of_time"
    VALUES_OF_TODAY = "values_of_today"
    ONLY_BOOKED = "only_booked"
    AS_PLANNED = "as_planned"


class HaltReason(StrEnum):
    """Why a model scores nobody."""

    DRIFT = "drift"
    CHANGED = "changed"
    EXPIRED = "expired"
    COLUMN_GONE = "column_gone"


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """What the drift of one scoring says.

    Attributes:
        score: PSI of the score.
        worst_feature: The feature that moved most, empty where the model has none.
        worst: Its CSI.
        is_bad: The score or a feature moved so far that somebody has to act.
    """

    score: float | None
    worst_feature: str
    worst: float
    is_bad: bool


def judge_drift(
    score: Mapping[str, Any] | None, features: Mapping[str, Mapping[str, Any]]
) -> DriftFinding:
    """Return what indices (`StabilityIndex.to_json`) say; what chance explains is not bad."""
    name, worst = max(
        ((name, float(index["value"])) for name, index in features.items()),
        key=lambda each: each[1],
        default=("", 0.0),
    )
    every = [*features.values(), *([score] if score else [])]
    is_bad = any(
        index["value"] >= ACTED_ON_FROM and index["value"] > index["by_chance"] for index in every
    )
    return DriftFinding(float(score["value"]) if score else None, name, worst, is_bad)


def is_to_be_halted(bad_runs: Sequence[bool]) -> bool:
    """Return whether a score is halted, by its runs from the oldest to the newest."""
    last = bad_runs[-BAD_RUNS_TO_HALT:]
    return len(last) == BAD_RUNS_TO_HALT and all(last)


def is_in_challenger_arm(model_name: str, customer_id: int, share: float) -> bool:
    """Return whether the challenger's score counts for a person; the same answer every time."""
    if share <= 0:
        return False
    digest = sha256(f"{model_name}:{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def shadow_name(model_name: str) -> str:
    """Return the name under which a challenger's scores are kept, beside those that count."""
    return f"{model_name}{SHADOW}"
