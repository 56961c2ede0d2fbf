import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments.evaluate import matches
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.validate import read_rule
from customers.models import (
    AttributeValue,
    ConsentState,
    Customer,
    Event,
    Loan,
    Score,
    Segment,
    SegmentMember,
)
from customers.selectors.segments import query
from customers.selectors.segments.catalogue import load_catalogue
from tests import planner
from tests.integration.customers import segment_population as population
from tests.integration.customers import segment_rules

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

RULED = {
    "combinator": "or",
    "rules": [
        {"field": "loan.dpd_days", "operator": ">", "value": 0},
        {"field": "event", "operator": "=", "value": {"event": "app_login", "value": 2}},
    ],
}


def _agreement(people, *, seed, examples):
    """Return a test of random rules in random zones: SQL selects whom the evaluator accepts."""
    catalogue = load_catalogue()
    ruled = read_rule(RULED, catalogue=catalogue, use=RuleUse.RISK)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=segment_rules.rules, zone=st.sampled_from(population.ZONES), _seed=st.just(seed))
    def agree(data, zone, _seed):
        scope = RuleScope(catalogue, population.NOW, zone, {"ruled": ruled})
        rule = read_rule(data, catalogue=catalogue, use=RuleUse.RISK)
        chosen = query.customers_matching(rule, scope).values_list("pk", flat=True)
        found = list(chosen)
        assert len(found) == len(set(found))
        assert set(found) == {pk for pk, facts in people.items() if matches(rule, facts, scope)}

    return agree


def _people(rng, count):
    fixed = population.write_fixed()
    Segment.objects.create(slug="ruled", name="规则", created_at=population.NOW)
    people = dict(population.random_customer(rng, fixed) for _ in range(count))
    planner.learn(Customer, Event, Loan, Score, AttributeValue, ConsentState, SegmentMember)
    return people


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_c1_c2_compiled_rules_select_exactly_the_customers_whom_the_evaluator_accepts(seed):
    people = _people(random.Random(seed), 70)

    _agreement(people, seed=seed, examples=200)()


def test_s25_the_same_rule_in_sql_and_in_memory_agrees_on_1000_random_customers():
    people = _people(random.Random(25), 1000)
    assert len(people) == 1000

    _agreement(people, seed=25, examples=60)()


@pytest.mark.parametrize("zone", population.ZONES, ids=str)
def test_s25_a_relative_date_is_counted_in_days_of_the_companys_zone(zone):
    people = _people(random.Random(4), 300)
    catalogue = load_catalogue()
    scope = RuleScope(catalogue, population.NOW, zone)
    today = population.NOW.astimezone(zone).date()
    condition = {"field": "created_at", "operator": "inLastDays", "value": 7}
    rule = read_rule(
        {"combinator": "and", "rules": [condition]}, catalogue=catalogue, use=RuleUse.MARKETING
    )

    chosen = set(query.customers_matching(rule, scope).values_list("pk", flat=True))

    days = {pk: facts.columns["created_at"].astimezone(zone).date() for pk, facts in people.items()}
    expected = {pk for pk, day in days.items() if timedelta(0) <= today - day <= timedelta(days=7)}
    assert chosen == expected
    assert 0 < len(chosen) < len(people)
