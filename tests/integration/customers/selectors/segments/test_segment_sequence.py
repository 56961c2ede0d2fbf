from datetime import timedelta

import pytest

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments.buckets import bucket_of
from customers.domain.segments.evaluate import EventFact, matches
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.validate import read_rule
from customers.models import Customer
from customers.selectors.segments import query
from customers.selectors.segments.catalogue import load_catalogue
from tests.integration.customers import segment_population as population

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FIRST, THEN = population.EVENTS


def sequence(**changes):
    value = {"event": FIRST, "then": THEN, "days": 7, **changes}
    return {"combinator": "and", "rules": [{"field": "sequence", "operator": "=", "value": value}]}


# Ages of the first and of the following events; whether "then not within 7 days" and "then" hold.
PLANTED = [
    ([10 * DAY], [], True, False),
    ([10 * DAY], [3 * DAY], False, True),
    ([10 * DAY], [3 * DAY - SECOND], True, False),
    ([10 * DAY], [3 * DAY + SECOND], False, True),
    ([10 * DAY], [10 * DAY], False, True),
    ([10 * DAY], [10 * DAY + SECOND], True, False),
    ([WEEK], [], True, False),
    ([WEEK - SECOND], [], False, False),
    ([WEEK], [timedelta(0)], False, True),
    ([WEEK], [-SECOND], True, False),
    ([20 * DAY, 10 * DAY], [9 * DAY], True, True),
    ([20 * DAY, 10 * DAY], [19 * DAY, 9 * DAY], False, True),
    ([], [9 * DAY], False, False),
    ([-SECOND], [], False, False),
]


@pytest.fixture
def people():
    fixed = population.write_fixed()
    found = {}
    for firsts, thens, *_expected in PLANTED:
        events = [
            EventFact(name, population.NOW - age, {"amount": None, "channel": "app", "subject": ""})
            for name, ages in ((FIRST, firsts), (THEN, thens))
            for age in ages
        ]
        key, profile = population.write_customer(events=events, fixed=fixed)
        found[key] = profile
    return found


def chosen(data, people):
    """Return whom the database selects, after holding it to the evaluator."""
    catalogue = load_catalogue()
    scope = RuleScope(catalogue, population.NOW, population.ZONE)
    rule = read_rule(data, catalogue=catalogue, use=RuleUse.MARKETING)
    keys = set(query.customers_matching(rule, scope).values_list("pk", flat=True))
    assert keys == {key for key, profile in people.items() if matches(rule, profile, scope)}
    return [key in keys for key in people]


def test_c4_planted_sequences_with_their_boundary_seconds(people):
    assert chosen(sequence(), people) == [planted[2] for planted in PLANTED]
    assert chosen(sequence(followed=True), people) == [planted[3] for planted in PLANTED]


def test_c4_a_denied_sequence_is_everybody_else(people):
    denied = {"combinator": "and", "not": True, "rules": sequence()["rules"]}
    assert chosen(denied, people) == [not planted[2] for planted in PLANTED]


def test_c4_the_window_is_of_the_first_event_and_filters_are_of_each(people):
    assert chosen(sequence(within_days=9), people) == [
        planted[2] and WEEK in planted[0] for planted in PLANTED
    ]
    web = [{"property": "channel", "operator": "=", "value": "web"}]
    assert not any(chosen(sequence(where=web), people))
    assert chosen(sequence(then_where=web), people) == [
        any(age >= WEEK for age in planted[0]) for planted in PLANTED
    ]


def test_c4_an_event_does_not_follow_itself(people):
    again = sequence(then=FIRST, followed=True, days=30)
    assert chosen(again, people) == [len(planted[0]) == 2 for planted in PLANTED]


def test_c12_the_same_customers_after_a_rebuild_and_each_in_one_bucket_only(people):
    def bucket(number):
        rules = [{"field": "bucket", "operator": "=", "value": number}]
        return chosen({"combinator": "and", "rules": rules}, people)

    by_bucket = {number: bucket(number) for number in range(100)}
    for position, key in enumerate(people):
        mine = [number for number in by_bucket if by_bucket[number][position]]
        assert mine == [bucket_of(key, salt="bucket")]
    half = {"combinator": "and", "rules": [{"field": "bucket", "operator": "<", "value": 50}]}
    before = chosen(half, people)
    Customer.objects.update(city="上海", updated_at=population.NOW + DAY)
    assert chosen(half, people) == before
