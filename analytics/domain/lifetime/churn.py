"""Who has left by contract, who settled early, and who borrowed again.

By contract a customer has churned when all loans are settled and no new money was drawn within N
days of the last settlement. Whose N days are not over yet is unknown, never kept. Whoever defaulted
has not churned: they did not leave, and are not to be won back. Settling before the last due date
is early, whatever follows. What came after the day looked at is not seen, a default no more than a
settlement.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analytics.domain.lifetime.vocabulary import ChurnState
from analytics.domain.rates import Proportion, wilson

WINDOW_DAYS = 180
# A settlement so many days before the last due date is early; a few days are a payment's way.
EARLY_DAYS = 30


@dataclass(frozen=True, slots=True)
class BorrowedLoan:
    """One loan.

    Attributes:
        drawn_on: Days on which money was drawn; the first is the disbursement.
        settled_on: None while it runs.
        due_on: The last due date of the plan; None without one.
        defaulted_on: The day it was in default or written off; None if it never was.
    """

    drawn_on: tuple[date, ...]
    settled_on: date | None = None
    due_on: date | None = None
    defaulted_on: date | None = None

    def has_defaulted(self, by: date) -> bool:
        """Return whether it was in default by the end of a day."""
        return self.defaulted_on is not None and self.defaulted_on <= by


def contract_churn(
    loans: Sequence[BorrowedLoan], *, as_of: date, window_days: int = WINDOW_DAYS
) -> ChurnState:
    """Return whether a borrower has left by the end of a day; what happened later is not seen."""
    known = [loan for loan in loans if min(loan.drawn_on) <= as_of]
    if not known:
        return ChurnState.NEVER_BORROWED
    if any(loan.has_defaulted(as_of) for loan in known):
        return ChurnState.DEFAULTED
    if any(loan.settled_on is None or loan.settled_on > as_of for loan in known):
        return ChurnState.ACTIVE
    last = max(loan.settled_on for loan in known if loan.settled_on is not None)
    is_over = as_of >= last + timedelta(days=window_days)
    return ChurnState.CHURNED if is_over else ChurnState.WAITING


def is_early(loan: BorrowedLoan, *, early_days: int = EARLY_DAYS) -> bool | None:
    """Return whether a loan was settled early; None while it runs, in default, without a plan."""
    if loan.settled_on is None or loan.due_on is None or loan.has_defaulted(loan.settled_on):
        return None
    return loan.due_on - loan.settled_on >= timedelta(days=early_days)


def churn_rate(counts: Mapping[ChurnState, int]) -> Proportion:
    """Return the churned ÷ all who had a loan running, none in default, at the start of a period.

    Args:
        counts: How these borrowers stand when the window after the period's end is over, so that
            of each it is known whether they left in the period. Who settled only after its end
            (`WAITING`) had not left by then; who defaulted did not leave.

    Source: docs/metrics.md, "Churn by contract".
    """
    return wilson(counts.get(ChurnState.CHURNED, 0), sum(counts.values()))


def early_rate(settled: Iterable[tuple[BorrowedLoan, int]]) -> Proportion:
    """Return the loans settled early ÷ those settled, without default and with a plan.

    Args:
        settled: Loans, each with how many of its like there are.
    """
    known = [(is_early(loan), count) for loan, count in settled]
    return wilson(
        sum(count for early, count in known if early),
        sum(count for early, count in known if early is not None),
    )


def has_come_back(
    loans: Sequence[BorrowedLoan], *, as_of: date, window_days: int = WINDOW_DAYS
) -> bool | None:
    """Return whether a borrower took a further loan by the end of the window after the first.

    The window begins when the first loan is settled; a further loan beside the first counts.
    Whoever drew again counts at once, who did not once the window is over: until then None, as
    without a settled first loan or with one in default.
    """
    seen = sorted((x for x in loans if min(x.drawn_on) <= as_of), key=lambda x: min(x.drawn_on))
    if not seen or seen[0].has_defaulted(as_of):
        return None
    settled = seen[0].settled_on
    if settled is None or settled > as_of:
        return None
    end = settled + timedelta(days=window_days)
    if any(min(loan.drawn_on) <= min(end, as_of) for loan in seen[1:]):
        return True
    return False if as_of >= end else None


def repeat_loan_rate(
    borrowers: Iterable[tuple[Sequence[BorrowedLoan], int]],
    *,
    as_of: date,
    window_days: int = WINDOW_DAYS,
) -> Proportion:
    """Return who came back ÷ those of whom it is known.

    Args:
        borrowers: Loans of a borrower, with how many borrowers of such loans there are.
    """
    known = [
        (has_come_back(loans, as_of=as_of, window_days=window_days), count)
        for loans, count in borrowers
    ]
    return wilson(
        sum(count for again, count in known if again),
        sum(count for again, count in known if again is not None),
    )
