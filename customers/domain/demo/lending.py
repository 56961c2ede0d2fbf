"""Draws what people borrowed and how they paid it back."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from customers.domain.demo.people import ADULT_AGE, DemoPerson, age_on, draw_moment
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.instalments import (
    ScheduledInstalment,
    add_months,
    equal_instalment_schedule,
)
from customers.domain.loans.loan import LoanState, Payment, loan_state

# Shares of people by the first thing they do; who does nothing stays a lead.
_APPLY_SHARE = 0.62
_LATE_SHARE = 0.05

CHARGE_OFF_DAYS = 180


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A loan product of the made-up lender."""

    code: str
    name_zh: str
    name_en: str
    annual_rate: Decimal
    min_amount: Decimal
    max_amount: Decimal
    term_months: int


CASH = DemoProduct(
    "cash-12", "安心现金贷", "Cash loan", Decimal("0.168"), Decimal(2_000), Decimal(50_000), 12
)
SHOPPING = DemoProduct(
    "shopping-6", "乐购分期", "Shopping plan", Decimal("0.138"), Decimal(1_000), Decimal(20_000), 6
)
BUSINESS = DemoProduct(
    "business-24", "小微经营贷", "Business loan", Decimal("0.108"), Decimal(10_000),
    Decimal(200_000), 24,
)  # fmt: skip
PRODUCTS = (CASH, SHOPPING, BUSINESS)


@dataclass(frozen=True, slots=True)
class DemoApplication:
    """One request for a loan."""

    number: int
    product: DemoProduct
    amount: Decimal
    channel: str
    status: ApplicationStatus
    submitted_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class DemoLoan:
    """One disbursed loan with its plan, its payments and its state at the reference day.

    Attributes:
        payments: Those up to the reference day.
        later_payments: Those that will follow, as the borrower is.
        charged_off_date: Day on which the lender gave the loan up, if ever.
    """

    application: DemoApplication
    disbursed_date: date
    schedule: tuple[ScheduledInstalment, ...]
    payments: tuple[Payment, ...]
    later_payments: tuple[Payment, ...]
    state: LoanState
    charged_off_date: date | None = None


@dataclass(frozen=True, slots=True)
class LendingHistory:
    """Everything one person asked for and got."""

    applications: tuple[DemoApplication, ...]
    loans: tuple[DemoLoan, ...]


def draw_history(rng: Random, person: DemoPerson, *, today: date) -> LendingHistory:
    """Draw applications and loans from the day the person became known until `today`."""
    applications: list[DemoApplication] = []
    loans: list[DemoLoan] = []
    if age_on(person.birth_date, today) < ADULT_AGE or rng.random() > _APPLY_SHARE:
        return LendingHistory((), ())
    known = person.created_at.date() + timedelta(days=1 + int(rng.expovariate(1 / 20)))
    day = max(known, add_months(person.birth_date, 12 * ADULT_AGE + 1))
    while day < today - timedelta(days=4) and len(applications) < 6:
        application = draw_application(rng, person, len(applications) + 1, day, today)
        applications.append(application)
        if application.status is not ApplicationStatus.APPROVED or rng.random() < 0.12:
            if rng.random() < 0.6:
                break
            day += timedelta(days=45 + int(rng.expovariate(1 / 90)))
            continue
        loan = draw_loan(rng, person, application, day + timedelta(days=2), today=today)
        loans.append(loan)
        if loan.state.settled_date is None or rng.random() < 0.45:
            break
        day = loan.state.settled_date + timedelta(days=5 + int(rng.expovariate(1 / 60)))
    return LendingHistory(tuple(applications), tuple(loans))


def draw_application(
    rng: Random, person: DemoPerson, number: int, day: date, today: date
) -> DemoApplication:
    """Draw a request of a day and, where it lies two days before `today`, its decision."""
    product = _choose_product(rng, person)
    wanted = float(person.monthly_income_amount) * rng.uniform(0.6, 4.0)
    amount = min(max(Decimal(round(wanted / 500) * 500), product.min_amount), product.max_amount)
    submitted_at = draw_moment(rng, day)
    status, decided_at = ApplicationStatus.SUBMITTED, None
    if day + timedelta(days=2) < today:
        declined = rng.random() < 0.12 + 0.9 * person.default_probability
        status = ApplicationStatus.DECLINED if declined else ApplicationStatus.APPROVED
        decided_at = submitted_at + timedelta(hours=rng.uniform(0.2, 20))
    channel = person.acquired_through if number == 1 else "app"
    return DemoApplication(number, product, amount, channel, status, submitted_at, decided_at)


def _choose_product(rng: Random, person: DemoPerson) -> DemoProduct:
    if person.occupation == "self_employed" and rng.random() < 0.6:
        return BUSINESS
    return SHOPPING if rng.random() < 0.3 else CASH


def draw_loan(
    rng: Random,
    person: DemoPerson,
    application: DemoApplication,
    disbursed_date: date,
    *,
    today: date,
) -> DemoLoan:
    """Draw the repayments of one loan, seen from the end of `today`."""
    product = application.product
    schedule = equal_instalment_schedule(
        principal_amount=application.amount,
        annual_rate=product.annual_rate,
        months=product.term_months,
        disbursed_date=disbursed_date,
    )
    drawn = tuple(_draw_payments(rng, person, schedule))
    payments = tuple(payment for payment in drawn if payment.paid_date <= today)
    state = loan_state(
        schedule=schedule, payments=payments, disbursed_date=disbursed_date, as_of=today
    )
    charged_off = None
    if state.dpd_days > CHARGE_OFF_DAYS:
        charged_off = today - timedelta(days=state.dpd_days - CHARGE_OFF_DAYS)
        state = loan_state(
            schedule=schedule,
            payments=payments,
            disbursed_date=disbursed_date,
            as_of=today,
            charged_off_date=charged_off,
        )
    return DemoLoan(
        application=application,
        disbursed_date=disbursed_date,
        schedule=schedule,
        payments=payments,
        later_payments=tuple(payment for payment in drawn if payment.paid_date > today),
        state=state,
        charged_off_date=charged_off,
    )


def _draw_payments(
    rng: Random, person: DemoPerson, schedule: tuple[ScheduledInstalment, ...]
) -> Iterator[Payment]:
    """Yield one payment an instalment until the borrower stops, if ever."""
    defaults = rng.random() < person.default_probability
    stops_after = rng.randrange(len(schedule)) if defaults else len(schedule)
    late_share = _LATE_SHARE + 0.6 * person.default_probability
    for instalment in schedule[:stops_after]:
        days_late = -rng.randrange(4)
        if rng.random() < late_share:
            days_late = min(1 + int(rng.expovariate(1 / 9)), 75)
        yield Payment(instalment.due_date + timedelta(days=days_late), instalment.total_amount)
