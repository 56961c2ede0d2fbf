"""Allocation of payments, days past due and status of one loan, from values only.

Everything is evaluated at the end of a day `as_of`: a payment or reversal dated that day counts, an
instalment due that day is not yet past due.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate

from customers.domain.loans.instalments import (
    Component,
    MonthRule,
    ScheduledInstalment,
    months_between,
)

_ZERO = Decimal(0)


class LoanStatus(StrEnum):
    """Where a loan is in its life; stored on the loan row."""

    PENDING = "pending"
    ACTIVE = "active"
    OVERDUE = "overdue"
    SETTLED = "settled"
    CHARGED_OFF = "charged_off"
    CANCELLED = "cancelled"


class Bucket(StrEnum):
    """Delinquency bucket by days past due: M1 is 1-30 days, M3+ is more than 90."""

    M0 = "M0"
    M1 = "M1"
    M2 = "M2"
    M3 = "M3"
    M3_PLUS = "M3+"


@dataclass(frozen=True, slots=True)
class LoanPolicy:
    """The lender's conventions under which a loan is measured.

    Attributes:
        allocation_order: Order inside one instalment; the oldest instalment always comes first.
        tolerance_amount: An instalment short by no more than this counts as paid for days past due.
        month_rule: Convention of months on book.
    """

    allocation_order: tuple[Component, ...] = (
        Component.FEE,
        Component.INTEREST,
        Component.PRINCIPAL,
    )
    tolerance_amount: Decimal = _ZERO
    month_rule: MonthRule = MonthRule.ANNIVERSARY

    def __post_init__(self) -> None:
        if sorted(self.allocation_order) != sorted(Component):
            msg = "allocation_order must name every component exactly once"
            raise ValueError(msg)
        if self.tolerance_amount < 0:
            msg = "tolerance_amount must not be negative"
            raise ValueError(msg)


DEFAULT_POLICY = LoanPolicy()


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received; it counts from `paid_date` until the day before `reversed_date`."""

    paid_date: date
    amount: Decimal
    reversed_date: date | None = None


@dataclass(frozen=True, slots=True)
class AllocatedInstalment:
    """How much of one instalment has been paid, by component."""

    instalment: ScheduledInstalment
    paid_principal_amount: Decimal
    paid_interest_amount: Decimal
    paid_fee_amount: Decimal

    @property
    def paid_amount(self) -> Decimal:
        """Return everything paid on this line."""
        return self.paid_principal_amount + self.paid_interest_amount + self.paid_fee_amount

    @property
    def unpaid_amount(self) -> Decimal:
        """Return what is still open on this line."""
        return self.instalment.total_amount - self.paid_amount


@dataclass(frozen=True, slots=True)
class LoanState:
    """Everything derived about a loan at the end of `as_of`.

    Attributes:
        outstanding_amount: Unpaid principal, due or not.
        overdue_amount: Unpaid principal, interest and fees that were due before `as_of`.
        credit_amount: Money received beyond the whole schedule.
        max_dpd_days: Worst days past due on any day up to `as_of`.
    """

    as_of: date
    status: LoanStatus
    dpd_days: int
    max_dpd_days: int
    bucket: Bucket
    outstanding_amount: Decimal
    overdue_amount: Decimal
    paid_amount: Decimal
    credit_amount: Decimal
    months_on_book: int
    paid_instalment_count: int
    next_due_date: date | None
    settled_date: date | None


def bucket_of(dpd_days: int) -> Bucket:
    """Return the delinquency bucket of a number of days past due."""
    if dpd_days <= 0:
        return Bucket.M0
    if dpd_days <= 30:
        return Bucket.M1
    if dpd_days <= 60:
        return Bucket.M2
    return Bucket.M3 if dpd_days <= 90 else Bucket.M3_PLUS


def received_amount(payments: Iterable[Payment], as_of: date) -> Decimal:
    """Return the money received and not reversed by the end of `as_of`."""
    return sum((p.amount for p in payments if _is_effective(p, as_of)), _ZERO)


