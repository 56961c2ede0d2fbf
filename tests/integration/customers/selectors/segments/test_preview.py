from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import ConsentState, ContactPoint, Customer, Event, EventType
from customers.selectors.segments import preview as segment_preview
from customers.selectors.segments.references import load_rule
from loancrm.kernel import clock
from loancrm.kernel.security import crypto

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def people(now):
    made = []
    for number, (city, born) in enumerate(
        (("上海", 2000), ("上海", 2010), ("北京", 2000), ("上海", None))
    ):
        person = Customer(
            city=city,
            gender="female",
            birth_date=date(born, 1, 1) if born else None,
            created_at=now,
            updated_at=now,
            external_id=str(number),
        )
        person.name_sealed = crypto.vault().seal(
            Customer.NAME_COLUMN, person.public_id, f"王小{number}"
        )
        person.save()
        made.append(person)
    return made


def condition(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


BOTH = {
    "combinator": "and",
    "rules": [condition("city", "=", "上海"), condition("age", ">=", 18)],
}


def load(data, now):
    return load_rule(data, now=now, zone=clock.company_zone())


def test_a_preview_counts_exactly_and_shows_masked_people(people, now):
    rule, scope = load(BOTH, now)
    preview = segment_preview.preview(rule, scope, language="zh-hans")
    assert preview.count == 1
    assert preview.sentence == "城市等于 上海，且年龄不小于 18 岁"
    (person,) = preview.sample
    assert (person.customer_id, person.masked_name) == (people[0].pk, "王**")
    assert (person.age_years, person.city, person.gender) == (26, "上海", "female")
    assert (preview.waterfall, preview.reachable) == ((), None)


def test_the_sample_is_bounded_and_the_same_every_time(people, now):
    rule, scope = load(condition("city", "notNull", None), now)
    preview = segment_preview.preview(rule, scope, language="en", sample_size=2)
    assert preview.count == 4
    assert [row.customer_id for row in preview.sample] == [people[0].pk, people[1].pk]


def test_the_waterfall_leads_from_all_customers_to_the_count(people, now):
    rule, scope = load(BOTH, now)
    steps = segment_preview.preview(rule, scope, language="en", is_detailed=True).waterfall
    assert [(s.path, s.sentence, s.left_count, s.lost_count) for s in steps] == [
        ("", "all customers", 4, 0),
        ("rules[0]", "city is 上海", 3, 1),
        ("rules[1]", "age is at least 18 years", 1, 2),
    ]


def test_an_or_is_one_step_of_the_waterfall(people, now):
    rule, scope = load({**BOTH, "combinator": "or"}, now)
    steps = segment_preview.preview(rule, scope, language="en", is_detailed=True).waterfall
    assert [(step.path, step.left_count, step.lost_count) for step in steps] == [
        ("", 4, 0),
        ("", 4, 0),
    ]


def _login(person, now, number):
    kind = EventType.objects.get_or_create(name="app_login")[0]
    Event.objects.create(
        customer=person, type=kind, occurred_at=now, received_at=now, source="app",
        dedup_key=f"{person.pk}-{number}",
    )  # fmt: skip


LOGGED_IN = condition("event", "=", {"event": "app_login"})
TWICE = condition("event", "=", {"event": "app_login", "operator": ">=", "value": 2})
ADULT = condition("age", ">=", 18)
CITY = condition("city", "=", "上海")
NOBODY = condition("age", "<", -5)
SOMEWHERE = condition("city", "notNull", None)


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ([], [4]),
        ([LOGGED_IN], [4, 3]),
        ([ADULT, LOGGED_IN, TWICE], [4, 2, 2, 1]),
        ([LOGGED_IN, CITY, TWICE], [4, 3, 2, 1]),
        ([CITY, {"combinator": "or", "rules": [TWICE, ADULT]}, LOGGED_IN], [4, 3, 1, 1]),
        ([CITY, NOBODY, LOGGED_IN], [4, 3, 0, 0]),
        ([LOGGED_IN, NOBODY], [4, 3, 0]),
        ([*[SOMEWHERE] * 12, CITY, LOGGED_IN], [*[4] * 13, 3, 2]),
    ],
)
def test_every_step_counts_those_whom_all_conditions_before_it_leave(people, now, conditions, left):
    for number, person in enumerate((people[0], people[0], people[1], people[2])):
        _login(person, now, number)
    rule, scope = load({"combinator": "and", "rules": conditions}, now)
    shown = segment_preview.preview(rule, scope, language="en", is_detailed=True)
    assert [step.left_count for step in shown.waterfall] == left
    assert shown.count == left[-1] == segment_preview.count(rule, scope)
    assert len(shown.sample) == left[-1]


def test_a_preview_asks_each_condition_once(people, now, django_assert_max_num_queries):
    rule, scope = load({"combinator": "and", "rules": [CITY, ADULT, LOGGED_IN, TWICE]}, now)
    # A step of its own for each condition on events, and one for all those on columns.
    with django_assert_max_num_queries(20), CaptureQueriesContext(connection) as asked:
        segment_preview.preview(rule, scope, language="en", is_detailed=True)
    statements = [query["sql"] for query in asked.captured_queries]
    assert sum('"customers_event"' in sql for sql in statements) == 2
    assert sum("birth_date" in sql and "FILTER" in sql for sql in statements) == 1


def test_reachable_means_an_active_contact_point_and_a_standing_consent(people, now):
    def reach(person, kind, status, *, is_granted):
        ContactPoint.objects.create(
            customer=person,
            kind=kind,
            value_sealed=b"",
            value_index=f"{kind}{person.pk}",
            status=status,
            created_at=now,
        )
        channel = {"phone": "sms", "email": "email"}[kind]
        ConsentState.objects.create(
            customer=person,
            channel=channel,
            purpose="marketing",
            is_granted=is_granted,
            changed_at=now,
        )

    reach(people[0], "phone", "active", is_granted=True)
    reach(people[1], "phone", "invalid", is_granted=True)
    reach(people[2], "phone", "active", is_granted=True)
    reach(people[3], "phone", "active", is_granted=False)
    reach(people[0], "email", "bounced", is_granted=True)
    rule, scope = load(condition("city", "=", "上海"), now)
    preview = segment_preview.preview(rule, scope, language="en", is_detailed=True)
    assert preview.reachable == {"sms": 1, "email": 0}
    assert preview.waterfall[-1].left_count == preview.count == 3


def test_a_count_that_takes_too_long_is_given_up(people, now, monkeypatch):
    monkeypatch.setattr(segment_preview, "_STEPS_OF_SQLITE", 1)
    rule, scope = load(BOTH, now)
    with pytest.raises(segment_preview.PreviewTooSlow):
        segment_preview.count(_heavy(rule), scope, timeout_seconds=1e-9)
    assert segment_preview.count(rule, scope) == 1


def _heavy(rule):
    for _ in range(4):
        rule = segment_preview.AllOf((rule,) * 6)
    return rule
