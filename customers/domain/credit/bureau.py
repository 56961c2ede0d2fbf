"""What a credit bureau's report says of a person, as measures.

A report may be read for what it was asked for, and for nothing else (Regulation on the
Administration of the Credit Reporting Industry, articles 18 and 20): every pull carries its purpose
and the person's consent to it, and a measure is only of pulls that were made for its use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from customers.domain.loans.instalments import MonthRule, months_between

# How long a report is used where the bureau says nothing of it.
VALID_DAYS = 180
RECENT_DAYS = 30
_PLACES = Decimal("0.000001")
_ZERO = Decimal(0)


class PullPurpose(StrEnum):
    """What a report was asked for."""

    CREDIT_REVIEW = "credit_review"
    ACCOUNT_REVIEW = "account_review"
    MARKETING = "marketing"


# Scores, decisions and warnings read what was pulled to decide about credit or to look after it.
RISK_PURPOSES = frozenset({PullPurpose.CREDIT_REVIEW, PullPurpose.ACCOUNT_REVIEW})
MARKETING_PURPOSES = frozenset({PullPurpose.MARKETING})


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """One account elsewhere: a loan or a card.

    Attributes:
        limit_amount: What may be drawn; None for a loan that is drawn once.
        max_dpd_days: Most days past due of the last 24 months.
    """

    opened_on: date
    closed_on: date | None
    limit_amount: Decimal | None
    balance_amount: Decimal
    max_dpd_days: int


@dataclass(frozen=True, slots=True)
class BureauMeasures:
    """The measures of one report.

    Attributes:
        open_count: Accounts that are not closed.
        utilisation: Σ balance / Σ limit over open accounts with a limit; None without any.
        max_dpd_days: The worst of all accounts.
        recent_inquiry_count: Inquiries of the 30 days up to the day looked at.
        file_age_months: Completed months since the first account was opened; None without any.
    """

    open_count: int
    utilisation: Decimal | None
    max_dpd_days: int
    recent_inquiry_count: int
    file_age_months: int | None


def measures(
    lines: Sequence[ReportedLine], inquired_on: Iterable[date], *, on: date
) -> BureauMeasures:
    """Return the measures of a report on a day; what lies after that day is left out."""
    known = [line for line in lines if line.opened_on <= on]
    running = [line for line in known if line.closed_on is None or line.closed_on > on]
    limited = [line for line in running if line.limit_amount]
    limit = sum((line.limit_amount or _ZERO for line in limited), _ZERO)
    used = sum((line.balance_amount for line in limited), _ZERO)
    since = on - timedelta(days=RECENT_DAYS)
    opened = min((line.opened_on for line in known), default=None)
    return BureauMeasures(
        open_count=len(running),
        utilisation=(used / limit).quantize(_PLACES, ROUND_HALF_UP) if limit else None,
        max_dpd_days=max((line.max_dpd_days for line in known), default=0),
        recent_inquiry_count=sum(since < day <= on for day in inquired_on),
        file_age_months=(
            None if opened is None else months_between(opened, on, MonthRule.ANNIVERSARY)
        ),
    )
