"""The one door to the consent ledger."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import ConsentRecord, ConsentState
from customers.selectors import consents as ledger
from customers.services.consents import ledger as consents
from customers.services.consents.ledger import ConsentChange
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _word(customer, *, is_granted, source="file", at=None):
    return ConsentChange(customer.pk, "sms", "marketing", is_granted, source, "e", at=at)


def _report(*changes, now, new_ids=()):
    with transaction.atomic():
        return consents.apply_reported_consents(changes=changes, new_ids=new_ids, now=now)


def _states():
    return dict(ConsentState.objects.values_list("customer_id", "is_granted"))


def test_a6_reports_narrow_and_never_widen(now):
    nobody, granted, withdrawn, repeated = people = make_people(4, consents=())
    start = [
        _word(person, is_granted=word)
        for person, word in zip(people[1:], (True, False, True), strict=True)
    ]
    consents.append_changes(changes=start, now=now - timedelta(days=9))

    heard = _report(
        _word(nobody, is_granted=True),
        _word(granted, is_granted=False),
        _word(withdrawn, is_granted=True),
        _word(repeated, is_granted=True),
        now=now,
    )

    assert _states() == {
        nobody.pk: True,
        granted.pk: False,
        withdrawn.pk: False,
        repeated.pk: True,
    }
    assert [(item.customer_id, before) for item, before in heard.written] == [
        (nobody.pk, None),
        (granted.pk, True),
    ]
    assert [item.customer_id for item in heard.conflicts] == [withdrawn.pk]
    assert ConsentRecord.objects.filter(at=now).count() == 2
    for person in people:
        rebuilt = ledger.states_at(person.pk, at=now)["sms", "marketing"]
        assert rebuilt.is_granted == _states()[person.pk]


def test_k1_of_several_first_words_all_are_kept_and_the_latest_counts(now):
    person = make_people(1, consents=())[0]
    words = [
        _word(person, is_granted=False, at=now - timedelta(days=1)),
        _word(person, is_granted=True, at=now - timedelta(days=2)),
    ]

    _report(*words, new_ids={person.pk}, now=now)

    assert _states() == {person.pk: False}
    assert ConsentRecord.objects.filter(customer=person).count() == 2
    earlier = ledger.states_at(person.pk, at=now - timedelta(days=1, hours=12))
    assert earlier["sms", "marketing"].is_granted


@pytest.mark.parametrize("size", [3, 60])
def test_the_number_of_statements_does_not_depend_on_the_number_of_people(size, now):
    people = make_people(size, consents=())
    consents.append_changes(
        changes=[_word(person, is_granted=True) for person in people[::2]],
        now=now - timedelta(days=9),
    )
    words = [_word(person, is_granted=number % 2 == 1) for number, person in enumerate(people)]

    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        consents.apply_reported_consents(changes=words, now=now)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    # One fewer where the database has no row locks; one looks for what waits for a clear word.
    assert len(statements) == (7 if connection.vendor == "postgresql" else 6)


def test_a_retraction_leaves_a_ledger_entry_and_no_state(now):
    person, other = make_people(2, consents=())
    consents.append_changes(
        changes=[_word(person, is_granted=True), _word(other, is_granted=True)],
        now=now - timedelta(days=9),
    )

    consents.append_retractions(changes=[_word(person, is_granted=False)], now=now)

    assert _states() == {other.pk: True}
    assert not ledger.states_at(person.pk, at=now)["sms", "marketing"].is_granted
