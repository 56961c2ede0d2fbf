"""One loan month by month: its bucket at the end of each, and how its balance came to be.

    opening + new − paid − charged off = closing

holds for every loan and month, and so for every sum of them. Amounts are whole cents, because sums
of whole numbers are exact on every database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from customers.domain.loans.instalments import ScheduledInstalment, add_months
from customers.domain.loans.loan import (
    DEFAULT_POLICY,
    Bucket,
    LoanPolicy,
    LoanState,
    LoanStatus,
    Payment,
    loan_state,
)

_ZERO = Decimal(0)
_CENTS = 100


class BookState(StrEnum):
    """Where a loan stands at the end of a month: in a bucket, or out of the book."""

    NEW = "new"
    M0 = "M0"
    M1 = "M1"
    M2 = "M2"
    M3 = "M3"
    M3_PLUS = "M3+"
    CHARGED_OFF = "charged_off"
    SETTLED = "settled"


OPEN_STATES = tuple(BookState(bucket.value) for bucket in Bucket)
# What a bucket may lead to within a month.
END_STATES = (*OPEN_STATES, BookState.CHARGED_OFF, BookState.SETTLED)


@dataclass(frozen=True, slots=True)
class BookedLoan:
    """A loan that was paid out, with its plan and its payments.

    Attributes:
        closed_date: The day the lender closed it, whatever the plan says.
    """

    disbursed_date: date
    schedule: Sequence[ScheduledInstalment]
    payments: Sequence[Payment]
    closed_date: date | None = None
    charged_off_date: date | None = None


@dataclass(frozen=True, slots=True)
class MonthOfLoan:
    """One loan in one month; amounts in cents.

    Attributes:
        month: Last day of the month.
        opening: State at the end of the month before; NEW in the month of disbursement.
        closing: State at the end of the month.
        dpd_days: Days past due at the end of the month; 0 once out of the book.
        paid_cents: Principal paid less principal given back by reversals. What was still owed
            when the lender closed a loan counts as paid.
    """

    month: date
    opening: BookState
    closing: BookState
    dpd_days: int
    opening_cents: int
    new_cents: int
    paid_cents: int
    charged_off_cents: int
    closing_cents: int


def month_ends(first: date, last: date) -> Iterator[date]:
    """Yield the last day of every month from that of `first` on, up to the day `last`."""
    start = first.replace(day=1)
    while (end := add_months(start, 1) - timedelta(days=1)) <= last:
        yield end
        start = add_months(start, 1)


def months_of_loan(
    loan: BookedLoan, *, as_of: date, policy: LoanPolicy = DEFAULT_POLICY
) -> list[MonthOfLoan]:
    """Return the months of a loan that have ended by `as_of`, the first that of disbursement.

    Days past due, settlement and outstanding principal are those of `loan_state`. A loan that was
    charged off is out of the book for good; one that was settled comes back when a reversal opens
    it again, with a negative payment. Months out of the book are left out. A loan without a plan
    has no months: what it owes at the end of a month is not known.
    """
    lent = _cents(sum((line.principal_amount for line in loan.schedule), _ZERO))
    if not loan.schedule:
        return []
    found: list[MonthOfLoan] = []
    before, owed = BookState.NEW, 0
    for end in month_ends(loan.disbursed_date, as_of):
        is_charged_off = loan.charged_off_date is not None and loan.charged_off_date <= end
        seen = _state(loan, _looked_at(loan, end), policy)
        left = _cents(seen.outstanding_amount)
        new = lent if before is BookState.NEW else 0
        closing, lost = BookState(seen.bucket.value), 0
        if seen.status is LoanStatus.SETTLED:
            closing = BookState.SETTLED
        elif is_charged_off:
            closing, lost = BookState.CHARGED_OFF, left
        if closing is not BookState.SETTLED or before is not BookState.SETTLED:
            found.append(
                MonthOfLoan(
                    month=end,
                    opening=before,
                    closing=closing,
                    dpd_days=seen.dpd_days if closing in OPEN_STATES else 0,
                    opening_cents=owed,
                    new_cents=new,
                    paid_cents=owed + new - left,
                    charged_off_cents=lost,
                    closing_cents=left - lost,
                )
            )
        if closing is BookState.CHARGED_OFF:
            break
        before, owed = closing, left
    return found


def _looked_at(loan: BookedLoan, end: date) -> date:
    """Return the day whose state a month ends with: that of the charge-off where it is earlier."""
    charged_off = loan.charged_off_date
    if charged_off is None or charged_off > end:
        return end
    return max(charged_off, loan.disbursed_date, end.replace(day=1))


def _state(loan: BookedLoan, day: date, policy: LoanPolicy) -> LoanState:
    return loan_state(
        schedule=loan.schedule,
        payments=loan.payments,
        disbursed_date=loan.disbursed_date,
        as_of=day,
        settled_date=loan.closed_date,
        charged_off_date=loan.charged_off_date,
        policy=policy,
    )


def _cents(amount: Decimal) -> int:
    return int(amount * _CENTS)
