"""c1, c3, c5, c7: each operator, the edges of a window, references, and the preview's sums."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection

from customers.domain.fields.catalogue import OPERATORS, Op, RuleUse
from customers.domain.segments.evaluate import EventFact, StandingConsent, matches
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.validate import read_rule
from customers.models import AttributeDefinition, Customer
from customers.selectors.segments import preview, query
from customers.selectors.segments.catalogue import load_catalogue
from customers.selectors.segments.suggestions import suggestions
from tests.integration.customers import segment_population as population
from tests.integration.customers.segment_population import NOW, SECOND

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

MONTH = timedelta(days=30)
# One field and constants for every type, so that each operator of the type is asked once.
FIELDS = {
    "integer": ("age", {"list": [18, 36], "pair": [18, 36], "one": 36}),
    "decimal": ("attribute.number", {"list": ["0.1", 5], "pair": [0, 5], "one": "0.1"}),
    "text": ("city", {"list": ["上海", "ab"], "pair": None, "one": "ab"}),
    "choice": ("lifecycle_stage", {"list": ["lead", "dormant"], "pair": None, "one": "lead"}),
    "date": (
        "attribute.since",
        {"list": None, "pair": ["2026-03-25", "2026-04-01"], "one": "2026-04-01"},
    ),
    "flag": ("attribute.vip", {"list": None, "pair": None, "one": True}),
}
CASES = [(kind.value, op) for kind, ops in OPERATORS.items() for op in ops]


def constant(op, values):
    if op in {Op.NULL, Op.NOT_NULL}:
        return None
    if op in {Op.IN_LAST_DAYS, Op.IN_NEXT_DAYS, Op.MORE_THAN_DAYS_AGO}:
        return 7
    if op in {Op.BETWEEN, Op.NOT_BETWEEN}:
        return values["pair"]
    return values["list"] if op in {Op.IN, Op.NOT_IN} else values["one"]


@pytest.fixture
def fixed():
    return population.write_fixed()


@pytest.fixture
def people(fixed):
    """One customer for every value at or beside an edge, and one without any."""
    facts = [{}]
    facts += [{"columns": {"birth_date": born}} for born in population.BIRTH_DATES]
    facts += [{"columns": {"city": city}} for city in population.CITIES]
    facts += [{"columns": {"lifecycle_stage": stage}} for stage in population.STAGES]
    pools = {"number": population.NUMBERS, "since": population.DAYS, "vip": population.FLAGS}
    facts += [{"attributes": {name: value}} for name, pool in pools.items() for value in pool]
    return dict(population.write_customer(fixed=fixed, **known) for known in facts)


def agreed(data, people):
    """Return whom the database selects, after holding it to the evaluator."""
    catalogue = load_catalogue()
    scope = RuleScope(catalogue, NOW, population.ZONE)
    rule = read_rule(data, catalogue=catalogue, use=RuleUse.RISK)
    found = list(query.customers_matching(rule, scope).values_list("pk", flat=True))
    assert len(found) == len(set(found))
    assert set(found) == {key for key, facts in people.items() if matches(rule, facts, scope)}
    return set(found)


@pytest.mark.parametrize(("kind", "op"), CASES, ids=str)
def test_c1_each_operator_agrees_with_the_oracle_missing_values_included(people, kind, op):
    field, values = FIELDS[kind]
    asked = {"field": field, "operator": op.value, "value": constant(op, values)}
    chosen = agreed({"combinator": "and", "rules": [asked]}, people)
    denied = agreed({"combinator": "and", "not": True, "rules": [asked]}, people)
    assert chosen | denied == set(people)
    assert not chosen & denied
    # A stage is never missing; every other question divides the customers.
    is_divided = (kind, op) not in {("choice", Op.NULL), ("choice", Op.NOT_NULL)}
    assert bool(chosen and denied) is is_divided


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^上", ["上海", "上饶"]),
        ("[A-Z]", ["Ab"]),
        ("^a.b$", ["a%b", "a_b"]),
        ("^a[_%]b$", ["a%b", "a_b"]),
        ("é", ["é"]),
        ("x*", ["Ab", "a%b", "a_b", "ab", "É", "é", "上海", "上饶"]),
        ("\\w", ["Ab", "a%b", "a_b", "ab"]),
        ("(海|饶)$", ["上海", "上饶"]),
    ],
)
def test_c1_a_pattern_finds_the_same_on_both_databases_and_never_empty_text(
    people, pattern, expected
):
    rule = {"field": "city", "operator": "regex", "value": pattern}
    chosen = agreed({"combinator": "and", "rules": [rule]}, people)
    assert sorted(Customer.objects.filter(pk__in=chosen).values_list("city", flat=True)) == expected


def test_c1_a_pattern_in_events_loans_and_attributes(fixed):
    login = EventFact("app_login", NOW - SECOND, {"channel": "app", "subject": "", "amount": None})
    loan = {
        "status": "active", "dpd_days": 0, "max_dpd_days": 0, "outstanding_amount": 0,
        "principal_amount": 1, "disbursed_on": population.DISBURSED[0], "product__code": "cash",
    }  # fmt: skip
    people = dict(
        population.write_customer(fixed=fixed, **facts)
        for facts in ({"events": [login]}, {"loans": [loan]}, {"attributes": {"plan": "B"}}, {})
    )
    first, second, third, _last = people
    where = [{"property": "channel", "operator": "regex", "value": "^a"}]
    event = {"field": "event", "operator": "=", "value": {"event": "app_login", "where": where}}
    product = {"field": "loan.product", "operator": "regex", "value": "sh$"}
    plan = {"field": "attribute.plan", "operator": "regex", "value": "[A-C]"}
    for rule, expected in ((event, first), (product, second), (plan, third)):
        assert agreed({"combinator": "and", "rules": [rule]}, people) == {expected}


AGES = (MONTH - SECOND, MONTH, MONTH + SECOND, timedelta(0), -SECOND)


def test_c3_two_logins_by_app_in_thirty_days_at_the_edges_of_the_window(fixed):
    def logins(ages, channel="app"):
        facts = {"channel": channel, "subject": "", "amount": None}
        return [EventFact("app_login", NOW - age, facts) for age in ages]

    planted = {(one, two): logins((one, two)) for one in AGES for two in AGES}
    keys = {}
    people = {}
    for ages, events in planted.items():
        key, profile = population.write_customer(events=events, fixed=fixed)
        keys[ages], people[key] = key, profile
    web, profile = population.write_customer(events=logins(AGES[:2], "web"), fixed=fixed)
    people[web] = profile
    value = {
        "event": "app_login", "operator": ">=", "value": 2, "within_days": 30,
        "where": [{"property": "channel", "operator": "=", "value": "app"}],
    }  # fmt: skip
    rule = {"field": "event", "operator": "=", "value": value}
    chosen = agreed({"combinator": "and", "rules": [rule]}, people)
    inside = {MONTH - SECOND, MONTH, timedelta(0)}
    assert chosen == {key for ages, key in keys.items() if set(ages) <= inside}


def _scope():
    return RuleScope(load_catalogue(), NOW, population.ZONE)


def _rule(*rules, combinator="and"):
    data = {"combinator": combinator, "rules": list(rules)}
    return read_rule(data, catalogue=load_catalogue(), use=RuleUse.RISK)


def test_c7_the_waterfall_sums_from_everybody_to_the_segment(people, fixed):
    population.write_customer(
        columns={"city": "上海", "lifecycle_stage": "dormant"},
        consents={("sms", "marketing"): StandingConsent(is_granted=True)},
        fixed=fixed,
    )
    rule = _rule(
        {"field": "city", "operator": "notNull", "value": None},
        {"field": "city", "operator": "regex", "value": "^上"},
        {"field": "consent.sms.marketing", "operator": "granted", "value": None},
    )
    found = preview.preview(rule, _scope(), language="en", is_detailed=True)
    steps = found.waterfall
    assert steps[0].left_count == Customer.objects.count()
    assert steps[-1].left_count == found.count == 1
    assert steps[0].left_count - sum(step.lost_count for step in steps) == found.count
    for before, after in pairwise(steps):
        assert before.left_count - after.lost_count == after.left_count


def test_c7_a_preview_is_stopped_by_its_ticket_and_by_nobody_elses(people):
    number = "0" * 32
    assert preview.ticket("7", number) == f"preview:7:{number}"
    assert preview.ticket("7", "x'; DROP TABLE") == ""
    assert preview.cancel("") is False
    assert preview.cancel(preview.ticket("7", number)) is False
    if connection.vendor != "postgresql":
        return
    with preview._time_limit(5.0, preview.ticket("7", number)):
        assert _application() == f"preview:7:{number}"
    assert "preview" not in _application()


def _application():
    with connection.cursor() as cursor:
        cursor.execute("SHOW application_name")
        return cursor.fetchone()[0]


def test_suggestions_are_the_most_frequent_values_and_none_for_sealed_or_unique_fields(
    people, fixed, django_assert_num_queries
):
    for _turn in range(2):
        population.write_customer(columns={"city": "上海"}, fixed=fixed)
    population.write_customer(attributes={"plan": "gold"}, fixed=fixed)
    with django_assert_num_queries(1):
        cities = suggestions(field="city")
    assert cities[0] == "上海"
    assert "" not in cities
    assert suggestions(field="attribute.plan") == ["gold"]
    for field in ("name", "phone", "external_id", "age", "attribute.number", "nothing", ""):
        assert suggestions(field=field) == []


def test_no_value_of_an_attribute_for_risk_is_suggested(people, fixed):
    population.write_customer(attributes={"plan": "gold"}, fixed=fixed)
    AttributeDefinition.objects.filter(name="plan").update(is_risk_only=True)
    assert suggestions(field="attribute.plan") == []
