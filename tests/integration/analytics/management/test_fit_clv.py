"""`fit_clv`: parameters of the papers, customers' values, refusals by line."""

import io
import json
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation


def _run(*arguments):
    out = io.StringIO()
    call_command("fit_clv", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_s53_the_summary_of_cdnow(shared_data):
    found = _run(shared_data / "cdnow" / "cdnow_summary.csv")
    model, spending = found["bg_nbd"], found["gamma_gamma"]
    assert [round(model[name], 4) for name in ("r", "alpha", "a", "b")] == [
        0.2426, 4.4135, 0.7929, 2.4257,
    ]  # fmt: skip
    assert round(model["log_likelihood"], 2) == -9582.43
    assert [round(spending[name], 2) for name in ("p", "q", "gamma")] == [6.25, 3.74, 15.45]
    assert round(spending["log_likelihood"], 2) == -4055.92
    first = found["customers"][0]
    assert first["p_alive"] == pytest.approx(0.726609, abs=1e-6)
    assert first["expected_purchases"] == pytest.approx(1.2259, abs=5e-5)
    assert len(found["customers"]) == found["customer_count"] == 2357
    assert found["warnings"] == ["one_time_customers"]
    once = found["customers"][2]
    assert (once["p_alive"], once["churn"]) == (1.0, None)


def test_s53_purchases_are_cut_and_the_rest_is_compared(shared_data):
    path = shared_data / "cdnow" / "cdnow_sample.csv"
    found = _run(path, "--until", "1997-09-30", "--margin", "0.2")
    assert round(found["bg_nbd"]["alpha"], 3) == 4.414
    assert found["unit"] == "week"
    held_out = found["holdout"]
    assert held_out["weeks"] == 39.0
    assert held_out["expected"] == pytest.approx(held_out["actual"], rel=0.15)
    whole = _run(path, "--until", "1997-09-30")
    assert found["total_value"] == pytest.approx(0.2 * whole["total_value"], rel=1e-6)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("customer_id,date,amount\n", "purchases_refused"),
        ("customer_id,date,amount\na,2026-01-01,5\na,2026-13-01,5\n", "date"),
        ("customer_id,date,amount\na,2026-01-01,5\na,2026-02-01,-5\n", "amount"),
        ("customer_id,date,amount\na,2026-01-01,5\n,2026-02-01,5\n", "customer_id"),
        ("customer_id,date\na,2026-01-01\n", "amount"),
        ("customer_id,date,amount\na,2026-01-01,5\nb,2026-02-01,5\n", "purchases_refused"),
        ("ID,x,t_x,T\n1,2,30,20\n", "x, t_x, T"),
        ("ID,x,t_x,T\n1,2,10,20\n1,2,11,20\n", "purchases_refused"),
        ("ID,x,t_x,T\n1,two,10,20\n", "x"),
    ],
)
def test_a_file_that_says_too_little_is_refused_in_one_line(tmp_path, text, problem):
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(CommandError) as caught:
        _run(path)
    message = str(caught.value)
    assert message.startswith("purchases_refused: ")
    assert problem in message
    assert "\n" not in message


@pytest.mark.parametrize("words", [("--until", "1996-01-01")])
def test_a_cut_before_everything_is_refused(shared_data, words):
    with pytest.raises(CommandError, match="purchases_refused"):
        _run(shared_data / "cdnow" / "cdnow_sample.csv", *words)


def test_a_summary_takes_no_cut(shared_data):
    with pytest.raises(CommandError, match="purchases_refused"):
        _run(shared_data / "cdnow" / "cdnow_summary.csv", "--until", "1997-01-01")


def test_s53_contracts_are_valued_by_hazards_and_beyond_them_by_an_sbg(tmp_path):
    """A cohort of the paper, with months for its years; the rest still runs at the end."""
    left = [1000, 869, 743, 653, 593, 551, 517, 491]
    rows = ["customer_id,start,end,amount"]
    for month, (one, two) in enumerate(pairwise(left), 1):
        rows += [f"e{month}-{turn},2025-01-05,2025-{month:02d}-20,10" for turn in range(one - two)]
    rows += [f"r{turn},2025-01-05,,10" for turn in range(left[-1])]
    path = tmp_path / "contracts.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    found = _run(path, "--contracts", "--until", "2025-08-10", "--margin", "0.5")
    assert (found["unit"], found["contract_count"], found["running"]) == ("month", 1000, 491)
    assert round(found["sbg"]["alpha"], 3) == 0.668
    assert round(found["sbg"]["log_likelihood"], 3) == -1611.158
    assert [cell["at_risk"] - cell["ended"] for cell in found["hazards"]] == left[1:]
    assert found["hazards"][6]["left"] == pytest.approx(0.491)
    assert found["known_until"] == 7
    monthly = 1.1 ** (1 / 12)
    alpha, beta = found["sbg"]["alpha"], found["sbg"]["beta"]
    value, alive = 0.0, 1.0
    for month in range(8, 20_000):
        alive *= (beta + month - 1) / (alpha + beta + month - 1)
        value += 0.5 * 10 * alive / monthly ** (month - 7)
    first = found["customers"][0]
    assert (first["id"], first["age_months"]) == ("r0", 7)
    assert first["clv"] == pytest.approx(value, rel=1e-4)
    assert found["total_value"] == pytest.approx(491 * first["clv"])
    # What is not over by the day looked at still runs.
    earlier = _run(path, "--contracts", "--until", "2025-04-10")
    assert (earlier["running"], len(earlier["hazards"])) == (653, 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("customer_id,start,end,amount\n", "no rows"),
        ("customer_id,start,amount\na,2025-01-01,5\n", "end"),
        ("customer_id,start,end,amount\na,2025-02-01,2025-01-01,5\n", "start, end"),
        ("customer_id,start,end,amount\na,2025-02-30,,5\n", "start"),
        ("customer_id,start,end,amount\na,2025-02-01,,-5\n", "amount"),
        ("customer_id,start,end,amount\na,2025-02-01,,5\nb,2025-06-01,,5\n", "too few"),
    ],
)
def test_contracts_that_say_too_little_are_refused(tmp_path, text, problem):
    path = tmp_path / "contracts.csv"
    path.write_text(text, encoding="utf-8")
    with translation.override("en"), pytest.raises(CommandError) as refused:
        _run(path, "--contracts")
    assert problem in str(refused.value)


def test_a_contract_without_an_end_needs_a_discount(tmp_path):
    path = tmp_path / "contracts.csv"
    path.write_text("customer_id,start,end,amount\na,2025-01-01,,5\n", encoding="utf-8")
    with pytest.raises(CommandError, match="discount"):
        _run(path, "--contracts", "--discount", "0")
