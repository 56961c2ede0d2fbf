"""A lender's book in which what people asked for and earn decides who pays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    EventType,
    Instalment,
    Loan,
    Repayment,
)

MONTHS = 6
INCOME = "monthly_income"


def make_book(count, *, now, seed=7):
    """Lend to so many people over the year before; nobody can be reached, so it costs little.

    The chance of default falls with income, a number that was written down on the day the person
    came, and with visits of the application; good payers pay every instalment on its day, bad ones
    none.
    """
    rng = np.random.default_rng(seed)
    income = np.round(rng.lognormal(9.0, 0.5, count), 2)
    visits = rng.poisson(3, count)
    chance = 1 / (1 + np.exp(1.2 + 2.2 * (np.log(income) - 9.0) + 0.35 * (visits - 3)))
    is_bad = rng.random(count) < chance
    days_ago = rng.integers(260, 640, count)
    people = [
        Customer(
            external_id=f"b{number}",
            gender="female" if number % 2 else "male",
            created_at=now - timedelta(days=700),
            updated_at=now - timedelta(days=700),
        )
        for number in range(count)
    ]
    Customer.objects.bulk_create(people)
    definition = AttributeDefinition.objects.create(
        name=INCOME, value_type="number", label_zh="月收入", label_en="monthly income"
    )
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person,
            definition=definition,
            number=Decimal(str(income[at])),
            updated_at=now - timedelta(days=690),
        )
        for at, person in enumerate(people)
    )
    kind = EventType.objects.get_or_create(name="app_login")[0]
    Event.objects.bulk_create(
        Event(
            customer=person,
            type=kind,
            occurred_at=now - timedelta(days=int(days_ago[at]) + 5 + turn),
            received_at=now,
            source="test",
            dedup_key=f"{at}-{turn}",
        )
        for at, person in enumerate(people)
        for turn in range(visits[at])
    )
    applications = [
        Application(
            source="test",
            external_id=f"a{at}",
            customer=person,
            amount=Decimal(int(rng.integers(2, 30)) * 1000),
            channel="web" if at % 3 else "partner",
            status="approved",
            submitted_at=now - timedelta(days=int(days_ago[at])),
        )
        for at, person in enumerate(people)
    ]
    Application.objects.bulk_create(applications)
    loans = [
        Loan(
            source="test",
            external_id=f"l{at}",
            customer=person,
            application=applications[at],
            principal_amount=applications[at].amount,
            annual_rate=Decimal("0.12"),
            term_months=MONTHS,
            disbursed_on=(now - timedelta(days=int(days_ago[at]))).date() + timedelta(days=1),
            status="active",
        )
        for at, person in enumerate(people)
    ]
    Loan.objects.bulk_create(loans)
    plans, paid = [], []
    for at, loan in enumerate(loans):
        part = (loan.principal_amount / MONTHS).quantize(Decimal("0.01"))
        for number in range(1, MONTHS + 1):
            due = loan.disbursed_on + timedelta(days=30 * number)
            plans.append(Instalment(loan=loan, number=number, due_on=due, principal_amount=part))
            if not is_bad[at]:
                paid.append(
                    Repayment(
                        source="test",
                        external_id=f"{at}-{number}",
                        loan=loan,
                        paid_on=due,
                        amount=part,
                    )
                )
    Instalment.objects.bulk_create(plans, batch_size=2000)
    Repayment.objects.bulk_create(paid, batch_size=2000)
    return people, is_bad


def long_ago():
    """Return a moment before everything."""
    return datetime(2020, 1, 1, tzinfo=UTC)
