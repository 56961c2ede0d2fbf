"""Published numbers of weights of evidence, information and points."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from analytics.domain.modelling.binning import bin_by_edges
from analytics.domain.modelling.information import evidence
from analytics.domain.modelling.scorecard import PointsScale


def test_the_bins_of_breast_cancer_mean_radius_are_those_of_the_published_table(shared_data):
    # Source: optbinning's tests, commit 36a276f; the counts come from scikit-learn's own data.
    vector = json.loads((shared_data / "vectors_credit" / "vectors.json").read_text())
    expected = vector["breast_cancer_mean_radius"]
    data = load_breast_cancer()
    column = data.data[:, list(data.feature_names).index("mean radius")]

    found = bin_by_edges("radius", column, data.target, edges=expected["edges"])

    ranges = found.bins[:-1]
    assert [[b.rows - b.events, b.events] for b in ranges] == expected["nonevent_event"]
    assert [b.woe for b in ranges] == pytest.approx(expected["woe"], abs=5e-6)
    assert found.information == pytest.approx(expected["iv"], abs=1e-9)
    table = evidence(*np.array(expected["nonevent_event"], dtype=float).T)
    assert table.divergence == pytest.approx(expected["js"], abs=1e-10)


def test_the_information_of_the_checking_account_is_the_published_one(shared_data):
    # Source: scorecardpy and scorecard (R) tests, expected = 0.6660115034.
    table = pd.read_csv(shared_data / "german_credit" / "germancredit.csv")
    for column, expected, digits in (
        ("status_of_existing_checking_account", 0.6660115034, 1e-9),
        ("credit_history", 0.293234, 1e-6),
    ):
        counts = pd.crosstab(table[column], table["creditability"])
        found = evidence(counts["good"].to_numpy(), counts["bad"].to_numpy())
        assert found.value == pytest.approx(expected, abs=digits)


def test_the_small_table_of_weights_and_its_points():
    # Goods 50, 100, 250, 300 and bads 50, 30, 15, 5: worked by hand.
    goods, bads = np.array([50.0, 100, 250, 300]), np.array([50.0, 30, 15, 5])
    found = evidence(goods, bads)

    assert found.woe == pytest.approx([-1.945910, -0.741937, 0.867501, 2.148434], abs=1e-6)
    assert found.value == pytest.approx(1.943584, abs=1e-6)
    assert not found.is_adjusted.any()
    points = PointsScale(600, 50, 20).of_log_odds(-np.log(goods / bads))
    assert points == pytest.approx([487.1229, 521.8622, 568.3007, 605.2607], abs=1e-4)


@pytest.mark.parametrize(
    ("odds", "offset", "factor"),
    [(50, 487.1229, 28.8539), (30, 501.8622, 28.8539), (60, 481.8622, 28.8539)],
)
def test_twenty_points_double_the_odds(odds, offset, factor):
    scale = PointsScale(points=600, odds=odds, pdo=20)

    assert scale.offset == pytest.approx(offset, abs=1e-4)
    assert scale.factor == pytest.approx(factor, abs=1e-4)
    at, doubled = scale.of_log_odds(-np.log(np.array([odds, 2 * odds], dtype=float)))
    assert (at, doubled) == pytest.approx((600, 620))


def test_a_bin_without_events_is_counted_with_half_a_row_more_and_says_so():
    found = evidence(np.array([10.0, 90.0, 0.0]), np.array([0.0, 20.0, 0.0]))

    assert found.is_adjusted.tolist() == [True, False, False]
    assert found.woe[0] == pytest.approx(np.log((10.5 / 100) / (0.5 / 20)))
    assert found.woe[2] == 0, "nobody is in the last bin"


def test_weights_need_both_outcomes():
    with pytest.raises(ValueError, match="events and non-events"):
        evidence(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
