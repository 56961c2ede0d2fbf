"""Draws what people did in the app and what they agreed to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.demo.lending import (
    PRODUCTS,
    DemoApplication,
    DemoLoan,
    LendingHistory,
)
from customers.domain.demo.people import DemoPerson, draw_moment
from customers.domain.events.event import EventName
from customers.domain.loans.application import ApplicationStatus

POLICY_VERSION = "2025-03"
# App visits are kept for this long; older ones are of no use to rules.
VISIT_DAYS = 180
# People who owe nothing any more come back this much less often.
_SETTLED_VISIT_FACTOR = 0.2


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One event of a person; `subject` is a product code or an application's number."""

    name: EventName
    occurred_at: datetime
    amount: Decimal | None = None
    channel: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class DemoConsent:
    """One entry of the consent ledger."""

    channel: ConsentChannel
    purpose: Purpose
    is_granted: bool
    at: datetime
    expires_at: datetime | None = None


def draw_events(
    rng: Random, person: DemoPerson, history: LendingHistory, *, today: date
) -> tuple[DemoEvent, ...]:
    """Return the person's events in order of time."""
    events = [
        DemoEvent(EventName.LEAD_CAPTURED, person.created_at, channel=person.acquired_through)
    ]
    for application in history.applications:
        events.extend(_application_events(application))
    for loan in history.loans:
        events.extend(_loan_events(rng, loan))
    events.extend(_visits(rng, person, history, today))
    end = draw_moment(rng, today)
    return tuple(
        sorted(
            (event for event in events if event.occurred_at <= end),
            key=lambda event: (event.occurred_at, event.name),
        )
    )


def _application_events(application: DemoApplication) -> Iterator[DemoEvent]:
    subject, channel = application.product.code, application.channel
    started_at = application.submitted_at - timedelta(minutes=9)
    yield DemoEvent(EventName.APPLICATION_STARTED, started_at, None, channel, subject)
    yield DemoEvent(
        EventName.APPLICATION_SUBMITTED,
        application.submitted_at,
        application.amount,
        channel,
        subject,
    )
    if application.decided_at is not None:
        approved = application.status is ApplicationStatus.APPROVED
        name = EventName.APPLICATION_APPROVED if approved else EventName.APPLICATION_DECLINED
        yield DemoEvent(name, application.decided_at, application.amount, channel, subject)


def _loan_events(rng: Random, loan: DemoLoan) -> Iterator[DemoEvent]:
    subject = loan.application.product.code
    amount = loan.application.amount
    disbursed_at = draw_moment(rng, loan.disbursed_date)
    yield DemoEvent(EventName.LOAN_DISBURSED, disbursed_at, amount, "app", subject)
    for payment in loan.payments:
        paid_at = draw_moment(rng, payment.paid_date)
        yield DemoEvent(EventName.REPAYMENT_MADE, paid_at, payment.amount, "app", subject)
    if loan.state.settled_date is not None:
        settled_at = draw_moment(rng, loan.state.settled_date)
        yield DemoEvent(EventName.LOAN_SETTLED, settled_at, amount, "app", subject)


def _visits(
    rng: Random, person: DemoPerson, history: LendingHistory, today: date
) -> Iterator[DemoEvent]:
    settled = [loan.state.settled_date for loan in history.loans]
    factor = _SETTLED_VISIT_FACTOR if settled and None not in settled else 1.0
    visits_a_day = max(person.engagement * factor / 30, 0.001)
    days_known = (today - person.created_at.date()).days
    day = rng.expovariate(visits_a_day)
    while day < min(days_known, VISIT_DAYS):
        moment = draw_moment(rng, today - timedelta(days=int(day)))
        yield DemoEvent(EventName.APP_LOGIN, moment, channel="app")
        if rng.random() < 0.35:
            product = rng.choice(PRODUCTS).code
            viewed_at = moment + timedelta(minutes=rng.randrange(1, 15))
            yield DemoEvent(EventName.PAGE_VIEWED, viewed_at, channel="app", subject=product)
        day += rng.expovariate(visits_a_day)


def draw_consents(rng: Random, person: DemoPerson, *, today: date) -> tuple[DemoConsent, ...]:
    """Return the person's consent ledger in order of time.

    Most people granted marketing by SMS and e-mail on registration; some never did, some withdrew,
    and some grants were limited to a year that is over.
    """
    entries = [
        DemoConsent(ConsentChannel.SMS, Purpose.SERVICE, is_granted=True, at=person.created_at),
        DemoConsent(ConsentChannel.EMAIL, Purpose.SERVICE, is_granted=True, at=person.created_at),
    ]
    for channel, share in ((ConsentChannel.SMS, 0.86), (ConsentChannel.EMAIL, 0.80)):
        if rng.random() > share:
            continue
        expires_at = person.created_at + timedelta(days=365) if rng.random() < 0.06 else None
        entries.append(
            DemoConsent(
                channel,
                Purpose.MARKETING,
                is_granted=True,
                at=person.created_at,
                expires_at=expires_at,
            )
        )
        days_known = (today - person.created_at.date()).days
        if rng.random() < 0.07 and days_known > 20:
            withdrawn_on = today - timedelta(days=rng.randrange(1, days_known - 10))
            entries.append(
                DemoConsent(
                    channel, Purpose.MARKETING, is_granted=False, at=draw_moment(rng, withdrawn_on)
                )
            )
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.channel, entry.purpose)))
