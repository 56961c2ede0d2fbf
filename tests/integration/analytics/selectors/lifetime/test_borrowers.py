"""The database's counts of borrowers against the rules applied to each borrower."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from analytics.domain.lifetime.churn import (
    BorrowedLoan,
    contract_churn,
    is_early,
    repeat_loan_rate,
)
from analytics.domain.lifetime.vocabulary import ChurnState
from analytics.selectors.lifetime.borrowers import load_borrower_figures
from customers.models import Instalment, Loan
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TODAY = date(2026, 7, 1)
UNTIL = TODAY - timedelta(days=180)
SINCE = UNTIL - timedelta(days=365)


def planted(count=60, seed=7):
    """People with up to three loans at random days: settled, running, written off, cancelled."""
    rng = random.Random(seed)
    books, rows, plans = {}, [], []
    for person in make_people(count):
        books[person.pk] = []
        for number in range(rng.randint(0, 3)):
            drawn = TODAY - timedelta(days=rng.randint(0, 1000))
            settled = drawn + timedelta(days=rng.randint(20, 700)) if rng.random() < 0.7 else None
            lost = drawn + timedelta(days=rng.randint(90, 500)) if rng.random() < 0.15 else None
            due = drawn + timedelta(days=365)
            status = rng.choice(["active", "active", "active", "cancelled"])
            rows.append(
                Loan(
                    customer=person,
                    source="bank",
                    external_id=f"{person.pk}-{number}",
                    principal_amount=1000,
                    term_months=12,
                    disbursed_on=drawn,
                    settled_on=settled,
                    charged_off_on=lost,
                    status=status,
                )
            )
            plans.append(due)
            if status != "cancelled":
                books[person.pk].append(BorrowedLoan((drawn,), settled, due, lost))
    Loan.objects.bulk_create(rows)
    Instalment.objects.bulk_create(
        Instalment(loan=loan, number=number, due_on=due - timedelta(days=30 * (2 - number)),
                   principal_amount=500)
        for loan, due in zip(Loan.objects.order_by("pk"), plans, strict=True)
        for number in (1, 2)
    )  # fmt: skip
    return list(books.values())


def test_s52_counts_equal_the_rules_of_every_borrower(django_assert_num_queries):
    books = planted()
    with django_assert_num_queries(3):
        found = load_borrower_figures(today=TODAY)

    states = Counter(
        contract_churn(loans, as_of=TODAY)
        for loans in books
        if contract_churn(loans, as_of=SINCE) is ChurnState.ACTIVE
    )
    assert found.states == states
    assert set(states) == {
        *(ChurnState.ACTIVE, ChurnState.CHURNED, ChurnState.WAITING, ChurnState.DEFAULTED)
    }
    assert (found.churn.successes, found.churn.trials) == (
        states[ChurnState.CHURNED], states.total()
    )  # fmt: skip

    settled = [
        is_early(loan)
        for loans in books
        for loan in loans
        if loan.settled_on and TODAY - timedelta(days=365) < loan.settled_on <= TODAY
    ]
    known = [early for early in settled if early is not None]
    assert (found.early.successes, found.early.trials) == (sum(known), len(known))
    assert 0 < sum(known) < len(known)

    firsts = [sorted(loans, key=lambda x: x.drawn_on) for loans in books if loans]
    wanted = repeat_loan_rate(
        [
            (loans, 1)
            for loans in firsts
            if loans[0].settled_on and SINCE < loans[0].settled_on <= UNTIL
        ],
        as_of=TODAY,
    )
    assert (found.repeat.successes, found.repeat.trials) == (wanted.successes, wanted.trials)
    assert 0 < wanted.successes < wanted.trials


def test_a_book_without_loans_has_no_rates():
    found = load_borrower_figures(today=TODAY)
    assert (found.churn.rate, found.early.rate, found.repeat.rate) == (None, None, None)
