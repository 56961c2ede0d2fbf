"""Stages of open loans and their expected losses, beside the formula loan by loan."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.domain.credit import expected_loss
from analytics.domain.credit.expected_loss import LossTerms, Stage
from analytics.models import PolicyVersion
from analytics.selectors.credit import staging, values
from customers.models import Loan, Score
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TODAY = date(2026, 7, 15)


def lend(person, key, dpd=0, **columns):
    given = {"source": "bank", "status": "overdue" if dpd else "active", "annual_rate": "0.12"}
    given |= {"principal_amount": 100, "term_months": 24, "outstanding_amount": 100}
    return Loan.objects.create(
        customer=person,
        external_id=key,
        disbursed_on=date(2026, 3, 1),
        dpd_days=dpd,
        **{**given, **columns},
    )


def score(person, band, month, *, latest):
    Score.objects.create(
        customer=person,
        model_name="pd",
        version="1",
        value="0.1",
        band=band,
        scored_at=datetime(2026, month, 1, tzinfo=UTC),
        is_latest=latest,
    )


def policy_in_force():
    PolicyVersion.objects.create(
        number=1,
        content={"score_model": "pd", "cut_off": "0.2"},
        digest="",
        state="active",
        reason="-",
        proposed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_loans_are_staged_by_days_past_due_and_by_fallen_scores():
    one, two, three = make_people(3)
    policy_in_force()
    for person, then, now in ((one, "A", "C"), (two, "A", "B"), (three, "C", "A")):
        score(person, then, 1, latest=False)
        score(person, now, 6, latest=True)
    lend(one, "fallen")
    lend(two, "one band")
    lend(three, "risen")
    lend(three, "thirty", 30)
    lend(three, "thirty-one", 31)
    lend(three, "eighty-nine", 89)
    lend(three, "ninety", 90)
    lend(three, "settled", status="settled")
    lend(three, "reported", is_state_reported=True, status="overdue")

    loans = staging.staged_loans(score_model=staging.score_model_in_use())

    assert {loan.external_id: loan.stage for loan in loans} == {
        "fallen": "2",
        "one band": "1",
        "risen": "1",
        "thirty": "1",
        "thirty-one": "2",
        "eighty-nine": "2",
        "ninety": "3",
    }


def test_a_score_after_the_disbursement_is_no_point_to_fall_from():
    (person,) = make_people(1)
    policy_in_force()
    score(person, "D", 6, latest=True)
    lend(person, "new score")

    (loan,) = staging.staged_loans(score_model="pd")

    assert (loan.stage, loan.bands_fallen) == ("1", 0)


def test_losses_are_those_of_the_formula_loan_by_loan(django_assert_num_queries):
    (person,) = make_people(1)
    for number, dpd in enumerate((0, 0, 20, 45, 70, 100)):
        lend(person, f"L{number}", dpd)
    given = values.load_values()

    with django_assert_num_queries(2):
        lines = staging.load_stages(values=given, today=TODAY)

    rates = values.yearly_defaults(given)
    exposures = expected_loss.yearly_exposures(100.0, 24 - 4)
    expected = dict.fromkeys(Stage, 0.0)
    for loan in staging.staged_loans(score_model=""):
        terms = LossTerms(exposures, [rates[loan.bucket], rates["M0"]], 0.65, 0.12)
        expected[Stage(loan.stage)] += expected_loss.loss_of_stage(Stage(loan.stage), terms)
    assert {line.stage: line.loss_amount for line in lines} == pytest.approx(expected)
    assert [(line.loan_count, line.outstanding_amount) for line in lines] == [
        (3, Decimal(300)),
        (2, Decimal(200)),
        (1, Decimal(100)),
    ]
    assert lines[2].loss_amount == pytest.approx(65)


def test_an_empty_book_has_empty_stages():
    lines = staging.load_stages(values=values.load_values(), today=TODAY)

    assert [(line.loan_count, line.loss_amount) for line in lines] == [(0, 0.0)] * 3
