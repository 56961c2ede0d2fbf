import pytest

from analytics.benchmarks import scoring, training

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_every_row_is_scored_and_arrives():
    report = scoring.run(scale=0.002, rounds=1).to_json()
    assert (report["rows"], report["columns"]) == (2000, 30)
    assert set(report["ratios"]) == {"ratio_scorecard", "ratio_boosting"}
    assert not report["met"], "only a full run can keep the goals"


def test_both_kinds_learn_what_the_baselines_learn():
    report = training.run(scale=0.02, rounds=1).to_json()
    assert report["rows"] == 4000
    for kind in ("scorecard", "boosting"):
        assert report[f"auc_{kind}"] > report[f"auc_bare_{kind}"] - 0.02 > 0.6
    assert set(report["ratios"]) == {"ratio_scorecard", "ratio_boosting"}
