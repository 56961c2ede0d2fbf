"""What the lifetime values of many customers follow from, in a fixed number of queries a batch."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from analytics.domain.lifetime_value import LoanWorth, falling_balances
from campaigns.models import Message
from customers.domain.loans.instalments import months_between
from customers.domain.loans.loan import LoanStatus, allocate, bucket_of, received_amount
from customers.models import Customer, Loan
from customers.selectors import loan_books
from customers.selectors.loan_books import NOT_BOOKED, LoanBook

_OPEN = (LoanStatus.ACTIVE, LoanStatus.OVERDUE)


def valued_customers() -> QuerySet[Customer]:
    """Return the customers who have a value: those with a loan or a message that cost something."""
    loans = Loan.objects.filter(customer=OuterRef("pk")).exclude(status__in=NOT_BOOKED)
    messages = Message.objects.filter(customer=OuterRef("pk"), cost_amount__gt=0)
    return Customer.objects.live().filter(Q(Exists(loans)) | Q(Exists(messages)))


def message_costs(customer_ids: Sequence[int]) -> dict[int, float]:
    """Return {customer: what all messages to them cost, in CNY} (1 query)."""
    rows = Message.objects.filter(customer_id__any_of=customer_ids, cost_amount__gt=0)
    summed = rows.values_list("customer_id").annotate(cost=Sum("cost_amount"))
    return {customer_id: float(cost) for customer_id, cost in summed}


def loan_worths(customer_ids: Sequence[int], *, as_of: date) -> dict[int, list[LoanWorth]]:
    """Return {customer: what of each loan enters the value} at the end of a day (3 queries)."""
    loans = list(
        Loan.objects.filter(customer_id__any_of=customer_ids, disbursed_on__lte=as_of).exclude(
            status__in=NOT_BOOKED
        )
    )
    books = loan_books.load_books(loan_ids=[loan.pk for loan in loans])
    found: dict[int, list[LoanWorth]] = defaultdict(list)
    for loan in loans:
        found[loan.customer_id].append(_worth(loan, books.get(loan.pk, LoanBook()), as_of))
    return found


def _worth(loan: Loan, book: LoanBook, as_of: date) -> LoanWorth:
    is_lost = loan.status == LoanStatus.CHARGED_OFF
    lines = allocate(schedule=book.schedule, payments=book.payments, as_of=as_of)
    if lines:
        interest = sum(line.paid_interest_amount for line in lines)
        fees = sum(line.paid_fee_amount for line in lines)
    else:
        # Without a plan whatever came in beyond the principal is interest.
        interest = max(received_amount(book.payments, as_of) - loan.principal_amount, 0)
        fees = 0
    parts = [
        (
            line.instalment.due_date,
            float(line.instalment.principal_amount - line.paid_principal_amount),
        )
        for line in lines
    ]
    balance = float(loan.outstanding_amount)
    return LoanWorth(
        annual_rate=float(loan.annual_rate or 0),
        interest_received=float(interest),
        fees_received=float(fees),
        lost_amount=balance if is_lost else 0.0,
        balances=_balances(loan, balance, parts, as_of) if loan.status in _OPEN else (),
        bucket=bucket_of(loan.dpd_days),
    )


def _balances(
    loan: Loan, balance: float, parts: Sequence[tuple[date, float]], as_of: date
) -> tuple[float, ...]:
    """Return the coming balances by the plan, arrears due at once; without one, by equal parts."""
    if not parts:
        left = max(loan.term_months - months_between(loan.disbursed_on, as_of), 1)
        return falling_balances(balance, [balance / left] * left)
    arrears = sum(amount for due_on, amount in parts if due_on <= as_of)
    coming = [amount for due_on, amount in parts if due_on > as_of]
    months = [coming[0] + arrears, *coming[1:]] if coming else [arrears]
    return falling_balances(balance, months)
