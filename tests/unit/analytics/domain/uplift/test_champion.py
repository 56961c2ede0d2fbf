"""When one model of uplift replaces another: on people of neither training."""

from dataclasses import replace

import numpy as np

from analytics.domain.modelling.champion import ChampionReason
from analytics.domain.uplift.champion import choose_uplift_champion
from analytics.domain.uplift.training import UpliftSpec, fit_uplift
from tests.unit.analytics.domain.uplift.planted import planted

SPEC = UpliftSpec(seed=1, draws=50, draws_of_tried=50)


def test_s83_the_better_ranking_replaces_the_worse_and_not_the_other_way_round():
    trial, _ = planted(6_000, seed=7)
    good = fit_uplift(trial, SPEC)
    # It knows nothing of what decides the uplift.
    poor = fit_uplift(trial.without({"x"}), SPEC)
    fresh, _ = planted(6_000, seed=5)

    choice = choose_uplift_champion(fresh, poor, good, seed=1)
    assert choice.is_replaced
    assert choice.gain.low > 0
    back = choose_uplift_champion(fresh, good, poor, seed=1)
    assert not back.is_replaced
    assert ChampionReason.NOT_CLEARLY_BETTER in back.reasons
    same = choose_uplift_champion(fresh, good, good, seed=1)
    assert same.gain.value == same.gain.low == same.gain.high == 0


def test_an_exaggerating_challenger_and_people_of_one_group_replace_nobody():
    trial, _ = planted(6_000, seed=7)
    good = fit_uplift(trial, SPEC)
    poor = fit_uplift(trial.without({"x"}), SPEC)
    wild = replace(good, line=replace(good.line, slope=good.line.slope * 5))
    fresh, _ = planted(6_000, seed=5)
    choice = choose_uplift_champion(fresh, poor, wild, seed=1)
    assert ChampionReason.BADLY_CALIBRATED in choice.reasons
    alone = fresh.rows(np.flatnonzero(fresh.treated))
    none = choose_uplift_champion(alone, poor, good, seed=1)
    assert none.reasons == (ChampionReason.NOT_COMPARABLE,)
