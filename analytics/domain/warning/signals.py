"""Signals of a person's getting worse, each a function of facts up to a day.

Source: the early warning rule set of docs/early_warning.md; days past due by first-in-first-out
allocation as everywhere (customers.domain.loans.loan).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from analytics.domain.warning.facts import PersonFacts, ReportFacts, WatchedLoan
from customers.domain.loans.loan import (
    Bucket,
    allocate,
    bucket_of,
    days_past_due,
    loan_state,
)

_BUCKETS = tuple(Bucket)
_MONTH = 30
_MIN_PAYDAYS = 3


class Signal(StrEnum):
    """What a rule looks for."""

    FIRST_PAYMENT_MISSED = "first_payment_missed"
    BUCKET_UP = "bucket_up"
    PARTIAL_PAYMENTS = "partial_payments"
    UTILISATION_HIGH = "utilisation_high"
    INQUIRIES_MANY = "inquiries_many"
    CONTACT_CHANGED = "contact_changed"
    SALARY_STOPPED = "salary_stopped"
    SCORE_DROPPED = "score_dropped"
    PARTNER_FIRST_DEFAULT = "partner_first_default"
    SEGMENT_ARREARS = "segment_arrears"
    SEGMENT_DRIFT = "segment_drift"


@dataclass(frozen=True, slots=True)
class SignalLimits:
    """The numbers of a rule; each signal reads its own.

    Attributes:
        days: Days past due, of inactivity, or without money, from which it speaks.
        window_days: How far it looks back.
        count: How many of something.
        level: A share, a ratio or an index; the p-value of a limit.
        rise: By how much a share rose.
        rate: The rate that is to be expected.
        score_model: Name of the score that is meant; empty for that of the champion.
    """

    days: int = 0
    window_days: int = 0
    count: int = 0
    level: Decimal = Decimal(0)
    rise: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)
    score_model: str = ""


@dataclass(frozen=True, slots=True)
class SignalFinding:
    """What a signal found: numbers and dates to be shown, no names."""

    facts: Mapping[str, int | str]


Evaluator = Callable[[PersonFacts, SignalLimits, date], SignalFinding | None]


def evaluate_signal(
    signal: Signal, facts: PersonFacts, limits: SignalLimits, *, on: date
) -> SignalFinding | None:
    """Return what a signal of a person finds at the end of a day; None for nothing."""
    return EVALUATORS[signal](facts, limits, on)


def _first_payment_missed(
    facts: PersonFacts, limits: SignalLimits, on: date
) -> SignalFinding | None:
    """The first instalment is not paid some days after its due date."""
    for loan in _running(facts.loans, on):
        first = min(loan.schedule, key=lambda line: (line.due_date, line.number), default=None)
        if first is None or (on - first.due_date).days < max(limits.days, 1):
            continue
        (line, *_rest) = allocate(schedule=loan.schedule, payments=loan.payments, as_of=on)
        if line.unpaid_amount > 0:
            days = (on - first.due_date).days
            return SignalFinding({"loan": loan.loan_id, "days": days})
    return None


def _bucket_up(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """A loan is in a worse bucket than at the beginning of the window, and at least so late."""
    before = on - timedelta(days=limits.window_days)
    for loan in _running(facts.loans, on):
        now_days = _dpd(loan, on)
        then_days = _dpd(loan, before) if loan.disbursed_on <= before else 0
        if now_days >= max(limits.days, 1) and _bucket(now_days) > _bucket(then_days):
            return SignalFinding({"loan": loan.loan_id, "days": now_days, "before": then_days})
    return None


def _partial_payments(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """So many instalments in a row were paid in part only by their due date, the last one lately.

    In part: something came in for the instalment, and not all of it, by the end of the due day.
    """
    for loan in _running(facts.loans, on):
        lines = sorted(loan.schedule, key=lambda line: (line.due_date, line.number))
        past = [line for line in lines if line.due_date <= on]
        last = past[-max(limits.count, 1) :]
        if len(last) < max(limits.count, 1):
            continue
        if (on - last[-1].due_date).days > limits.window_days:
            continue
        if all(_is_partial(loan, line.due_date, lines.index(line)) for line in last):
            return SignalFinding({"loan": loan.loan_id, "count": len(last)})
    return None


def _utilisation_high(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """Two reports in a row are above the level, or use rose by so much within the window."""
    known = [r for r in facts.reports if r.pulled_on <= on and r.utilisation is not None]
    if len(known) < 2 or (on - known[-1].pulled_on).days > limits.window_days:
        return None
    last, previous = _used(known[-1]), _used(known[-2])
    since = known[-1].pulled_on - timedelta(days=limits.window_days)
    lowest = min(_used(report) for report in known if report.pulled_on >= since)
    is_high = last > limits.level and previous > limits.level
    has_risen = bool(limits.rise) and last - lowest >= limits.rise
    if not is_high and not has_risen:
        return None
    return SignalFinding({"used": str(last), "before": str(previous if is_high else lowest)})


def _inquiries_many(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """The newest report tells of so many inquiries."""
    known = [report for report in facts.reports if report.pulled_on <= on]
    if not known or (on - known[-1].pulled_on).days > limits.window_days:
        return None
    count = known[-1].recent_inquiry_count
    return SignalFinding({"count": count}) if count >= max(limits.count, 1) else None


def _contact_changed(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """A number or address changed within the window, and the person has been silent since."""
    changed = facts.contact_changed_on
    if changed is None or not 0 <= (on - changed).days <= limits.window_days:
        return None
    if not _running(facts.loans, on):
        return None
    active = facts.last_active_on
    silent_since = changed if active is None else max(active, date.min)
    if active is not None and active > changed:
        return None
    silent = (on - silent_since).days
    return SignalFinding({"days": silent}) if silent >= max(limits.days, 1) else None


def _salary_stopped(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """Money came in every month, and then none for so many days."""
    days = [day for day in facts.credited_on if day <= on]
    if not days or not _running(facts.loans, on):
        return None
    gap = (on - days[-1]).days
    if gap < max(limits.days, 1) or gap > limits.window_days:
        return None
    # Regular: money in each of the three months of 30 days that end with the last time.
    months = {(days[-1] - day).days // _MONTH for day in days}
    is_regular = all(number in months for number in range(_MIN_PAYDAYS))
    return SignalFinding({"days": gap}) if is_regular else None


def _score_dropped(facts: PersonFacts, limits: SignalLimits, on: date) -> SignalFinding | None:
    """A risk score fell by more than so many bands within the window.

    Only the score that the rule names counts, or that of the champion for the risk of default where
    it names none; and only bands of one version are compared: another version cuts others.
    """
    by_version: dict[tuple[str, str], list[tuple[date, int]]] = {}
    last_of: dict[str, str] = {}
    for score in facts.scores:
        is_meant = score.model == limits.score_model if limits.score_model else score.is_champion
        if is_meant and score.scored_on <= on:
            place = by_version.setdefault((score.model, score.version), [])
            place.append((score.scored_on, score.rank))
            last_of[score.model] = score.version
    since = on - timedelta(days=limits.window_days)
    for history in (by_version[key] for key in last_of.items()):
        now_rank = history[-1][1]
        if history[-1][0] < since:
            continue
        # What held when the window began counts too.
        earlier = [rank for day, rank in history[:-1] if day >= since]
        earlier += [rank for day, rank in history[:-1] if day < since][-1:]
        best = min(earlier, default=now_rank)
        if now_rank - best > limits.count:
            return SignalFinding({"bands": now_rank - best})
    return None


EVALUATORS: Mapping[Signal, Evaluator] = {
    Signal.FIRST_PAYMENT_MISSED: _first_payment_missed,
    Signal.BUCKET_UP: _bucket_up,
    Signal.PARTIAL_PAYMENTS: _partial_payments,
    Signal.UTILISATION_HIGH: _utilisation_high,
    Signal.INQUIRIES_MANY: _inquiries_many,
    Signal.CONTACT_CHANGED: _contact_changed,
    Signal.SALARY_STOPPED: _salary_stopped,
    Signal.SCORE_DROPPED: _score_dropped,
}
PERSON_SIGNALS = frozenset(EVALUATORS)
GROUP_SIGNALS = frozenset(Signal) - PERSON_SIGNALS


def _running(loans: Sequence[WatchedLoan], on: date) -> list[WatchedLoan]:
    """Return the loans that are paid out and neither closed, paid nor charged off by a day."""
    return [loan for loan in loans if loan.disbursed_on <= on and not _is_over(loan, on)]


def _is_over(loan: WatchedLoan, on: date) -> bool:
    if loan.closed_on is not None and loan.closed_on <= on:
        return True
    if loan.charged_off_on is not None and loan.charged_off_on <= on:
        return True
    state = loan_state(
        schedule=loan.schedule,
        payments=loan.payments,
        disbursed_date=loan.disbursed_on,
        as_of=on,
    )
    return state.settled_date is not None


def _dpd(loan: WatchedLoan, on: date) -> int:
    return days_past_due(schedule=loan.schedule, payments=loan.payments, as_of=on)


def _bucket(days: int) -> int:
    return _BUCKETS.index(bucket_of(days))


def _is_partial(loan: WatchedLoan, due: date, place: int) -> bool:
    """Return whether an instalment was paid in part only by the end of its due day."""
    line = allocate(schedule=loan.schedule, payments=loan.payments, as_of=due)[place]
    return line.paid_amount > 0 and line.unpaid_amount > 0


def _used(report: ReportFacts) -> Decimal:
    assert report.utilisation is not None  # noqa: S101 - those without are left out before
    return report.utilisation
