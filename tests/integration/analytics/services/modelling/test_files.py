"""Training from files of all shapes, and scoring files, by the two commands."""

import csv
import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.training import TrainingSpec
from analytics.services.modelling import files


def write_people(path, n=1200, *, mark=",", header=True, encoding="utf-8"):
    rng = np.random.default_rng(1)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=mark)
        if header:
            writer.writerow(["收入", "home", "month", "bad"])
        for at in range(n):
            income, home = rng.lognormal(9, 1), rng.integers(0, 2)
            chance = 1 / (1 + np.exp((np.log(income) - 9) * 1.5 + home))
            row = ["" if at % 9 == 0 else round(income), "自有" if home else "租房"]
            writer.writerow(
                [*row, f"2026-{1 + at * 12 // n:02d}", "yn"[int(rng.random() > chance)]]
            )
    return path


@pytest.fixture
def trained(tmp_path, capsys):
    source, out = write_people(tmp_path / "people.csv"), tmp_path / "model.json"
    arguments = ["--from-csv", str(source), "--target", "bad", "--positive", "y", "--json"]
    arguments += ["--kind", "scorecard", "--drop", "month", "--seed", "3", "--out", str(out)]
    call_command("train_model", *arguments)
    return source, out, json.loads(capsys.readouterr().out)


def test_train_model_prints_every_figure_with_its_interval(trained):
    _source, out, shown = trained
    for name in ("auc", "ks", "gini", "brier"):
        assert shown[name]["low"] < shown[name]["value"] < shown[name]["high"]
    assert {"slope", "intercept", "deciles", "method"} <= set(shown["calibration"])
    assert [each["name"] for each in shown["features"]] == ["收入", "home"]
    reasons = {each["name"]: each["reason"] for each in shown["dropped"]}
    assert reasons == {"month": "excluded", "bad": "excluded"}
    assert shown["artefact"] == str(out)
    assert shown["digest"] == files.read_model_file(out).digest


def test_score_csv_gives_every_row_its_probability_points_band_and_reasons(
    trained, tmp_path, capsys
):
    source, out, _shown = trained
    lines = source.read_text(encoding="utf-8").splitlines()
    lines[1:5] = ["abc,租房,x,y", "inf,自有,x,y", ",飞船,x,n", "9000,,x,n"]
    odd = tmp_path / "odd.csv"
    odd.write_text("\n".join(lines), encoding="utf-8")
    call_command("score_csv", str(out), str(odd), str(tmp_path / "scored.csv"), "--json")
    shown = json.loads(capsys.readouterr().out)
    with (tmp_path / "scored.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["row"]) for row in rows] == list(range(1, 1201))
    assert (shown["rows"], shown["unknown_words"], shown["unreadable"]) == (
        1200,
        {"home": 1},
        {"收入": 2},
    )
    assert all(0 < float(row["probability"]) < 1 for row in rows)
    assert all(set(row["reasons"].split(" | ")) <= {"收入", "home", ""} for row in rows)
    assert {row["band"] for row in rows} <= set("ABCDE")


@pytest.mark.parametrize(
    ("mark", "header", "encoding"),
    [
        (";", True, "utf-8-sig"),
        ("\t", True, "gb18030"),
        (" ", False, "utf-8"),
        ("|", False, "utf-8"),
    ],
)
def test_files_of_all_shapes_make_the_same_scorecard(trained, tmp_path, mark, header, encoding):
    path = write_people(tmp_path / "other.csv", mark=mark, header=header, encoding=encoding)
    if mark == " ":
        path.write_text(path.read_text().replace('""', "NA").replace("  ", " NA "))
        path.write_text(
            "\n".join("NA" + x if x[0] == " " else x for x in path.read_text().splitlines())
        )
    names = ("bad", "month") if header else ("column_4", "column_3")
    spec = TrainingSpec(kind=ModelKind.SCORECARD, excluded=(names[1],), seed=3)
    found = files.train_file(path=path, target=names[0], positive="y", spec=spec)
    first = files.read_model_file(trained[1])
    assert found.model.scorecard.weights == first.scorecard.weights


def test_german_data_has_no_header_and_spaces(shared_data):
    found = files.train_file(
        path=shared_data / "german_credit" / "german.data",
        target="column_21",
        positive="2",
        spec=TrainingSpec(seed=20240601),
    )
    assert found.model.result.separation.auc.value >= 0.75


def test_a_time_column_tests_on_the_last_rows_and_is_no_feature(tmp_path):
    path = write_people(tmp_path / "people.csv")
    found = files.train_file(
        path=path, target="bad", positive="y", spec=TrainingSpec(), time_column="month"
    )
    assert found.model.facts["is_out_of_time"]
    assert "month" not in found.model.features
    assert found.model.result.separation.rows == 300, "three whole months of twelve"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "table_file_refused"),
        ("a\n1\n2\n", "table_file_refused"),
        ("a,a,bad\n1,2,y\n", "table_file_refused"),
        ("a,b,bad\n1,2,y\n1,2\n", "table_file_refused"),
        ("a,b,c\n1,2,y\n", "model_target_unknown"),
        ("a,b,bad\n1,2,n\n3,4,n\n", "model_target_unknown"),
        ("a,b,bad\n1,2,y\n3,4,y\n", "model_not_trainable"),
        ("a,b,bad\n1,2,y\n3,4,n\n", "model_not_trainable"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, content, code):
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    arguments = ["--from-csv", str(path), "--target", "bad", "--positive", "y"]
    with pytest.raises(CommandError) as raised:
        call_command("train_model", *arguments, "--kind", "scorecard")
    assert str(raised.value).startswith(f"{code}: ")
    assert "\n" not in str(raised.value)


def test_a_ragged_line_is_named_and_nothing_of_it_is_shown(trained, tmp_path):
    path, out = tmp_path / "ragged.csv", tmp_path / "out.csv"
    path.write_text("收入,home,month,bad\n1,自有,x,y\nSECRET,自有\n", encoding="utf-8")
    with pytest.raises(CommandError, match="3") as raised:
        call_command("score_csv", str(trained[1]), str(path), str(out))
    assert "SECRET" not in str(raised.value)
    assert not out.exists()
    assert list(tmp_path.glob("*.part")) == []


def test_f67_the_commands_refuse_a_swapped_model_and_a_file_without_its_columns(trained, tmp_path):
    source, out, _shown = trained
    content = json.loads(out.read_text(encoding="utf-8"))
    content["bands"]["edges"] = []
    swapped = tmp_path / "swapped.json"
    swapped.write_text(json.dumps(content))
    for model, file, code in (
        (swapped, source, "model_file_refused"),
        (source, source, "model_file_refused"),
        (out, write_people(tmp_path / "bare.csv", 5, header=False), "model_columns_missing"),
    ):
        with pytest.raises(CommandError, match=code):
            call_command("score_csv", str(model), str(file), str(tmp_path / "no.csv"))


def test_memory_does_not_grow_with_the_file(trained, tmp_path):
    model = files.read_model_file(trained[1])
    peaks = []
    for n in (10_000, 40_000):
        path = tmp_path / f"{n}.csv"
        path.write_text("收入,home\n" + "12345.678,自有\n" * n, encoding="utf-8")
        tracemalloc.start()
        found = files.score_file(model=model, path=path, out=tmp_path / "o.csv", block_bytes=65_536)
        assert found.rows == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_scoring_never_loads_scikit_learn():
    code = (
        "import analytics.domain.modelling.training, analytics.domain.modelling.champion, sys;"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.BASE_DIR)
