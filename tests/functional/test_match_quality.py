"""Golden figures of the matcher on published data sets with known duplicates."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def measured(folder: Path, name: str, **options: float) -> dict[str, Any]:
    out = StringIO()
    truth = str(folder / "truth.csv")
    call_command(
        "match_quality", str(folder / name), "--truth", truth, "--json", stdout=out, **options
    )
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_a11_febrl1_meets_its_goal(shared_data: Path) -> None:
    report = measured(shared_data / "febrl1", "febrl1.csv")
    assert (report["records"], report["true_pairs"]) == (1000, 500)
    assert report["precision"] >= 0.995
    assert report["f1"] >= 0.98


def test_a11_campaign_bank_puts_nobody_together_that_truth_calls_different(
    shared_data: Path,
) -> None:
    report = measured(shared_data / "campaign_bank", "customers.csv")
    assert report["records"] == 4258
    assert report["precision"] == 1.0
    assert report["wrong_pairs"] == 0
    assert report["recall"] >= 0.98


@pytest.mark.parametrize(
    ("folder", "precision", "recall"), [("febrl2", 0.995, 0.98), ("fake_1000", 0.98, 0.85)]
)
def test_e12_other_sets_do_well_without_being_tuned_to(
    shared_data: Path, folder: str, precision: float, recall: float
) -> None:
    report = measured(shared_data / folder, f"{folder}.csv")
    assert report["precision"] >= precision
    assert report["recall"] >= recall
    assert report["recall_with_review"] >= 0.95


def test_a11_the_doubtful_are_counted_for_review(shared_data: Path) -> None:
    sure = measured(shared_data / "fake_1000", "fake_1000.csv")
    strict = measured(shared_data / "fake_1000", "fake_1000.csv", sure=0.9999)
    assert strict["found_pairs"] < sure["found_pairs"]
    assert strict["review_pairs"] > sure["review_pairs"] > 0


def test_a_record_without_truth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,ann\n2,bob\n")
    (tmp_path / "truth.csv").write_text("id,person\n1,P1\n")
    with pytest.raises(CommandError, match="match_file_refused"):
        measured(tmp_path, "people.csv")
