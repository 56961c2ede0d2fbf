from datetime import date

import pytest

from customers.models import ConsentState, ContactPoint, Customer
from customers.selectors import segment_preview
from customers.selectors.segment_references import load_rule
from loancrm.kernel import clock, crypto

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
    steps = segment_preview.waterfall(rule, scope, language="en")
    assert [(s.path, s.sentence, s.left_count, s.lost_count) for s in steps] == [
        ("", "all customers", 4, 0),
        ("rules[0]", "city is 上海", 3, 1),
        ("rules[1]", "age is at least 18 years", 1, 2),
    ]


def test_an_or_is_one_step_of_the_waterfall(people, now):
    rule, scope = load({**BOTH, "combinator": "or"}, now)
    steps = segment_preview.waterfall(rule, scope, language="en")
    assert [(step.path, step.left_count, step.lost_count) for step in steps] == [
        ("", 4, 0),
        ("", 4, 0),
    ]


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
