import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.domain.fields import RuleUse
from customers.domain.segments.evaluate import matches
from customers.domain.segments.scope import Scope
from customers.domain.segments.validate import read_rule
from customers.models import Segment
from customers.selectors import segment_query
from customers.selectors.segment_catalogue import load_catalogue
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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_c1_c2_compiled_rules_select_exactly_the_customers_whom_the_evaluator_accepts(seed):
    fixed = population.write_fixed()
    Segment.objects.create(slug="ruled", name="规则", created_at=population.NOW)
    rng = random.Random(seed)
    people = dict(population.random_customer(rng, fixed) for _ in range(70))
    catalogue = load_catalogue()
    ruled = read_rule(RULED, catalogue=catalogue, use=RuleUse.RISK)
    scope = Scope(catalogue, population.NOW, population.ZONE, {"ruled": ruled})

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=segment_rules.rules, _seed=st.just(seed))
    def agree(data, _seed):
        rule = read_rule(data, catalogue=catalogue, use=RuleUse.RISK)
        chosen = segment_query.customers_matching(rule, scope).values_list("pk", flat=True)
        found = list(chosen)
        assert len(found) == len(set(found))
        assert set(found) == {pk for pk, facts in people.items() if matches(rule, facts, scope)}

    agree()
