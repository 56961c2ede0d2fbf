"""Whether a score that nothing happened to is called stable, also where rows are few."""

import numpy as np
import pytest

from analytics.domain.features import FeatureTable
from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.stability import StabilityBand
from analytics.domain.modelling.training import TrainingSpec, fit


@pytest.mark.parametrize("seed", [1, 2, 3, 7])
def test_s83_a_card_of_few_rows_is_held_against_its_own_points(seed):
    rng = np.random.default_rng(seed)
    count = 400
    visits = rng.poisson(3, count).astype(float)
    income = rng.lognormal(9.0, 0.5, count)
    chance = 1 / (1 + np.exp(1.2 + 2.2 * (np.log(income) - 9.0) + 0.35 * (visits - 3)))
    outcome = (rng.random(count) < chance).astype(float)
    table = FeatureTable(np.arange(count), ("visits", "income"), np.column_stack([visits, income]))
    spec = TrainingSpec(kind=ModelKind.SCORECARD, seed=1)
    model = fit(table, outcome, spec, times=np.arange(count))
    assert model.result.score_stability.band is not StabilityBand.ACT