def allocate(
    *,
    schedule: Sequence[ScheduledInstalment],
    payments: Iterable[Payment],
    as_of: date,
    policy: LoanPolicy = DEFAULT_POLICY,
) -> tuple[AllocatedInstalment, ...]:
    """Allocate the money received first in, first out: oldest instalment first, then by component.

    Money beyond what is due pays later instalments in advance. Lines are in order of due date and
    do not depend on the order of `payments`.
    """
    left = received_amount(payments, as_of)
    lines = []
    for instalment in _in_order(schedule):
        paid: dict[Component, Decimal] = {}
        for component in policy.allocation_order:
            paid[component] = min(left, instalment.part(component))
            left -= paid[component]
        lines.append(
            AllocatedInstalment(
                instalment,
                paid_principal_amount=paid[Component.PRINCIPAL],
                paid_interest_amount=paid[Component.INTEREST],
                paid_fee_amount=paid[Component.FEE],
            )
        )
    return tuple(lines)


def days_past_due(
    *,
    schedule: Sequence[ScheduledInstalment],
    payments: Iterable[Payment],
    as_of: date,
    policy: LoanPolicy = DEFAULT_POLICY,
) -> int:
    """Return the days since the oldest amount that is due and not paid, or 0.

    Source: days past due by first-in-first-out allocation; an instalment that is short by no more
    than the policy's tolerance counts as paid.
    """
    oldest = _Ladder.of(schedule, policy).oldest_open(received_amount(payments, as_of))
    return max((as_of - oldest).days, 0) if oldest else 0


def first_reached_dates(
    *,
    schedule: Sequence[ScheduledInstalment],
    payments: Sequence[Payment],
    as_of: date,
    thresholds: Sequence[int],
    policy: LoanPolicy = DEFAULT_POLICY,
) -> dict[int, date]:
    """Return for every threshold the first day on which days past due reached it.

    Thresholds that were never reached up to `as_of` are absent. A reversal re-opens the instalment
    from its own due date: days past due may jump, and the jump is the day of reaching.
    """
    reached: dict[int, date] = {}
    for start, end, oldest in _segments(_Ladder.of(schedule, policy), payments, as_of):
        for threshold in thresholds:
            day = max(start, oldest + timedelta(days=threshold))
            if threshold not in reached and day <= end:
                reached[threshold] = day
    return reached


def max_days_past_due(
    *,
    schedule: Sequence[ScheduledInstalment],
    payments: Sequence[Payment],
    as_of: date,
    policy: LoanPolicy = DEFAULT_POLICY,
) -> int:
    """Return the worst days past due at the end of any day up to `as_of`."""
    ladder = _Ladder.of(schedule, policy)
    return max(
        ((end - oldest).days for _, end, oldest in _segments(ladder, payments, as_of)), default=0
    )


