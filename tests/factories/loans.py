"""Loans with a plan, and payments of its instalments."""

from datetime import date
from decimal import Decimal

from customers.domain.loans.instalments import equal_instalment_schedule
from customers.models import Instalment, Loan, Repayment


def make_loan(person, key, booked, *, amount=1200, months=12, rate="0", paid=(), **columns):
    """Lend to somebody by equal instalments; `paid` holds (day, amount) of what came in."""
    values = {"source": "bank", "status": "active", "annual_rate": Decimal(rate), **columns}
    loan = Loan.objects.create(
        customer=person,
        external_id=key,
        disbursed_on=booked,
        principal_amount=amount,
        term_months=months,
        **values,
    )
    plan = equal_instalment_schedule(
        principal_amount=Decimal(amount),
        annual_rate=Decimal(rate),
        months=months,
        disbursed_date=booked,
    )
    Instalment.objects.bulk_create(
        Instalment(
            loan=loan,
            number=line.number,
            due_on=line.due_date,
            principal_amount=line.principal_amount,
            interest_amount=line.interest_amount,
        )
        for line in plan
    )
    pay(loan, *paid)
    return loan


def pay(loan, *payments):
    """Note money that came in."""
    for day, amount in payments:
        Repayment.objects.create(
            source="bank",
            external_id=f"{loan.external_id}-{Repayment.objects.count()}",
            loan=loan,
            paid_on=day,
            amount=Decimal(amount),
        )


def on(text):
    """Return a day from its ISO text."""
    return date.fromisoformat(text)
