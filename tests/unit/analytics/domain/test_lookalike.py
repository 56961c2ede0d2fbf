import json

import numpy as np
import pytest

from analytics.domain.features import FeatureTable
from analytics.domain.lookalike import LookalikeModel, SeedTooSmallError, learn

NAMES = ("logins", "repaid", "noise")


def _planted(seed_count=400, others=4000, hidden=400):
    """Seeds and as many unmarked people like them among many others."""
    rng = np.random.default_rng(11)
    alike = rng.random(seed_count + others) < 0
    alike[: seed_count + hidden] = True
    size = len(alike)
    values = np.column_stack(
        [
            np.where(alike, rng.poisson(12, size), rng.poisson(6, size)),
            np.where(alike, rng.normal(5000, 800, size), rng.normal(4000, 900, size)),
            rng.normal(0, 1, size),
        ]
    )
    is_seed = np.arange(size) < seed_count
    return FeatureTable(np.arange(size), NAMES, values), is_seed, alike


def test_c14_the_ranking_finds_held_out_seeds_far_above_chance():
    table, is_seed, alike = _planted()

    model = learn(table, is_seed, seed=2)

    assert model.lift.held_out == 120
    assert model.lift.top_share == pytest.approx(0.1, abs=0.001)
    assert model.lift.ratio > 3
    others = np.flatnonzero(~is_seed)
    best = others[np.argsort(-model.score(table)[others])[:400]]
    assert alike[best].mean() > 0.5
    assert {name for name, _weight in model.drivers(2)} == {"logins", "repaid"}


def test_seeds_drawn_at_random_have_no_lift():
    table, _is_seed, _alike = _planted()
    is_seed = np.zeros(len(table.customer_ids), dtype=bool)
    is_seed[np.random.default_rng(4).permutation(len(is_seed))[:600]] = True

    assert learn(table, is_seed, seed=2).lift.ratio < 1.7


def test_the_same_rows_give_the_same_model_and_it_survives_storing():
    table, is_seed, _alike = _planted()

    model = learn(table, is_seed, seed=2)
    loaded = LookalikeModel.from_json(json.loads(json.dumps(model.to_json())))

    assert learn(table, is_seed, seed=2) == model == loaded
    assert (loaded.score(table) == model.score(table)).all()


def test_a_seed_of_fewer_than_two_hundred_is_refused():
    table, is_seed, _alike = _planted(seed_count=199)

    with pytest.raises(SeedTooSmallError):
        learn(table, is_seed, seed=2)
