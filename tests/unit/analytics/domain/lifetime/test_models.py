"""BG/NBD, Gamma-Gamma and sBG against their papers, and planted parameters recovered."""

import csv
from datetime import date

import numpy as np
import pytest

from analytics.domain.lifetime.bg_nbd import BgNbd, NoConvergenceError, fit_bg_nbd, log_likelihood
from analytics.domain.lifetime.customer_value import (
    WEEKS_A_MONTH,
    ValueTerms,
    customer_values,
    purchase_churn,
)
from analytics.domain.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from analytics.domain.lifetime.purchases import (
    Purchase,
    PurchaseHistory,
    PurchasesError,
    later_repeats,
    summarise,
)

# Fader, Hardie, Lee 2005: x = 2, t_x = 30.43, T = 38.86 weeks.
ONE = PurchaseHistory(("1",), *(np.array([v]) for v in (2.0, 30.43, 38.86, 22.35)))
PAPER = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def _customers(rows):
    table = np.array(rows, dtype=float)
    return PurchaseHistory(tuple(map(str, range(len(rows)))), *table.T)


@pytest.fixture
def cdnow(shared_data):
    with (shared_data / "cdnow" / "cdnow_summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return _customers([[float(row[name]) for name in ("x", "t_x", "T", "zbar")] for row in rows])


def test_s53_bg_nbd_of_cdnow_is_the_papers(cdnow):
    found = fit_bg_nbd(cdnow)
    assert found.r == pytest.approx(0.242593, abs=5e-6)
    assert found.alpha == pytest.approx(4.413532, abs=5e-5)
    assert found.a == pytest.approx(0.792886, abs=5e-5)
    assert found.b == pytest.approx(2.425753, abs=1e-4)
    assert found.log_likelihood == pytest.approx(-9582.42556, abs=1e-4)
    assert log_likelihood(cdnow, **PAPER) == pytest.approx(-9582.426831, abs=1e-6)
    assert found.alive(ONE)[0] == pytest.approx(0.726609, abs=1e-6)
    assert found.expected(ONE, weeks=39)[0] == pytest.approx(1.2259, abs=5e-5)
    assert found.expected_of_new(39) == pytest.approx(1.195016, abs=5e-6)
    assert found.expected_of_new(52) == pytest.approx(1.444021, abs=5e-6)


def test_s53_gamma_gamma_of_cdnow_is_the_papers(cdnow):
    found = fit_gamma_gamma(cdnow)
    assert (found.p, found.q, found.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert found.log_likelihood == pytest.approx(-4055.92, abs=0.005)
    assert found.customers == 946
    assert found.correlation == pytest.approx(0.114, abs=5e-4)
    assert found.is_independent
    assert found.expected(ONE)[0] == pytest.approx(24.658616, abs=1e-4)
    once = PurchaseHistory(("1",), np.ones(1), ONE.recency, ONE.age, ONE.mean_value)
    assert found.expected(once)[0] == pytest.approx(26.262693, abs=1e-4)
    assert found.population_mean == pytest.approx(35.170002, abs=2e-3)


def test_s53_the_sample_of_transactions_gives_the_parameters_of_clvtools(shared_data):
    with (shared_data / "cdnow" / "cdnow_sample.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    purchases = [
        Purchase(r["customer_id"], date.fromisoformat(r["date"]), float(r["dollar_value"]))
        for r in rows
    ]
    customers = summarise(purchases, until=date(1997, 9, 30))
    assert (len(customers.ids), customers.repeats.sum()) == (2357, 2457)
    assert (customers.repeats == 0).sum() == 1411
    found = fit_bg_nbd(customers)
    # CLVTools, tests/testthat/test_correctness_bgnbd.R and test_correctness_gg.R.
    assert found.r == pytest.approx(0.2425945, abs=1e-5)
    assert found.alpha == pytest.approx(4.4136019, abs=1e-4)
    assert found.a == pytest.approx(0.7929199, abs=1e-4)
    assert found.b == pytest.approx(2.4258881, abs=1e-4)
    assert found.log_likelihood == pytest.approx(-9582.429, abs=5e-4)
    assert fit_gamma_gamma(customers).log_likelihood == pytest.approx(-4055.9177, abs=1e-4)


def _simulated(count, rng, *, r=0.6, alpha=6.0, a=0.8, b=2.5, weeks=52.0):
    rates, leaves = rng.gamma(r, 1 / alpha, count), rng.beta(a, b, count)
    rows = []
    for rate, leave in zip(rates, leaves, strict=True):
        at, times = 0.0, []
        while True:
            at += rng.exponential(1 / rate)
            if at > weeks:
                break
            times.append(at)
            if rng.random() < leave:
                break
        rows.append((len(times), times[-1] if times else 0.0, weeks, 0.0))
    return _customers(rows)


def test_planted_parameters_are_recovered():
    found = fit_bg_nbd(_simulated(20_000, np.random.default_rng(3)))
    assert found.r == pytest.approx(0.6, rel=0.1)
    assert found.alpha == pytest.approx(6.0, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.3, rel=0.1)


def test_weeks_or_days_is_only_a_matter_of_alpha():
    customers = _simulated(3_000, np.random.default_rng(4))
    days = PurchaseHistory(
        customers.ids, customers.repeats, customers.recency * 7, customers.age * 7,
        customers.mean_value,
    )  # fmt: skip
    by_week, by_day = fit_bg_nbd(customers), fit_bg_nbd(days)
    assert by_day.alpha == pytest.approx(7 * by_week.alpha, rel=1e-3)
    assert (by_day.r, by_day.a) == pytest.approx((by_week.r, by_week.a), rel=1e-3)


def test_large_counts_overflow_nowhere():
    heavy = _customers([(5_000, 500.0, 501.0, 9.0), (0, 0.0, 500.0, 0.0), (3, 0.1, 500.0, 1e9)])
    model = BgNbd(0.24, 4.4, 0.79, 2.4, 0.0)
    assert np.isfinite(log_likelihood(heavy, r=0.24, alpha=4.4, a=0.79, b=2.4))
    for figures in (model.alive(heavy), model.expected(heavy, weeks=52)):
        assert np.isfinite(figures).all()
        assert (figures >= 0).all()
    assert (model.alive(heavy) <= 1).all()


def test_the_formula_is_smooth_where_a_is_one():
    found = [BgNbd(0.24, 4.4, a, 2.4, 0.0).expected(ONE, weeks=39)[0] for a in (0.999, 1.0, 1.001)]
    assert found[0] > found[1] > found[2]
    assert found[1] == pytest.approx((found[0] + found[2]) / 2, rel=1e-4)


def test_s52_a_one_time_customer_has_no_chance_of_having_left():
    customers = _customers([(0, 0.0, 38.0, 0.0), (2, 30.43, 38.86, 0.0)])
    churn = purchase_churn(customers, BgNbd(**PAPER, log_likelihood=0.0))
    assert np.isnan(churn[0])
    assert churn[1] == pytest.approx(1 - 0.72657857, abs=1e-7)


@pytest.mark.parametrize(
    "row", [(1, 5.0, 4.0, 1.0), (0, 1.0, 4.0, 0.0), (-1, 0.0, 4.0, 0.0), (1, np.nan, 4.0, 1.0)]
)
def test_figures_that_contradict_each_other_are_refused(row):
    with pytest.raises(PurchasesError):
        fit_bg_nbd(_customers([row, (2, 3.0, 4.0, 5.0)]))


@pytest.mark.parametrize("fit", [fit_bg_nbd, fit_gamma_gamma])
def test_nobody_who_came_back_tells_no_parameters(fit):
    with pytest.raises(NoConvergenceError):
        fit(_customers([(0, 0.0, 10.0, 0.0)] * 50))


@pytest.mark.parametrize(("value", "independent"), [(0.0, True), (5.0, False)])
def test_value_that_grows_with_frequency_is_pointed_out(value, independent):
    rng = np.random.default_rng(5)
    repeats = rng.integers(1, 10, 400).astype(float)
    means = 20 + rng.gamma(4, 2, 400) + value * repeats
    found = fit_gamma_gamma(
        _customers([(x, 1.0, 2.0, m) for x, m in zip(repeats, means, strict=True)])
    )
    assert found.is_independent is independent


def test_the_value_is_purchases_by_month_times_value_and_margin_discounted():
    model, spending = BgNbd(**PAPER, log_likelihood=0.0), GammaGamma(6.25, 3.74, 15.44, 0.0, 0.0, 1)
    terms = ValueTerms(margin=0.3, discount=0.12, months=3)
    upto = [float(model.expected(ONE, weeks=WEEKS_A_MONTH * k)[0]) for k in range(4)]
    by_hand = sum((upto[k] - upto[k - 1]) / 1.12 ** (k / 12) for k in (1, 2, 3))
    by_hand *= 0.3 * float(spending.expected(ONE)[0])
    found = customer_values(ONE, model=model, spending=spending, terms=terms)
    assert found[0] == pytest.approx(by_hand)
    assert spending.expected(_customers([(0, 0.0, 1.0, 0.0)]))[0] == pytest.approx(
        6.25 * 15.44 / 2.74
    )


def test_a_mean_value_that_is_infinite_is_none():
    spending = GammaGamma(2.0, 0.9, 10.0, 0.0, 0.0, 1)
    assert spending.population_mean is None
    assert np.isnan(spending.expected(_customers([(0, 0.0, 1.0, 0.0)]))[0])


def test_purchases_are_summed_by_day_and_counted_from_the_first():
    days = [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 15), date(2026, 1, 15)]
    bought = [Purchase("b", day, 10.0) for day in days]
    bought += [Purchase("a", date(2026, 1, 8), 7.0), Purchase("b", date(2026, 2, 1), 99.0)]
    found = summarise(bought, until=date(2026, 1, 29))
    assert found.ids == ("a", "b")
    assert found.repeats.tolist() == [0, 1]
    assert found.recency.tolist() == [0, 2]
    assert found.age.tolist() == [3, 4]
    assert found.mean_value.tolist() == [0, 20]
    assert later_repeats(bought, after=date(2026, 1, 29), until=date(2026, 3, 1)) == {"b": 1}
