"""What signals look at: the facts of one person up to a day, nothing later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from customers.domain.loans.instalments import ScheduledInstalment
from customers.domain.loans.loan import Payment


@dataclass(frozen=True, slots=True)
class WatchedLoan:
    """One loan with its plan and everything received for it.

    Attributes:
        closed_on: The day it was closed by hand, as early settlements are.
    """

    loan_id: int
    disbursed_on: date
    schedule: Sequence[ScheduledInstalment]
    payments: Sequence[Payment]
    closed_on: date | None = None
    charged_off_on: date | None = None


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What one bureau report said.

    Attributes:
        utilisation: Σ balance / Σ limit; None where no open account has a limit.
        recent_inquiry_count: Inquiries of the 30 days before it.
    """

    pulled_on: date
    utilisation: Decimal | None
    recent_inquiry_count: int


@dataclass(frozen=True, slots=True)
class ScoredBand:
    """The band of a score from a day on; 0 is the best.

    Attributes:
        version: Which version of the model scored; bands of two versions are not the same.
        is_champion: The version was champion of a model for the risk of default.
    """

    model: str
    scored_on: date
    rank: int
    version: str = ""
    is_champion: bool = False


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is known of one person; the sequences are in order of their days.

    Attributes:
        contact_changed_on: The last day on which a phone number or address was added to earlier
            ones of its kind.
        last_active_on: The last day on which the person did anything themselves.
        credited_on: Days on which money came in on the account.
    """

    customer_id: int
    loans: Sequence[WatchedLoan] = ()
    reports: Sequence[ReportFacts] = ()
    scores: Sequence[ScoredBand] = ()
    credited_on: Sequence[date] = ()
    contact_changed_on: date | None = None
    last_active_on: date | None = None
