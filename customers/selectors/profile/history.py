"""How one customer came to be what they are: stages, scores, activity and balance over time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncMonth

from customers.domain.events.event import EventName
from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.loans.instalments import add_months
from customers.domain.loans.loan import LoanStatus, loan_state, received_amount
from customers.models import Customer, Event, Loan, Score, StageEntry
from customers.selectors import loan_books
from customers.selectors.loan_books import LoanBook

MONTHS = 12
SCORES_SHOWN = 60
_ZERO = Decimal(0)
# Done to the customer, or derived: no activity.
_NOT_ACTIVITY = (
    EventName.MESSAGE_SENT,
    EventName.MESSAGE_DELIVERED,
    EventName.MESSAGE_BOUNCED,
    EventName.STAGE_ENTERED,
    EventName.STAGE_LEFT,
)


@dataclass(frozen=True, slots=True)
class LifecycleStay:
    """A stay in a lifecycle stage; `left_at` is None for the present one."""

    stage: str
    entered_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """What happened in one month, and what was owed at its end (or today)."""

    start: date
    event_count: int
    balance_amount: Decimal


@dataclass(frozen=True, slots=True)
class Activity:
    """Names and channels of everything that happened, and the customer's own events by month."""

    names: tuple[str, ...]
    channels: tuple[str, ...]
    by_month: Mapping[date, int]


def stage_history(customer: Customer) -> list[LifecycleStay]:
    """Return the stays, the present one first (1 query).

    Who has done nothing yet has been a lead since the first day, without a row that says so.
    """
    rows = StageEntry.objects.filter(customer=customer).order_by("-entered_at")
    stays = [LifecycleStay(row.stage, row.entered_at, row.left_at) for row in rows]
    return stays or [LifecycleStay(LifecycleStage.LEAD, customer.created_at)]


def score_versions(customer: Customer) -> list[Score]:
    """Return the scores with version and time, those in use first, then the newest (1 query)."""
    return list(
        Score.objects.filter(customer=customer).order_by(
            "-is_latest", "model_name", "-scored_at", "-pk"
        )[:SCORES_SHOWN]
    )


def activity(customer: Customer, *, zone: ZoneInfo) -> Activity:
    """Return what happened to the customer, and how much of it they did a month (1 query)."""
    counted = (
        Event.objects.filter(customer=customer)
        .annotate(month=TruncMonth("occurred_at", tzinfo=zone))
        .values_list("type__name", "channel", "month")
        .annotate(n=Count("pk"))
        .order_by("type__name")
    )
    names: dict[str, None] = {}
    channels: set[str] = set()
    by_month: Counter[date] = Counter()
    for name, channel, month, count in counted:
        names[name] = None
        channels.add(channel)
        if name not in _NOT_ACTIVITY:
            by_month[month.date()] += count
    return Activity(tuple(names), tuple(sorted(channels - {""})), by_month)


def months(done: Activity, *, loans: Sequence[Loan], today: date) -> list[Month]:
    """Return the last twelve months, the present one last (1 query, none without loans).

    Args:
        done: The customer's activity.
        loans: All loans of the customer.
        today: The company's date; the present month's balance is today's.
    """
    present = today.replace(day=1)
    starts = [add_months(present, back) for back in range(1 - MONTHS, 1)]
    books = loan_books.load_books(loan_ids=[loan.pk for loan in loans]) if loans else {}
    found = []
    for start in starts:
        day = min(add_months(start, 1) - timedelta(days=1), today)
        balance = sum((_owed(loan, books.get(loan.pk), day) for loan in loans), _ZERO)
        found.append(Month(start, done.by_month.get(start, 0), balance))
    return found


def _owed(loan: Loan, book: LoanBook | None, day: date) -> Decimal:
    """Return what was owed at the end of a day; without a plan, what was lent less received."""
    ended = loan.settled_on or loan.closed_on
    is_over = ended is not None and ended <= day
    if loan.status == LoanStatus.CANCELLED or loan.disbursed_on > day or is_over:
        return _ZERO
    if book is not None and book.schedule:
        return loan_state(
            schedule=book.schedule,
            payments=book.payments,
            disbursed_date=loan.disbursed_on,
            as_of=day,
            settled_date=loan.closed_on,
            charged_off_date=loan.charged_off_on,
        ).outstanding_amount
    paid = received_amount(book.payments, day) if book is not None else _ZERO
    return max(loan.principal_amount - paid, _ZERO)
