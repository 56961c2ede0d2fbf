"""The feed of changes: each consumer at its own place, nothing missed, nothing shown twice."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q

from customers.models import Customer, Event, EventType
from loancrm.kernel.changes import feed, stamps
from loancrm.kernel.changes.feed import Followed
from loancrm.kernel.database import shared_clock

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TABLES = {"customers": Followed(), "events": Followed()}


@pytest.fixture
def person(now):
    before = now - timedelta(days=1)
    return Customer.objects.create(created_at=before, updated_at=before, external_id="1")


@pytest.fixture
def login(db):
    return EventType.objects.create(name="app_login")


@pytest.fixture
def record(person, login):
    def record_one(key, at):
        return Event.objects.create(
            customer=person, type=login, occurred_at=at, received_at=at, source="t", dedup_key=key
        )

    return record_one


def look(now, *, consumer="journeys", tables=TABLES):
    """Read and advance, as a consumer does; return whom it was shown."""
    found = feed.read(consumer=consumer, tables=tables, now=now)
    feed.advance(found)
    return found.subjects


def test_a_new_consumer_begins_at_the_end(person, record, now):
    record("a", now)
    assert look(now) == ()
    assert not feed.has_news(consumer="journeys", tables=TABLES, now=now + SECOND)


def test_each_consumer_has_a_place_of_its_own(person, record, now):
    look(now)
    look(now, consumer="webhooks")
    record("a", now + SECOND)
    assert look(now + SECOND) == (person.pk,)
    assert look(now + 2 * SECOND) == ()
    assert feed.has_news(consumer="webhooks", tables=TABLES, now=now + 2 * SECOND)
    assert look(now + 3 * SECOND, consumer="webhooks") == (person.pk,)


def test_a_row_is_shown_each_time_it_changes_and_only_then(person, now):
    look(now)
    for second in (1, 2):
        Customer.objects.filter(pk=person.pk).update(city=str(second))
        assert look(now + second * SECOND) == (person.pk,)
        assert look(now + second * SECOND) == ()
    # What is read again because a transaction may have been late was seen already.
    assert look(now + 2 * MINUTE) == ()


def test_who_dies_before_advancing_is_shown_the_same_again(person, record, now):
    look(now)
    record("a", now + SECOND)
    lost = feed.read(consumer="journeys", tables=TABLES, now=now + SECOND)
    assert lost.subjects == (person.pk,)
    assert look(now + 2 * SECOND) == (person.pk,)


def test_a_round_that_was_overtaken_hides_nothing(person, record, now):
    look(now)
    record("a", now + SECOND)
    slow = feed.read(consumer="journeys", tables=TABLES, now=now + SECOND)
    record("b", now + 2 * SECOND)
    assert look(now + 2 * SECOND) == (person.pk,)
    feed.advance(slow)
    # Shown once more, never lost.
    assert look(now + 3 * SECOND) == (person.pk,)


def test_a_row_that_is_due_later_is_shown_when_it_is_due(person, record, now):
    def due(moment):
        return {"events": Followed(is_due=Q(occurred_at__lte=moment))}

    look(now, tables=due(now))
    record("later", now + MINUTE * 5)
    for minute in (1, 3, 4):
        at = now + minute * MINUTE
        assert look(at, tables=due(at)) == ()
    at = now + 5 * MINUTE
    assert feed.has_news(consumer="journeys", tables=["events"], now=at)
    assert look(at, tables=due(at)) == (person.pk,)


def test_a_row_that_is_no_news_to_a_consumer_is_not_asked_for_again(person, record, login, now):
    other = {"events": Followed(where=~Q(type=login))}
    look(now, tables=other)
    record("a", now + SECOND)
    assert look(now + SECOND, tables=other) == ()
    assert not feed.has_news(consumer="journeys", tables=["events"], now=now + 2 * SECOND)


def test_too_many_changes_are_said_to_be_so_and_skipped(person, record, now, monkeypatch):
    monkeypatch.setattr(feed, "MAX_ROWS", 2)
    look(now)
    for number in range(3):
        record(f"many{number}", now + SECOND)
    found = feed.read(consumer="journeys", tables=TABLES, now=now + SECOND)
    assert (found.subjects, found.is_complete) == ((), False)
    feed.advance(found)
    assert look(now + 2 * SECOND) == ()


def test_what_is_due_later_is_not_passed_over_with_too_many(person, record, now, monkeypatch):
    monkeypatch.setattr(feed, "MAX_ROWS", 2)

    def due(moment):
        return {"events": Followed(is_due=Q(occurred_at__lte=moment))}

    look(now, tables=due(now))
    record("later", now + 4 * MINUTE)
    for number in range(3):
        record(f"many{number}", now)
    for minute in range(1, 4):
        at = now + minute * MINUTE
        found = feed.read(consumer="journeys", tables=due(at), now=at)
        feed.advance(found)
        assert not found.is_complete
    at = now + 5 * MINUTE
    found = feed.read(consumer="journeys", tables=due(at), now=at)
    # All are looked at then, the late one among them.
    assert not found.is_complete


def test_a_clock_ahead_hides_nobody_else(person, now):
    """By the database's clock, whatever a host takes for the time."""
    real = shared_clock.now()
    ahead = Customer.objects.create(created_at=now, updated_at=now, external_id="2")
    look(real)
    Customer.objects.filter(pk=ahead.pk).update(updated_at=real + timedelta(hours=1))
    assert look(real + MINUTE) == (ahead.pk,)
    look(real + 3 * MINUTE)
    Customer.objects.filter(pk=person.pk).update(city="上海")
    assert feed.has_news(consumer="journeys", tables=TABLES, now=real + 3 * MINUTE + SECOND)
    assert person.pk in look(real + 3 * MINUTE + SECOND)
    assert look(real + 3 * MINUTE + 2 * SECOND) == ()


def test_reading_asks_a_fixed_number_of_queries(person, record, now, django_assert_num_queries):
    look(now)
    record("a", now + SECOND)
    asked_for_open_transactions = 2 if connection.vendor == "postgresql" else 0
    with django_assert_num_queries(1 + 2 * len(TABLES) + asked_for_open_transactions):
        found = feed.read(consumer="journeys", tables=TABLES, now=now + SECOND)
    with django_assert_num_queries(1):
        feed.advance(found)


@pytest.mark.parametrize("name", sorted(settings.LOANCRM_MANIFESTS.change_tables))
def test_every_declared_table_can_be_followed_by_an_index(name, now):
    table = settings.LOANCRM_MANIFESTS.change_tables[name]
    model = apps.get_model(table.model)
    if table.is_stamped:
        assert stamps.COLUMN in {index.fields[0] for index in model._meta.indexes if index.fields}
    assert list(model.objects.values_list(table.subject)[:1]) == []
    assert look(now, tables={name: Followed()}) == ()
    assert look(now + SECOND, tables={name: Followed()}) == ()
