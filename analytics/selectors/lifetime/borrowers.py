"""How many borrowers left, settled early and came back: alike ones counted by the database."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from analytics.domain.lifetime.churn import (
    WINDOW_DAYS,
    BorrowedLoan,
    churn_rate,
    contract_churn,
    early_rate,
    repeat_loan_rate,
)
from analytics.domain.lifetime.vocabulary import ChurnState
from analytics.domain.rates import Proportion
from loancrm.kernel.database.named_sql import statement

PERIOD_DAYS = 365


@dataclass(frozen=True, slots=True)
class BorrowerFigures:
    """Who left, settled early and came back.

    Attributes:
        since, until: Days without the first, with the last: churn and repeat loans are of the year
            that ended before the window began, so that of everybody it is known.
        states: How those stand today who had a loan running at the start.
        early_since: Early settlements are of the year up to today.
    """

    since: date
    until: date
    states: Counter[ChurnState]
    churn: Proportion
    early_since: date
    early: Proportion
    repeat: Proportion


def load_borrower_figures(*, today: date, window_days: int = WINDOW_DAYS) -> BorrowerFigures:
    """Return the figures (3 queries)."""
    until = today - timedelta(days=window_days)
    since = until - timedelta(days=PERIOD_DAYS)
    early_since = today - timedelta(days=PERIOD_DAYS)
    states: Counter[ChurnState] = Counter()
    for settled_on, is_defaulted, count in _rows("borrowers", as_of=today, since=since):
        # Of all loans of a borrower the one that decides.
        loan = BorrowedLoan(
            (since,), _day(settled_on), defaulted_on=today if is_defaulted else None
        )
        states[contract_churn([loan], as_of=today, window_days=window_days)] += count
    settled = [
        (BorrowedLoan((early_since,), _day(on), _day(due), _day(bad)), count)
        for on, due, bad, count in _rows("settled_loans", as_of=today, since=early_since)
    ]
    firsts: list[tuple[Sequence[BorrowedLoan], int]] = [
        (_first_and_next(_day(on), _day(after), _day(bad)), count)
        for on, after, bad, count in _rows("first_loans", as_of=today, since=since, until=until)
    ]
    return BorrowerFigures(
        since=since,
        until=until,
        states=states,
        churn=churn_rate(states),
        early_since=early_since,
        early=early_rate(settled),
        repeat=repeat_loan_rate(firsts, as_of=today, window_days=window_days),
    )


def _first_and_next(
    settled_on: date | None, next_on: date | None, defaulted_on: date | None
) -> list[BorrowedLoan]:
    first = BorrowedLoan((date.min,), settled_on, defaulted_on=defaulted_on)
    return [first] if next_on is None else [first, BorrowedLoan((next_on,))]


def _rows(name: str, **days: date) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("analytics", "lifetime/loans") + statement("analytics", f"lifetime/{name}"),
            {key: day.isoformat() for key, day in days.items()},
        )
        yield from cursor.fetchall()


def _day(value: object) -> date | None:
    """Return a day; SQLite gives a text."""
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))
