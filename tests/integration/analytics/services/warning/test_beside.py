"""Looks beside each other, past midnight and after a flood: no warning is lost or ended wrongly."""

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from analytics.models import RiskAlert, WarningRule
from analytics.services.warning import rules, watching
from customers.domain.credit.rows import CreditKind
from customers.domain.values.person import MarketingStatus
from customers.models import BureauPull, Customer, Inquiry, Merge
from customers.services.credit import taking
from customers.services.identity import merging
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.changes import feed
from loancrm.kernel.database import leases
from tests.factories.links import make_linked
from tests.factories.people import make_people
from tests.integration.analytics.services.warning.scene import lend

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
SYSTEM = system_actor("job:test")


@pytest.fixture(autouse=True)
def _rules(db):
    rules.ensure_rules()


def follow(at, holder="w1"):
    return watching.follow(actor=SYSTEM, holder=holder, read_clock=lambda: at)


def ask(person, on, count=3):
    """Pull a report that tells of inquiries; the person has no loan."""
    pull = BureauPull.objects.create(
        source="core",
        external_id=f"p{person.pk}",
        customer=person,
        vendor="pboc",
        purpose="credit_review",
        consent_reference="K",
        pulled_on=on,
        valid_until=on + timedelta(days=90),
    )
    Inquiry.objects.bulk_create(
        Inquiry(source="core", external_id=f"{pull.pk}-{n}", pull=pull, inquired_on=on)
        for n in range(count)
    )


def test_a_sweep_past_midnight_does_not_end_what_began_after_it(now, monkeypatch):
    """The sweep begins on the eve; meanwhile the changes of the new day have been looked at."""
    WarningRule.objects.exclude(name="first-payment-missed").update(is_active=False)
    zone = clock.company_zone()
    assert isinstance(zone, ZoneInfo)
    eve = datetime(2026, 2, 22, 23, 59, 50, tzinfo=zone)
    morning = eve + timedelta(seconds=20)
    (person,) = make_people(1)
    lend(person)
    watching.watch_people(actor=SYSTEM, customer_ids=[person.pk], now=morning)
    assert RiskAlert.objects.filter(ended_at=None).count() == 1

    times = iter([eve, morning + timedelta(seconds=1)])
    watching.sweep(actor=SYSTEM, holder="w2", read_clock=lambda: next(times))
    watching.watch_people(actor=SYSTEM, customer_ids=[person.pk], now=eve)

    assert RiskAlert.objects.filter(ended_at=None).count() == 1
    assert Customer.objects.get(pk=person.pk).marketing_status == MarketingStatus.AT_RISK


@pytest.mark.parametrize("is_swept", [True, False])
def test_after_a_flood_everybody_is_looked_at_whoever_sweeps_beside_it(monkeypatch, is_swept):
    """Too much has changed to be read, while another worker is in the middle of a sweep."""
    now = clock.now()
    monkeypatch.setattr(feed, "MAX_ROWS", 1)
    people = make_people(3)
    follow(now)
    for person in people:
        ask(person, clock.today())
    if is_swept:
        leases.claim(name="early warning sweep", holder="other", seconds=60)
    assert follow(now + timedelta(seconds=5)).opened == 3


def test_a_report_that_is_corrected_is_news_too(actor):
    """A bureau tells the balances of the same accounts again, under the same ids."""
    now = clock.now()
    (person,) = make_linked(("c1",), source="core").values()
    today = clock.today()

    def take_in(kind, **cells):
        given = {name: str(value) for name, value in cells.items()}
        taking.receive_credit_facts(
            actor=actor, kind=CreditKind(kind), rows=[given], source="core", now=now
        )

    for key in ("1", "2"):
        pull = {"external_id": key, "customer_id": "c1", "purpose": "credit_review"}
        take_in("pulls", **pull, consent_reference="K", pulled_on=today)
        line = {"pull_id": key, "opened_on": "2020-01-01", "limit_amount": 100}
        take_in("tradelines", external_id=f"t{key}", balance_amount=10, **line)
    follow(now)
    assert follow(now + timedelta(seconds=5)).opened == 0
    for key in ("1", "2"):
        line = {"pull_id": key, "opened_on": "2020-01-01", "limit_amount": 100}
        take_in("tradelines", external_id=f"t{key}", balance_amount=99, **line)
    assert follow(now + timedelta(seconds=10)).opened == 1
    assert RiskAlert.objects.get(customer=person).rule.name == "utilisation-high"


def test_who_loses_the_lease_leaves_the_changes_to_the_next(monkeypatch):
    now = clock.now()
    people = make_people(2)
    follow(now)
    for person in people:
        ask(person, clock.today())
    monkeypatch.setattr(watching, "_BATCH", 1)
    look = watching.watch_people

    def stalled(**given):
        found = look(**given)
        leases.release(name="early warning changes", holder="w1")
        leases.claim(name="early warning changes", holder="w2", seconds=60)
        return found

    monkeypatch.setattr(watching, "watch_people", stalled)
    assert follow(now + timedelta(seconds=5)).opened == 1
    monkeypatch.setattr(watching, "watch_people", look)
    assert follow(now + timedelta(seconds=5), holder="w2").opened == 1


def test_whom_an_undone_merge_left_barred_is_freed_by_the_next_sweep(actor, now):
    kept, other = make_people(2)
    lend(other)
    watching.watch_people(actor=SYSTEM, customer_ids=[other.pk], now=now)
    merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    merging.unmerge(actor=actor, merge_id=Merge.objects.get().pk, now=now + timedelta(hours=1))
    at = now + timedelta(hours=2)
    watching.sweep(actor=SYSTEM, holder="w1", read_clock=lambda: at)
    assert Customer.objects.get(pk=kept.pk).marketing_status == MarketingStatus.OPEN
    assert Customer.objects.get(pk=other.pk).marketing_status == MarketingStatus.AT_RISK


def test_two_people_with_the_same_alert_are_merged(actor, now):
    kept, other = make_people(2)
    for person in (kept, other):
        lend(person)
    watching.watch_people(actor=SYSTEM, customer_ids=[kept.pk, other.pk], now=now)
    merging.merge(actor=actor, kept_id=kept.pk, other_id=other.pk, now=now)
    assert RiskAlert.objects.filter(customer=kept, ended_at=None).count() == 2
    later = now + timedelta(hours=1)
    watching.watch_people(actor=SYSTEM, customer_ids=[kept.pk, other.pk], now=later)
    assert RiskAlert.objects.filter(customer=other, ended_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_import_about_the_same_people_does_not_wait_for_a_look_at_them(now):
    """Otherwise each may wait for the other: an import takes people in the order of its file."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    (person,) = make_people(1)
    lend(person)
    added = []

    def take_in():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            added.append(lend(person, disbursed_on=date(2026, 1, 5)).pk)
        finally:
            connection.close()

    with transaction.atomic():
        watching.watch_people(actor=SYSTEM, customer_ids=[person.pk], now=now)
        beside = threading.Thread(target=take_in)
        beside.start()
        beside.join(10)
    assert len(added) == 1
