"""Experiments against published numbers, another library, and simulated ones."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.experiments import families, power
from campaigns.domain.experiments.arms import ArmSums, difference, relative_difference
from campaigns.domain.experiments.guardrails import GuardrailVerdict, judge
from campaigns.domain.experiments.harm import HarmBound
from campaigns.domain.experiments.sequential import read_at_any_time
from campaigns.domain.experiments.winner import ExperimentOutcome, decide


@pytest.fixture
def vectors(shared_data):
    return json.loads((shared_data / "vectors_experiments" / "vectors.json").read_text())


def _sums(given_arm):
    if len(given_arm) == 2:
        return ArmSums.of_yes(*given_arm)
    total, squares, people = given_arm
    return ArmSums(people, total, squares)


# DOMAIN of the sequence: growthbook's sequential test at alpha .05, tuned for 5,000.
def test_a_confidence_sequence_equals_the_published_one():
    control, arm = ArmSums.of_yes(1396, 3000), ArmSums.of_yes(2422, 3461)

    reading = read_at_any_time(difference(control, arm))

    assert reading.value == pytest.approx(0.234464, abs=5e-7)
    assert (reading.low, reading.high) == (
        pytest.approx(0.198049, abs=5e-7),
        pytest.approx(0.270880, abs=5e-7),
    )
    assert reading.p_value == pytest.approx(6.3001e-76, rel=1e-4)
    assert reading.is_identified


def test_a_relative_confidence_sequence_equals_growthbooks(vectors):
    known = vectors["sequential_relative"]

    reading = read_at_any_time(relative_difference(_sums(known["a"]), _sums(known["b"])))

    assert reading.value == pytest.approx(known["rel"], abs=5e-6)
    assert [reading.low, reading.high] == pytest.approx(known["ci"], abs=5e-6)


@pytest.mark.parametrize("name", ["relative_means", "relative_proportions"])
def test_a_relative_effect_equals_growthbooks(vectors, name):
    known = vectors[name]

    effect = relative_difference(_sums(known["a"]), _sums(known["b"]))

    assert effect.value == pytest.approx(known["rel"], abs=5e-6)
    assert effect.error == pytest.approx(known["sd"], abs=1e-4)


def test_a_negative_base_keeps_the_sign_of_what_happened(vectors):
    for base, other, relative in vectors["negative_base"]:
        control = ArmSums(2, 2 * base, 2 * base * base + 1)
        arm = ArmSums(2, 2 * other, 2 * other * other + 1)
        assert relative_difference(control, arm).value == pytest.approx(relative)


@pytest.mark.parametrize(
    ("control", "arm"),
    [
        (ArmSums.of_yes(0, 0), ArmSums.of_yes(3, 9)),
        (ArmSums.of_yes(3, 9), ArmSums.of_yes(0, 0)),
        (ArmSums(1, 5.0, 25.0), ArmSums(2, 5.0, 25.0)),
    ],
)
def test_f76_an_empty_arm_or_a_single_value_has_no_effect_rather_than_zero(control, arm):
    assert difference(control, arm) is None
    assert relative_difference(control, arm) is None


def test_f76_a_share_of_nothing_is_not_estimated():
    assert relative_difference(ArmSums.of_yes(0, 50), ArmSums.of_yes(3, 50)) is None


@given(
    yes=st.tuples(st.integers(0, 500), st.integers(0, 500)),
    more=st.tuples(st.integers(0, 500), st.integers(0, 500)),
)
def test_swapping_arms_turns_the_reading_round(yes, more):
    control = ArmSums.of_yes(yes[0], yes[0] + more[0] + 1)
    arm = ArmSums.of_yes(yes[1], yes[1] + more[1] + 1)

    there, back = difference(control, arm), difference(arm, control)

    if there is None or back is None:
        assert there is back
        return
    forward, backward = read_at_any_time(there), read_at_any_time(back)
    assert forward.value == pytest.approx(-backward.value)
    assert forward.low == pytest.approx(-backward.high)
    assert forward.p_value == pytest.approx(backward.p_value)


# Few cases: the other library collects all garbage of the process at each call.
@pytest.mark.parametrize("count", [1, 2, 12])
def test_adjusted_p_values_equal_those_of_another_library(count):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p_values = np.random.default_rng(count).uniform(0, 0.2, count).round(2).tolist()

    assert families.holm(p_values) == pytest.approx(
        multitest.multipletests(p_values, method="holm")[1].tolist()
    )


# statsmodels' NormalIndPower gives 21,067 for 2 % against 2.4 %.
def test_d17_the_sample_size_equals_the_published_one():
    assert power.people_per_arm(0.02, 0.024) == 21_067
    assert power.smallest_rise(0.02, 21_067, 21_067) == pytest.approx(0.004, rel=1e-4)


@given(
    base=st.floats(0.005, 0.5),
    rise=st.floats(0.01, 0.4),
    wanted=st.floats(0.5, 0.99),
    ratio=st.floats(0.1, 10),
)
def test_d17_the_sample_size_equals_statsmodels(base, rise, wanted, ratio):
    library = pytest.importorskip("statsmodels.stats.power")
    proportion = pytest.importorskip("statsmodels.stats.proportion")

    own = power.people_per_arm(base, base + rise, power=wanted, ratio=ratio)

    effect = proportion.proportion_effectsize(base + rise, base)
    theirs = library.NormalIndPower().solve_power(effect, power=wanted, alpha=0.05, ratio=ratio)
    assert own == pytest.approx(theirs, rel=0.01, abs=1)


@given(base=st.floats(0.005, 0.9), control=st.integers(10, 10**6), treated=st.integers(10, 10**6))
def test_d17_the_smallest_rise_is_what_so_many_people_show(base, control, treated):
    rise = power.smallest_rise(base, control, treated)

    if rise is None:
        return
    needed = power.people_per_arm(base, base + rise, ratio=treated / control)
    assert needed == pytest.approx(control, rel=1e-6, abs=1)


def test_d17_nobody_in_an_arm_shows_nothing():
    assert power.smallest_rise(0.02, 0, 1000) is None
    assert power.smallest_rise(0.9, 3, 3) is None


def test_d18_complaints_stop_at_the_published_counts(vectors):
    known = vectors["sprt_complaints"]
    bound = HarmBound(known["p0"], known["p1"], alpha=known["alpha"], beta=known["beta"])

    for messages, count in known["stop_at"].items():
        assert bound.stops_at(int(messages)) == count
        assert bound.is_reached(count, int(messages))
        assert not bound.is_reached(count - 1, int(messages))


def test_d18_the_usual_rate_seldom_stops_and_the_harmful_one_mostly_does():
    bound = HarmBound(0.001, 0.003)
    rng = np.random.default_rng(20240601)
    looks = np.arange(500, 50_001, 500)
    limits = np.array([bound.stops_at(int(look)) for look in looks])

    stopped = {
        rate: float(
            (np.cumsum(rng.binomial(500, rate, (2_000, len(looks))), axis=1) >= limits)
            .any(axis=1)
            .mean()
        )
        for rate in (bound.usual, bound.harmful)
    }

    assert stopped[bound.usual] <= bound.alpha
    assert stopped[bound.harmful] >= 1 - bound.beta


def _ever_won(rng, rates, *, experiments=300, looks=100, people=200):
    """Return in how many simulated experiments an arm was ever called the winner."""
    won = 0
    for _ in range(experiments):
        yes = np.cumsum(rng.binomial(people, rates, (looks, len(rates))), axis=0)
        for look in range(looks):
            sums = [ArmSums.of_yes(int(count), people * (look + 1)) for count in yes[look]]
            arms = dict(zip("BCD", sums[1:], strict=False))
            if decide(sums[0], arms, control_key="A").outcome is ExperimentOutcome.WON:
                won += 1
                break
    return won / experiments


@pytest.mark.parametrize("arms", [2, 4])
def test_d6_without_an_effect_a_hundred_looks_seldom_find_a_winner(arms):
    rng = np.random.default_rng(7)

    assert _ever_won(rng, [0.05] * arms) <= 0.05


def test_d6_the_same_looks_with_a_fixed_test_find_one_far_too_often():
    rng = np.random.default_rng(7)
    yes = np.cumsum(rng.binomial(200, 0.05, (300, 100, 2)), axis=1)
    people = 200 * np.arange(1, 101)
    rates = yes / people[None, :, None]
    error = np.sqrt((rates * (1 - rates)).sum(axis=2) / people)

    ever = (np.abs(rates[..., 1] - rates[..., 0]) > 1.96 * error).any(axis=1).mean()

    assert ever > 0.30


def test_d6_a_planted_effect_wins():
    rng = np.random.default_rng(7)

    assert _ever_won(rng, [0.05, 0.065], experiments=50) >= 0.9


def test_d6_the_best_of_several_that_are_better_wins_unless_it_is_barred():
    control = ArmSums.of_yes(500, 10_000)
    arms = {"B": ArmSums.of_yes(800, 10_000), "C": ArmSums.of_yes(900, 10_000)}

    assert decide(control, arms, control_key="A").winner == "C"
    barred = decide(control, arms, control_key="A", barred=frozenset({"C"}))
    assert (barred.outcome, barred.winner) == (ExperimentOutcome.WON, "B")


def test_d6_the_control_wins_only_where_every_arm_is_shown_to_be_worse():
    control = ArmSums.of_yes(900, 10_000)
    worse = ArmSums.of_yes(500, 10_000)

    both = decide(control, {"B": worse, "C": worse}, control_key="A")
    one = decide(control, {"B": worse, "C": control}, control_key="A")

    assert (both.outcome, both.winner) == (ExperimentOutcome.CONTROL_WON, "A")
    assert (one.outcome, one.winner) == (ExperimentOutcome.UNDECIDED, None)


@pytest.mark.parametrize(
    ("control", "arm", "verdict"),
    [
        ((20, 20_000), (22, 20_000), GuardrailVerdict.KEPT),
        ((20, 20_000), (200, 20_000), GuardrailVerdict.BROKEN),
        ((1, 200), (1, 200), GuardrailVerdict.OPEN),
        ((0, 20_000), (0, 20_000), GuardrailVerdict.KEPT),
        ((0, 500), (0, 500), GuardrailVerdict.OPEN),
        ((0, 0), (1, 200), GuardrailVerdict.OPEN),
    ],
)
def test_d6_a_guardrail_is_kept_only_where_it_is_shown(control, arm, verdict):
    found = judge(ArmSums.of_yes(*control), ArmSums.of_yes(*arm), margin=0.003)

    assert found.verdict is verdict


def test_a_guardrail_without_a_margin_is_refused():
    with pytest.raises(ValueError, match="margin"):
        judge(ArmSums.of_yes(1, 2), ArmSums.of_yes(1, 2), margin=0)
