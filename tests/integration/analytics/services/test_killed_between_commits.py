"""Scores of everybody, killed after any commit and computed again, are those of one run."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from analytics.services import lifetime_value, spending
from customers.models import Event, EventType, Instalment, Loan
from customers.services import scores
from tests.factories.links import make_linked
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
NOW = datetime(2026, 7, 20, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 8, 20, 2, 0, tzinfo=UTC)
NAMES = ("c1", "c2", "c3", "c4")


def borrow(person, amount):
    loan = Loan.objects.create(
        source="core", external_id=f"L{person.external_id}-{amount}", customer=person,
        principal_amount=amount, annual_rate=Decimal("0.24"), term_months=1,
        disbursed_on=date(2026, 2, 1), outstanding_amount=amount,
    )  # fmt: skip
    Instalment.objects.create(
        loan=loan, number=1, due_on=date(2026, 8, 1), principal_amount=amount, interest_amount=24
    )


def spend(person, month, amount, subject):
    kind, _created = EventType.objects.get_or_create(name="purchase_made")
    at = datetime(2026, month, 3, 4, tzinfo=UTC)
    Event.objects.create(
        customer=person, type=kind, occurred_at=at, received_at=at, amount=amount,
        subject=subject, source="bank", dedup_key=f"{person.external_id}-{month}-{subject}",
    )  # fmt: skip


def test_a7_lifetime_values_are_the_same_after_a_kill_at_any_commit(actor, monkeypatch):
    """Also where there were values before, of which some change and some people have none."""
    monkeypatch.setattr(scores, "_BATCH", 2, raising=True)

    def value(at):
        lifetime_value.value_customers(actor=actor, as_of=at.date(), now=at)

    def prepare():
        people = make_linked(list(NAMES))
        for number, name in enumerate(NAMES[:3], 1):
            borrow(people[name], 1000 * number)
        value(NOW)
        Loan.objects.filter(customer=people["c1"]).update(outstanding_amount=0)
        borrow(people["c4"], 5000)

    assert_kills_leave_no_trace(prepare, lambda: value(LATER), commits=3)


def test_a7_spending_habits_are_the_same_after_a_kill_at_any_commit(actor, monkeypatch):
    monkeypatch.setattr(scores, "_BATCH", 2, raising=True)

    def describe(at):
        spending.describe_spending(actor=actor, as_of=at.date(), now=at)

    def prepare():
        people = make_linked(list(NAMES))
        for name in NAMES[:3]:
            for month in (4, 5, 6):
                spend(people[name], month, 100 * month, "food")
        describe(NOW)
        Event.objects.filter(customer=people["c1"]).update(subject="rent")
        spend(people["c4"], 7, 900, "travel")

    assert_kills_leave_no_trace(prepare, lambda: describe(LATER), commits=4)
