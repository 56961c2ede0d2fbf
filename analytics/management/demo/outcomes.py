"""What the people of the demo do after the messages: clicks over HTTP, the rest in files to import.

The files are what a lender's core system would hand over; they stay in the demo's folder.
"""

import csv
import json
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.db.models import Count

from analytics.domain.demo import plan
from analytics.domain.demo.behaviour import DemoReaction, appetites, react, share
from campaigns.domain.receipts.report import message_key
from campaigns.domain.sending.states import MessageState
from campaigns.models import Message
from customers.domain.demo import lending, people, population
from customers.domain.demo.lending import DemoApplication, DemoLoan
from customers.domain.demo.people import DemoPerson, age_on
from customers.domain.events.event import EventName
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.loan import Payment
from customers.domain.loans.rows import LoanKind
from customers.models import Event

_BROWSER = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36"
_VISIT_DAYS = 60
_ORGANIC_SHARE = 0.12
_ORGANIC_DAYS = 50
_HEADERS = {
    "events": (
        "external_id", "event", "occurred_at", "event_id", "amount", "channel", "subject",
    ),
    LoanKind.APPLICATIONS: (
        "external_id", "customer_id", "submitted_at", "product", "amount", "channel", "status",
        "decided_at",
    ),
    LoanKind.LOANS: (
        "external_id", "customer_id", "principal_amount", "term_months", "disbursed_on", "product",
        "application_id", "annual_rate",
    ),
    LoanKind.INSTALMENTS: (
        "loan_id", "number", "due_on", "principal_amount", "interest_amount", "fee_amount",
    ),
    LoanKind.REPAYMENTS: ("external_id", "loan_id", "paid_on", "amount"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reacting:
    """One person of a campaign's audience and what she does."""

    slug: str
    external_id: str
    reached_at: datetime
    reaction: DemoReaction
    message_keys: tuple[str, ...]


class Files:
    """The files of one import, written row by row."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.paths = {name: folder / f"{name}.csv" for name in _HEADERS}
        self._files = {
            name: path.open("w", encoding="utf-8", newline="") for name, path in self.paths.items()
        }
        self._writers = {name: csv.writer(file) for name, file in self._files.items()}
        for name, header in _HEADERS.items():
            self._writers[name].writerow(header)

    def add(self, name: str, *values: Any) -> None:
        """Add one row, in the order of the file's header."""
        self._writers[name].writerow(values)

    def event(self, person: str, name: EventName, at: datetime, key: str, *rest: Any) -> None:
        """Add one event; `rest` is amount, channel, subject."""
        self.add("events", person, name.value, at.isoformat(), f"{name}:{key}", *rest)

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()


def reactions(*, seed: int, slug: str, reached_at: datetime) -> list[Reacting]:
    """Return what everybody of a campaign's audience does, the control group included."""
    rows = (
        Message.objects.filter(dispatch__campaign__slug=slug)
        .order_by("customer_id", "pk")
        .values_list("customer__external_id", "variant__key", "state", "pk", "dispatch__key_space")
    )
    audience: dict[str, list[tuple[str, str, str]]] = {}
    for external_id, variant, state, pk, space in rows:
        key = message_key(space, pk)
        audience.setdefault(external_id, []).append((variant or "", state, key))
    appetite = appetites(_logins(set(audience), before=reached_at))
    found = []
    for external_id, messages in audience.items():
        reached = [part for part in messages if part[1] == MessageState.DELIVERED]
        variant = (reached or messages)[0][0]
        reaction = react(
            seed,
            slug,
            external_id,
            variant=variant,
            is_reached=bool(reached),
            appetite=appetite[external_id],
        )
        keys = tuple(key for _variant, _state, key in reached)
        found.append(Reacting(slug, external_id, reached_at, reaction, keys))
    return found


def _logins(people: Collection[str], *, before: datetime) -> dict[str, int]:
    """Return how often each of these people used the app in the year before (one query)."""
    rows = (
        Event.objects.filter(
            type__name=EventName.APP_LOGIN,
            occurred_at__gte=before - timedelta(days=365),
            occurred_at__lt=before,
        )
        .values_list("customer__external_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found = dict.fromkeys(people, 0)
    found.update((person, count) for person, count in rows if person in found)
    return found


def click(reacting: Iterable[Reacting], *, record_path: Path) -> int:
    """Open the first link of the message of everybody who clicks; return how many were opened."""
    links = {}
    with record_path.open(encoding="utf-8") as file:
        for line in file:
            message = json.loads(line)
            if message["links"]:
                links[message["key"]] = message["links"][0]
    opened = 0
    for one in reacting:
        for key in one.message_keys:
            if one.reaction.click_after is not None and key in links:
                opened += 1
                _open(links[key], visitor=opened)
    return opened


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Stops at the redirect: the shop behind the links is not part of the demo."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _open(link: str, *, visitor: int) -> None:
    # Everybody has a line of her own: one address going through many messages is a machine.
    address = f"10.{visitor >> 16 & 255}.{visitor >> 8 & 255}.{visitor & 255}"
    headers = {"User-Agent": _BROWSER, "X-Forwarded-For": address}
    request = urllib.request.Request(link, headers=headers)  # noqa: S310 - ours
    try:
        _opener.open(request, timeout=30).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        if answer.code != 302:
            raise


def write_files(
    files: Files, reacting: Sequence[Reacting], *, seed: int, customers: int, until: date
) -> None:
    """Write the applications and loans of those who reached a goal, and everybody's repayments."""
    goals: dict[str, list[Reacting]] = {}
    audience = {one.external_id for one in reacting}
    for one in reacting:
        if one.reaction.goal_after is not None:
            goals.setdefault(one.external_id, []).append(one)
    known = plan.STARTS_AT.date() - timedelta(days=1)
    for story in population.generate(count=customers, seed=seed, today=known):
        person = story.person
        for loan in story.history.loans:
            number = f"{person.external_id}-L{loan.application.number}"
            _repay(files, person, number, len(loan.payments), loan.later_payments, until)
        _visit_lately(files, person, seed=seed)
        if age_on(person.birth_date, known) >= people.ADULT_AGE:
            for one in goals.get(person.external_id, ()):
                _borrow(files, person, one, seed=seed, until=until)
            if person.external_id not in audience:
                _borrow_lately(files, person, seed=seed, until=until)


def _visit_lately(files: Files, person: DemoPerson, *, seed: int) -> None:
    """Let those who use the app much have used it in the last weeks, too."""
    if share(seed, "visit", person.external_id) < person.engagement / 4:
        days = 1 + _VISIT_DAYS * share(seed, "visit day", person.external_id)
        at = plan.ENDS_AT - timedelta(days=days)
        files.event(person.external_id, EventName.APP_LOGIN, at, person.external_id, "", "app", "")


def _borrow_lately(files: Files, person: DemoPerson, *, seed: int, until: date) -> None:
    """Let a few of those whom no campaign chose come by themselves in the last weeks."""
    if share(seed, "organic", person.external_id) < _ORGANIC_SHARE:
        back = timedelta(days=4 + _ORGANIC_DAYS * share(seed, "organic day", person.external_id))
        goal = DemoReaction(click_after=None, goal_after=timedelta(0))
        one = Reacting("organic", person.external_id, plan.ENDS_AT - back, goal, ())
        _borrow(files, person, one, seed=seed, until=until)


def _borrow(files: Files, person: DemoPerson, one: Reacting, *, seed: int, until: date) -> None:
    assert one.reaction.goal_after is not None  # noqa: S101 - only those are passed in
    rng = Random(f"{seed}:{one.slug}:{one.external_id}")  # noqa: S311 - made-up people
    submitted_at = one.reached_at + one.reaction.goal_after
    drawn = lending.draw_application(rng, person, 1, submitted_at.date(), until)
    application = replace(
        drawn,
        channel="app",
        submitted_at=submitted_at,
        decided_at=submitted_at + timedelta(hours=rng.uniform(0.5, 20)),
    )
    number = f"{person.external_id}-{one.slug}"
    _write_application(files, person, number, application)
    if application.status is not ApplicationStatus.APPROVED or rng.random() < 0.1:
        return
    disbursed_date = submitted_at.date() + timedelta(days=1 + rng.randrange(3))
    loan = lending.draw_loan(rng, person, application, disbursed_date, today=until)
    _write_loan(files, person, number, loan)
    _repay(files, person, f"{number}-L", 0, loan.payments, until)


def _write_application(
    files: Files, person: DemoPerson, number: str, application: DemoApplication
) -> None:
    product, amount = application.product.code, application.amount
    assert application.decided_at is not None  # noqa: S101 - decided long ago
    files.add(
        LoanKind.APPLICATIONS,
        number,
        person.external_id,
        application.submitted_at.isoformat(),
        product,
        amount,
        application.channel,
        application.status.value,
        application.decided_at.isoformat(),
    )
    who, rest = person.external_id, (amount, application.channel, product)
    files.event(who, EventName.APPLICATION_SUBMITTED, application.submitted_at, number, *rest)
    approved = application.status is ApplicationStatus.APPROVED
    decision = EventName.APPLICATION_APPROVED if approved else EventName.APPLICATION_DECLINED
    files.event(who, decision, application.decided_at, number, *rest)


def _write_loan(files: Files, person: DemoPerson, number: str, loan: DemoLoan) -> None:
    product = loan.application.product
    loan_id = f"{number}-L"
    files.add(
        LoanKind.LOANS,
        loan_id,
        person.external_id,
        loan.application.amount,
        product.term_months,
        loan.disbursed_date.isoformat(),
        product.code,
        number,
        product.annual_rate,
    )
    for line in loan.schedule:
        amounts = (line.principal_amount, line.interest_amount, line.fee_amount)
        files.add(LoanKind.INSTALMENTS, loan_id, line.number, line.due_date.isoformat(), *amounts)
    noon = _noon(loan.disbursed_date)
    amount = loan.application.amount
    files.event(
        person.external_id, EventName.LOAN_DISBURSED, noon, loan_id, amount, "app", product.code
    )


def _repay(
    files: Files,
    person: DemoPerson,
    loan_id: str,
    known: int,
    payments: Iterable[Payment],
    until: date,
) -> None:
    for position, payment in _until(payments, until):
        row_id = f"{loan_id}-{known + position}"
        day = payment.paid_date.isoformat()
        files.add(LoanKind.REPAYMENTS, row_id, loan_id, day, payment.amount)
        files.event(
            person.external_id,
            EventName.REPAYMENT_MADE,
            _noon(payment.paid_date),
            row_id,
            payment.amount,
            "app",
            "",
        )


def _until(payments: Iterable[Payment], until: date) -> Iterator[tuple[int, Payment]]:
    for position, payment in enumerate(payments, start=1):
        if payment.paid_date <= until:
            yield position, payment


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=plan.ZONE)
