"""`evaluate_uplift`: JSON with units and intervals, the artefact, refusals by line."""

import csv
import gzip
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from analytics.domain.uplift.learners import UpliftModel
from tests.unit.analytics.domain.uplift.planted import planted


def _run(*arguments):
    out = io.StringIO()
    call_command("evaluate_uplift", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def _file(path, *, is_null=False, count=8_000):
    trial, _ = planted(count, seed=21, is_null=is_null)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["arm", "bought", "x", "noise", "after"])
        for treated, outcome, (x, noise) in zip(
            trial.treated, trial.outcome, trial.table.values, strict=True
        ):
            after = int(outcome) + 0.3 * treated
            writer.writerow([int(treated), int(outcome), x, noise, after])
    return path


@pytest.mark.parametrize("name", ["trial.csv", "trial.csv.gz"])
def test_h9_planted_uplift_is_usable(tmp_path, name):
    path = _file(tmp_path / name)
    artefact = tmp_path / "model.json"
    found = _run(
        path, "--treatment", "arm", "--outcome", "bought", "--draws", 200, "--artefact", artefact
    )
    assert found["verdict"] == "usable"
    assert found["qini"]["low"] > 0
    assert "1,000 treated people" in found["qini"]["unit"]
    assert found["features"] == ["x", "noise"]
    assert found["dropped"] == {"after": "differs_between_groups"}
    assert [warning["column"] for warning in found["warnings"]] == ["after"]
    # Each cell of treatment and outcome is rounded by itself.
    assert found["test_rows"] == pytest.approx(2400, abs=2)
    assert found["train_rows"] + found["test_rows"] == found["rows"] == 8000
    slope = found["best_linear_predictor"]["heterogeneity"]
    assert slope["low"] > 0
    assert len(found["calibration"]) == 10
    assert found["sleeping_dogs"]["people"] > 0
    stored = json.loads(artefact.read_text())
    assert stored["digest"] == found["digest"]
    assert UpliftModel.from_json(stored["model"]).digest == found["digest"]


def test_h9_nothing_planted_is_no_usable_ranking(tmp_path):
    path = _file(tmp_path / "null.csv", is_null=True)
    found = _run(
        path, "--treatment", "arm", "--outcome", "bought", "--drop", "after", "--draws", 200
    )
    assert found["verdict"] == "no_usable_ranking"
    assert found["qini"]["low"] <= 0 <= found["qini"]["high"]


@pytest.mark.parametrize("learner", ["t", "x", "class"])
@pytest.mark.parametrize("target", ["visit", "conversion"])
def test_h9_hillstrom_has_no_usable_ranking(shared_data, learner, target):
    path = shared_data / "hillstrom_mens" / "hillstrom_mens.csv.gz"
    found = _run(
        path, "--treatment", "segment", "--outcome", target, "--learner", learner, "--draws", 200
    )
    assert found["treated_value"] == "Mens E-Mail"
    assert set(found["dropped"]) == {"visit", "conversion", "spend"} - {target}
    assert found["verdict"] == "no_usable_ranking"
    assert found["qini"]["low"] <= 0 <= found["qini"]["high"]
    assert found["average_uplift"]["low"] > 0


def test_the_same_file_and_seed_give_the_same_model_and_figures(tmp_path):
    path = _file(tmp_path / "trial.csv", count=1_500)
    words = (path, "--treatment", "arm", "--outcome", "bought", "--draws", 100)
    first, again, other = _run(*words), _run(*words), _run(*words, "--seed", 3)
    assert first == again
    assert first["digest"] != other["digest"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arm,bought,x\n", "trial_refused"),
        ("arm,bought,x\n1,1,2\n0,,3\n", "bought"),
        ("arm,bought,x\n1,1,2\n0,0,3\n2,0,3\n", "4"),
        ("arm,bought,x\n1,1,2\n0,0,3\n", "trial_refused"),
        ("arm,other,x\n1,1,2\n0,0,3\n", "bought"),
    ],
)
def test_a_file_that_is_no_trial_is_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(CommandError) as caught:
        _run(path, "--treatment", "arm", "--outcome", "bought")
    message = str(caught.value)
    assert message.startswith("trial_refused: ")
    assert words in message
    assert "\n" not in message


def test_named_features_are_used_even_where_they_differ(tmp_path):
    path = _file(tmp_path / "trial.csv", count=1_500)
    found = _run(
        path, "--treatment", "arm", "--outcome", "bought", "--features", "x,after", "--draws", 100
    )
    assert found["features"] == ["x", "after"]
    assert np.isfinite(found["qini"]["value"])
