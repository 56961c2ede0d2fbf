import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from analytics.domain.clustering import ClusterModel, discover
from analytics.domain.features import FeatureTable, fit_scaling
from analytics.domain.projection import fit_projection


def _repeated(size=900, seed=6):
    """Three groups in two directions, told by eight columns that mostly repeat each other."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, size, p=(0.5, 0.3, 0.2))
    base = np.array([[9.0, 1.0], [2.0, 8.0], [2.0, 1.0]])[truth]
    columns = [base[:, n % 2] + rng.normal(0, 0.3, size) for n in range(8)]
    names = tuple(f"c{n}" for n in range(8))
    return FeatureTable(np.arange(size), names, np.column_stack(columns)), truth


def test_s6_the_explained_variance_is_stored_and_equals_an_independent_computation():
    table, truth = _repeated()

    model = discover(table, seed=1, explained=0.9)

    projection = model.projection
    scaled = fit_scaling(table).apply(table)
    reference = PCA(n_components=8).fit(scaled)
    kept = len(projection.explained)
    assert projection.explained == pytest.approx(reference.explained_variance_ratio_[:kept])
    shares = np.cumsum(reference.explained_variance_ratio_)
    assert kept == int((shares < 0.9).sum()) + 1 < 8
    assert projection.explained_sum == pytest.approx(shares[kept - 1])
    assert all(len(centre) == kept for centre in model.centres)
    assert adjusted_rand_score(truth, model.assign(table)) >= 0.95


def test_s6_the_same_people_and_seed_give_the_same_groups_and_newcomers_join_them():
    table, _truth = _repeated()
    newcomers, truth = _repeated(300, seed=60)

    model = discover(table, seed=1, explained=0.9)
    stored = ClusterModel.from_json(json.loads(json.dumps(model.to_json())))

    assert discover(table, seed=1, explained=0.9) == model == stored
    assert adjusted_rand_score(truth, stored.assign(newcomers)) >= 0.95
    assert discover(table, seed=1).projection is None


@pytest.mark.parametrize("share", [0.001, 0.5, 1.0])
def test_s6_as_few_components_as_explain_the_share_and_the_largest_weight_is_positive(share):
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 1, (200, 5)) @ rng.normal(0, 1, (5, 5))
    rows -= rows.mean(axis=0)

    found = fit_projection(rows, share)

    assert found.explained_sum >= share - 1e-9
    assert sum(found.explained[:-1]) < share
    weights = np.array(found.components)
    assert weights @ weights.T == pytest.approx(np.eye(len(weights)), abs=1e-9)
    assert all(row[np.abs(row).argmax()] > 0 for row in weights)


def test_s6_one_column_is_its_own_component():
    rows = np.array([[-1.0], [0.0], [1.0]])

    assert fit_projection(rows, 0.5).components == ((1.0,),)
