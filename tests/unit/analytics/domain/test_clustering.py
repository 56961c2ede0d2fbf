import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analytics.domain.clustering import ClusterModel, NoStableClustersError, discover
from analytics.domain.features import FeatureTable, NoUsableFeatureError, fit_scaling

NAMES = ("repayment_amount", "login_count", "days_since_login", "constant")
CENTRES = np.array([[20_000, 2, 5], [300, 40, 2], [300, 1, 300], [9_000, 15, 60]])
SHARES = (0.4, 0.3, 0.2, 0.1)


def _planted(size=1200, seed=3):
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, size, p=SHARES)
    spread = np.exp(rng.normal(0, 0.15, (size, 3)))
    values = np.column_stack([CENTRES[truth] * spread, np.ones(size)])
    values[rng.random(size) < 0.02, 1] = np.nan
    return FeatureTable(np.arange(size), NAMES, values), truth


def test_c13_planted_clusters_are_found_and_their_labels_stay_over_reruns():
    table, truth = _planted()

    model = discover(table, seed=1)
    again = discover(table, seed=1)

    labels = model.assign(table)
    assert len(model.centres) == 4
    assert adjusted_rand_score(truth, labels) >= 0.9
    assert model.stability >= 0.8
    assert (again.assign(table) == labels).all()
    other_seed = discover(table, seed=99)
    assert (other_seed.assign(table) == labels).all()
    assert [cluster.size for cluster in model.clusters] == sorted(
        np.bincount(labels)[1:], reverse=True
    )


def test_s78_a_stored_model_puts_new_customers_into_the_same_groups():
    table, _truth = _planted()
    newcomers, truth = _planted(size=400, seed=77)
    model = discover(table, seed=1)

    loaded = ClusterModel.from_json(json.loads(json.dumps(model.to_json())))

    assert loaded == model
    assert (loaded.assign(newcomers) == model.assign(newcomers)).all()
    assert adjusted_rand_score(truth, loaded.assign(newcomers)) >= 0.9


def test_s10_a_group_is_described_by_what_sets_it_apart():
    table, truth = _planted()

    model = discover(table, seed=1)

    asleep = next(c for c in model.clusters if c.differences[0].feature == "days_since_login")
    assert asleep.size == pytest.approx((truth == 2).sum(), abs=10)
    assert asleep.differences[0].z > 1
    assert asleep.differences[0].mean == pytest.approx(300, rel=0.1)
    assert asleep.differences[0].overall_mean == pytest.approx(table.values[:, 2].mean())
    assert all(len(cluster.differences) <= 3 for cluster in model.clusters)
    assert "constant" not in model.scaling.names


def test_a_cloud_without_groups_is_not_cut_into_pieces():
    rng = np.random.default_rng(0)
    cloud = FeatureTable(np.arange(600), ("a", "b", "c", "d"), rng.normal(0, 1, (600, 4)))

    with pytest.raises(NoStableClustersError):
        discover(cloud, seed=1, counts=(7, 8))


def test_columns_that_say_nothing_are_left_out():
    values = np.column_stack([np.ones(50), np.full(50, np.nan)])

    with pytest.raises(NoUsableFeatureError):
        fit_scaling(FeatureTable(np.arange(50), ("same", "unknown"), values))
