"""What an approval needs, when drift halts, and who is in the challenger's arm."""

from datetime import date

import pytest

from analytics.domain.modelling.life.choices import (
    ModelPurpose,
    TrainingChoiceInvalid,
    TrainingChoices,
)
from analytics.domain.modelling.life.lifecycle import (
    MOVES,
    ApprovalProblem,
    VersionState,
    approval_problems,
    is_in_challenger_arm,
    is_to_be_halted,
    judge_drift,
)
from analytics.domain.modelling.life.observations import Exclusion, outcome_of_loan


def result(*, events=100, low=0.6, slope=(1.0, 0.9, 1.1)):
    value, least, most = slope
    return {
        "test": {"events": events, "auc": {"value": 0.7, "low": low, "high": 0.8}},
        "calibration": {"slope": {"value": value, "low": least, "high": most}},
    }


@pytest.mark.parametrize(
    ("measured", "problems"),
    [
        (result(), ()),
        (None, (ApprovalProblem.NOT_MEASURED,)),
        ({}, (ApprovalProblem.NOT_MEASURED,)),
        (result(events=19), (ApprovalProblem.TOO_FEW_EVENTS,)),
        (result(low=0.5), (ApprovalProblem.NO_BETTER_THAN_CHANCE,)),
        (result(slope=(0.6, 0.3, 1.02)), ()),
        (result(slope=(0.7, 0.6, 0.8)), (ApprovalProblem.BADLY_CALIBRATED,)),
    ],
)
def test_s83_an_approval_needs_figures_that_hold(measured, problems):
    assert approval_problems(measured) == problems


def index(value, by_chance=0.01):
    return {"value": value, "by_chance": by_chance}


@pytest.mark.parametrize(
    ("score", "features", "is_bad"),
    [
        (index(0.24), {"a": index(0.24)}, False),
        (index(0.25), {}, True),
        (index(0.0), {"a": index(0.1), "b": index(0.3)}, True),
        (index(0.3, by_chance=0.5), {"a": index(0.4, by_chance=0.6)}, False),
        (None, {}, False),
    ],
)
def test_f69_drift_is_bad_from_a_quarter_on_unless_chance_explains_it(score, features, is_bad):
    assert judge_drift(score, features).is_bad is is_bad


@pytest.mark.parametrize(
    ("runs", "halts"),
    [([], False), ([True], False), ([True, True], True), ([True, False, True], False),
     ([False, True, True], True), ([True, True, False], False)],
)  # fmt: skip
def test_f69_two_bad_runs_in_a_row_halt(runs, halts):
    assert is_to_be_halted(runs) is halts


def test_s83_the_arm_is_a_share_by_hash_and_another_one_for_every_model():
    people = range(20_000)
    arm = {key for key in people if is_in_challenger_arm("default_risk", key, 0.1)}
    other = {key for key in people if is_in_challenger_arm("churn", key, 0.1)}
    assert len(arm) / 20_000 == pytest.approx(0.1, abs=0.01)
    assert len(arm & other) / 20_000 == pytest.approx(0.01, abs=0.005)
    wider = {key for key in people if is_in_challenger_arm("default_risk", key, 0.2)}
    assert arm < wider
    assert not any(is_in_challenger_arm("churn", key, 0.0) for key in range(100))


def test_s83_a_candidate_never_becomes_champion_at_once():
    assert VersionState.CHAMPION not in MOVES[VersionState.CANDIDATE]
    assert not MOVES[VersionState.REJECTED]


@pytest.mark.parametrize(
    "wrong",
    [{"threshold_days": 45}, {"months": 0}, {"window_days": 0}, {"test_share": 0.9}, {"seed": -1}],
)
def test_choices_out_of_bounds_are_refused_and_others_come_back(wrong):
    with pytest.raises(TrainingChoiceInvalid):
        TrainingChoices(ModelPurpose.CHURN, **wrong)
    good = TrainingChoices(ModelPurpose.CHURN, window_days=30, excluded=("a",), seed=9)
    assert TrainingChoices.from_json(good.to_json()) == good


@pytest.mark.parametrize(
    ("month_30", "month_90", "found"),
    [(None, None, False), (2, 5, True), (2, None, Exclusion.INDETERMINATE), (7, 9, False),
     (6, 8, Exclusion.INDETERMINATE)],
)  # fmt: skip
def test_s37_good_bad_and_indeterminate(month_30, month_90, found):

    outcome = outcome_of_loan(
        date(2025, 1, 31),
        {30: month_30, 60: month_90, 90: month_90},
        threshold_days=90,
        by_month=6,
        as_of=date(2025, 7, 31),
    )
    assert outcome is found or outcome == found
    young = outcome_of_loan(
        date(2025, 1, 31),
        {30: month_30, 60: month_90, 90: month_90},
        threshold_days=90,
        by_month=6,
        as_of=date(2025, 7, 30),
    )
    assert young is Exclusion.IMMATURE
