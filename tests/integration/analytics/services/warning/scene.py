"""Loans of people, with a plan of monthly instalments of 100."""

from datetime import date
from decimal import Decimal

from customers.models import Customer, Instalment, Loan, Repayment

DISBURSED = date(2026, 1, 20)
DUE = (date(2026, 2, 20), date(2026, 3, 20), date(2026, 4, 20))


def lend(
    customer: Customer, *, disbursed_on: date = DISBURSED, due: tuple[date, ...] = DUE
) -> Loan:
    """Pay out a loan of instalments of 100 that are due on these days."""
    loan = Loan.objects.create(
        customer=customer,
        source="core",
        external_id=f"L{customer.pk}-{disbursed_on}",
        principal_amount=100 * len(due),
        term_months=len(due),
        disbursed_on=disbursed_on,
    )
    Instalment.objects.bulk_create(
        Instalment(loan=loan, number=number, due_on=day, principal_amount=100)
        for number, day in enumerate(due, start=1)
    )
    return loan


def repay(loan: Loan, on: date, amount: int = 100) -> Repayment:
    """Receive money for a loan."""
    return Repayment.objects.create(
        source="core",
        external_id=f"{loan.pk}-{on}-{amount}",
        loan=loan,
        paid_on=on,
        amount=Decimal(amount),
    )
