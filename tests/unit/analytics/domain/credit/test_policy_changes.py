"""What one version says otherwise than another: every term, and nothing twice."""

import json
from decimal import Decimal

from analytics.domain.credit.policy_changes import PolicyTerm, policy_changes
from analytics.domain.credit.policy_text import parse_policy
from tests.golden.credit import POLICY

OLD = parse_policy(POLICY)


def changed(change):
    content = json.loads(json.dumps(POLICY))
    change(content)
    found = policy_changes(OLD, parse_policy(content))
    return [(each.term.value, each.fact, each.band, each.before, each.after) for each in found]


def test_the_same_says_nothing_whatever_the_order_of_its_keys():
    assert changed(lambda content: None) == []
    back = {**POLICY, "hard_rules": dict(reversed(POLICY["hard_rules"].items()))}
    assert policy_changes(OLD, parse_policy(back)) == ()
    assert parse_policy(back) == OLD


def test_every_plain_term_is_told():
    new = {
        "score_model": "behaviour_pd", "score_age_days": 7, "review_from": "0.07",
        "rate_floor": "0.06", "rate_cap": "0.23", "least_amount": 2000,
    }  # fmt: skip
    found = changed(lambda content: content.update(new))
    assert {term for term, *_rest in found} == set(new)


def test_rules_are_added_changed_and_dropped():
    def change(content):
        del content["hard_rules"]["current_dpd_days"]
        content["hard_rules"]["monthly_income"] = 3000
        content["hard_rules"]["open_loan_count"] = 5
        content["explanations"] = {}

    found = changed(change)
    assert ("hard_rule", "current_dpd_days", "", Decimal(0), None) in found
    assert ("hard_rule", "monthly_income", "", Decimal(2000), Decimal(3000)) in found
    assert ("hard_rule", "open_loan_count", "", None, Decimal(5)) in found
    assert sum(term == "explanation" for term, *_rest in found) == 3


def test_bands_are_the_same_by_their_names():
    def change(content):
        content["bands"][1] = {
            "name": "B2", "most_risk": "0.06", "annual_rate": "0.12", "limit_amount": 30000,
            "income_multiple": 6,
        }  # fmt: skip
        content["bands"][2]["income_multiple"] = 2

    assert changed(change) == [
        (PolicyTerm.BAND, None, "B", "B", None),
        (PolicyTerm.INCOME_MULTIPLE, None, "C", Decimal(3), Decimal(2)),
        (PolicyTerm.BAND, None, "B2", None, "B2"),
        (PolicyTerm.MOST_RISK, None, "B2", None, Decimal("0.06")),
        (PolicyTerm.ANNUAL_RATE, None, "B2", None, Decimal("0.12")),
        (PolicyTerm.LIMIT_AMOUNT, None, "B2", None, Decimal(30000)),
        (PolicyTerm.INCOME_MULTIPLE, None, "B2", None, Decimal(6)),
    ]