def loan_state(
    *,
    schedule: Sequence[ScheduledInstalment],
    payments: Sequence[Payment],
    disbursed_date: date | None,
    as_of: date,
    settled_date: date | None = None,
    charged_off_date: date | None = None,
    policy: LoanPolicy = DEFAULT_POLICY,
) -> LoanState:
    """Return everything derived about a loan at the end of `as_of`.

    `settled_date` closes the loan whatever the schedule says (early settlement, refinancing);
    without it a loan is settled when its schedule is paid within the tolerance. A charged-off loan
    keeps its balance and its days past due go on counting.
    """
    if disbursed_date is None or disbursed_date > as_of:
        return _not_disbursed(schedule, as_of)
    lines = allocate(schedule=schedule, payments=payments, as_of=as_of, policy=policy)
    closed = settled_date if settled_date is not None and settled_date <= as_of else None
    if closed is None and lines:
        closed = _Ladder.of(schedule, policy).closed_date(payments, as_of)
    until, is_settled = closed or as_of, closed is not None
    dpd = 0
    if not is_settled:
        dpd = days_past_due(schedule=schedule, payments=payments, as_of=as_of, policy=policy)
    received = received_amount(payments, as_of)
    open_lines = [line for line in lines if line.unpaid_amount > policy.tolerance_amount]
    return LoanState(
        as_of=as_of,
        status=_status(
            is_settled=is_settled,
            is_charged_off=charged_off_date is not None and charged_off_date <= as_of,
            dpd_days=dpd,
        ),
        dpd_days=dpd,
        max_dpd_days=max_days_past_due(
            schedule=schedule, payments=payments, as_of=until, policy=policy
        ),
        bucket=bucket_of(dpd),
        outstanding_amount=_ZERO if is_settled else _unpaid_principal(lines),
        overdue_amount=_ZERO if is_settled else _overdue(lines, as_of),
        paid_amount=received,
        credit_amount=received - sum((line.paid_amount for line in lines), _ZERO),
        months_on_book=months_between(disbursed_date, until, policy.month_rule),
        paid_instalment_count=len(lines) - len(open_lines),
        next_due_date=None if is_settled or not open_lines else open_lines[0].instalment.due_date,
        settled_date=closed,
    )


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Due dates in order with the cumulative amount that must have been received to cover each."""

    due_dates: tuple[date, ...]
    thresholds: tuple[Decimal, ...]

    @classmethod
    def of(cls, schedule: Sequence[ScheduledInstalment], policy: LoanPolicy) -> "_Ladder":
        lines = _in_order(schedule)
        sums = accumulate(line.total_amount for line in lines)
        return cls(
            tuple(line.due_date for line in lines),
            tuple(total - policy.tolerance_amount for total in sums),
        )

    def oldest_open(self, received: Decimal) -> date | None:
        index = bisect_right(self.thresholds, received)
        return self.due_dates[index] if index < len(self.due_dates) else None

    def closed_date(self, payments: Sequence[Payment], as_of: date) -> date | None:
        closed = None
        for day, received in _running_totals(payments, as_of):
            closed = (closed or day) if self.oldest_open(received) is None else None
        return closed


def _segments(
    ladder: _Ladder, payments: Sequence[Payment], as_of: date
) -> Iterator[tuple[date, date, date]]:
    """Yield (first day, last day, oldest open due date) of every stretch that is past due."""
    steps = [(date.min, _ZERO), *_running_totals(payments, as_of)]
    ends = [*(day - timedelta(days=1) for day, _ in steps[1:]), as_of]
    for (start, received), end in zip(steps, ends, strict=True):
        oldest = ladder.oldest_open(received)
        if oldest is not None and oldest < end:
            yield max(start, oldest + timedelta(days=1)), end, oldest


def _running_totals(payments: Sequence[Payment], as_of: date) -> list[tuple[date, Decimal]]:
    """Return (day, money received by its end) for every day up to `as_of` on which money moved."""
    moves: dict[date, Decimal] = {}
    for payment in payments:
        moves[payment.paid_date] = moves.get(payment.paid_date, _ZERO) + payment.amount
        if payment.reversed_date is not None:
            day = max(payment.reversed_date, payment.paid_date)
            moves[day] = moves.get(day, _ZERO) - payment.amount
    days = sorted(day for day in moves if day <= as_of)
    return list(zip(days, accumulate(moves[day] for day in days), strict=True))


def _is_effective(payment: Payment, as_of: date) -> bool:
    is_reversed = payment.reversed_date is not None and payment.reversed_date <= as_of
    return payment.paid_date <= as_of and not is_reversed


def _in_order(schedule: Sequence[ScheduledInstalment]) -> list[ScheduledInstalment]:
    return sorted(schedule, key=lambda line: (line.due_date, line.number))


def _unpaid_principal(lines: Iterable[AllocatedInstalment]) -> Decimal:
    return sum(
        (line.instalment.principal_amount - line.paid_principal_amount for line in lines), _ZERO
    )


def _overdue(lines: Iterable[AllocatedInstalment], as_of: date) -> Decimal:
    return sum((x.unpaid_amount for x in lines if x.instalment.due_date < as_of), _ZERO)


def _status(*, is_settled: bool, is_charged_off: bool, dpd_days: int) -> LoanStatus:
    if is_settled:
        return LoanStatus.SETTLED
    if is_charged_off:
        return LoanStatus.CHARGED_OFF
    return LoanStatus.OVERDUE if dpd_days else LoanStatus.ACTIVE


def _not_disbursed(schedule: Sequence[ScheduledInstalment], as_of: date) -> LoanState:
    ordered = _in_order(schedule)
    return LoanState(
        as_of=as_of,
        status=LoanStatus.PENDING,
        dpd_days=0,
        max_dpd_days=0,
        bucket=Bucket.M0,
        outstanding_amount=_ZERO,
        overdue_amount=_ZERO,
        paid_amount=_ZERO,
        credit_amount=_ZERO,
        months_on_book=0,
        paid_instalment_count=0,
        next_due_date=ordered[0].due_date if ordered else None,
        settled_date=None,
    )
