"""Hand-made campaigns: what they cost and brought in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.dashboards import charts
from analytics.domain.campaign_worth import ReturnAssumptions
from customers.models import Loan
from tests.integration.analytics.selectors.scene import SENT_AT, lend


def _parts(figure):
    return figure.numerator, figure.denominator


@pytest.mark.sql
def test_cost_figures_are_exact_to_the_cent(scene):
    lend(scene)

    report = scene.report()
    figures, (sms,) = report.figures, report.channels

    assert figures["cost"].value == Decimal("120.00")
    assert figures["cost_per_conversion"].value == Decimal("4.00")
    assert figures["cac_fully_loaded"].value == Decimal("40.00")
    assert _parts(figures["cac_fully_loaded"]) == (Decimal("120.00"), 3)
    assert sms.figures["cac"].value == Decimal("33.33")
    assert sms.figures["cost_per_conversion"].value == Decimal("3.33")
    # All 30 are extra, for nobody of the holdout converted.
    assert figures["cac_incremental"].value == Decimal("4.00")


@pytest.mark.sql
def test_return_takes_interest_less_expected_loss_of_the_loans_that_followed(scene):
    lend(scene)

    derived = scene.report().figures["roi"]
    given = scene.report(
        assumptions=ReturnAssumptions(
            margin_per_customer_amount=Decimal(10),
            loss_given_default=Decimal(0),
        )
    ).figures["roi"]

    # Four loans of 15 interest; 800 outstanding x .65 x .02 expected loss; cost 120.
    assert derived.value == pytest.approx((60 - 10.4 - 120) / 120)
    assert derived.numerator == Decimal("-70.40")
    assert given.value == pytest.approx((300 - 120) / 120)


@pytest.mark.sql
def test_retention_counts_months_that_have_ended_only(scene):
    lend(scene)

    report = scene.report()

    # Converted on 11 January; on 1 March month 0 has ended. Four of 30 have a loan.
    assert _parts(report.retention[0]) == (4, 30)
    assert [figure.value for figure in report.retention[1:]] == [None] * 11
    assert report.retention[1].excluded_count == 30
    assert report.rolling_retention[0].value == pytest.approx(4 / 30)


@pytest.mark.sql
def test_default_rates_are_blank_where_no_loan_is_old_enough(scene):
    lend(scene)
    later = datetime(2026, 3, 20, tzinfo=UTC)

    curves = scene.report(as_of=later).default_rates
    by_month = {figure.window.length: figure for figure in curves[30]}

    # Disbursed on 12 January, due on 12 February, unpaid: 30 days past due on 14 March. One paid.
    assert _parts(by_month[1]) == (0, 4)
    assert _parts(by_month[2]) == (0, 4)
    assert (by_month[3].value, by_month[3].excluded_count) == (None, 4)
    in_april = scene.report(as_of=datetime(2026, 4, 20, tzinfo=UTC)).default_rates
    by_month = {figure.window.length: figure for figure in in_april[30]}
    assert _parts(by_month[3]) == (4, 4)
    assert {figure.value for figure in in_april[90]} == {0.0, None}


@pytest.mark.sql
def test_default_rates_are_told_by_the_amount_lent_too(scene):
    lend(scene)
    Loan.objects.filter(pk=Loan.objects.order_by("pk").first().pk).update(principal_amount=900)

    curves = scene.report(as_of=datetime(2026, 4, 20, tzinfo=UTC)).default_amount_rates
    by_month = {figure.window.length: figure for figure in curves[30]}

    # Four loans, one of 900 and three of 300; all were 30 days past due by the third month.
    assert (by_month[3].numerator, by_month[3].denominator) == (1800, 1800)
    assert (by_month[1].value, by_month[1].low, by_month[1].denominator) == (0.0, None, 1800)
    assert (by_month[6].value, by_month[6].note, by_month[6].excluded_count) == (
        None,
        "immature",
        4,
    )
    page = charts.curves("d", "d", {"by amount": curves[30]}, axis="x")
    drawn = page.option["series"][0]["data"]
    assert [point and point["value"] for point in drawn] == [0.0, 0.0, 1.0, None, None, None]


@pytest.mark.sql
def test_without_any_loan_retention_is_unknown_and_not_zero(scene):
    scene.message("c1")
    scene.applied("c1", SENT_AT + timedelta(days=1))

    report = scene.report()

    assert {(figure.value, figure.note) for figure in report.retention} == {(None, "no_loans")}
