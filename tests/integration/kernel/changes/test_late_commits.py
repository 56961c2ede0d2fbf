"""The feed of changes shows what was written with an old time, twice alike, or committed late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal

import pytest
from django.db import connection, transaction

from customers.models import Customer
from loancrm.kernel.changes import feed
from loancrm.kernel.changes.feed import Followed
from loancrm.kernel.models import ChangeCursor
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TABLES = {"customers": Followed()}
CONSUMER = "segments"


def look(now):
    """Read and advance, as a consumer does; return whom it was shown, and whether that was all."""
    found = feed.read(consumer=CONSUMER, tables=TABLES, now=now)
    feed.advance(found)
    return found.subjects, found.is_complete


def look_until_settled(now):
    for minute in (2, 4, 6):
        look(now + minute * MINUTE)


def test_a_page_that_a_paused_import_writes_with_the_time_of_its_beginning_is_shown(now):
    waiting, other = make_people(2)
    look(now)
    Customer.objects.filter(pk=other.pk).update(updated_at=now + MINUTE)
    look_until_settled(now)

    Customer.objects.filter(pk=waiting.pk).update(city="上海", updated_at=now)

    assert feed.has_news(consumer=CONSUMER, tables=TABLES, now=now + 6 * MINUTE + SECOND)
    assert look(now + 6 * MINUTE + SECOND) == ((waiting.pk,), True)


def test_two_changes_with_the_same_time_to_the_same_row_are_both_shown(now):
    (person,) = make_people(1)
    look(now)
    for second, city in enumerate(("上海", "北京"), start=1):
        Customer.objects.filter(pk=person.pk).update(city=city, updated_at=now)
        assert look(now + second * SECOND) == ((person.pk,), True)
    assert look(now + 3 * SECOND) == ((), True)


def test_a_row_saved_with_an_old_stamp_is_stamped_later_all_the_same(now):
    (person,) = make_people(1)
    stale = Customer.objects.get(pk=person.pk)
    look(now)
    for second, city in enumerate(("上海", "北京"), start=1):
        stale.city = city
        stale.save()
        assert look(now + second * SECOND) == ((person.pk,), True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [1, 4])
def test_what_a_transaction_commits_long_after_its_writing_is_shown(now, rounds):
    late, early = make_people(2)
    look(now)
    has_written, may_commit = Signal(), Signal()

    def write_late():
        try:
            with transaction.atomic():
                Customer.objects.filter(pk=late.pk).update(city="上海")
                has_written.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_late)
        assert has_written.wait(30)
        Customer.objects.filter(pk=early.pk).update(city="北京")
        shown = [look(now + 2 * round_ * MINUTE)[0] for round_ in range(1, rounds + 1)]
        may_commit.set()
        writing.result()

    assert shown == [(early.pk,), *[()] * (rounds - 1)]
    assert look(now + 2 * rounds * MINUTE + SECOND) == ((late.pk,), True)


def test_who_may_have_come_late_among_too_many_is_looked_at_with_everybody(now, monkeypatch):
    monkeypatch.setattr(feed, "MAX_ROWS", 2)
    people = make_people(4)
    look(now)
    Customer.objects.filter(pk__in=[person.pk for person in people[:3]]).update(city="上海")
    assert look(now + SECOND) == ((), False)
    Customer.objects.filter(pk=people[3].pk).update(city="北京")
    # Those passed over are not read again, and what comes after is told at once.
    assert look(now + 2 * SECOND) == ((people[3].pk,), True)
    # Within this test the transaction that wrote them stays open on PostgreSQL.
    ChangeCursor.objects.update(top_before=0)
    assert look(now + 2 * MINUTE) == ((), False)
    assert look(now + 4 * MINUTE) == ((), True)


def test_a_cursor_of_another_server_waits_for_none_of_its_transactions(now):
    """Restored with the database to a server that has given out fewer numbers."""
    (person,) = make_people(1)
    look(now)
    Customer.objects.filter(pk=person.pk).update(city="上海")
    look(now + SECOND)
    ChangeCursor.objects.update(top_before=2**62)
    look(now + 2 * MINUTE)
    ChangeCursor.objects.update(top_before=2**62)
    look(now + 4 * MINUTE)
    assert ChangeCursor.objects.get(table="customers").seen.keys() == {feed.NEWEST}
