"""From scores to a problem: profit and caps count the same people, unknown ones are left out."""

import numpy as np
import pytest

from analytics.domain.targeting.planning import PeopleGroups, TargetingPeople, plan
from analytics.domain.targeting.problem import MICRO
from analytics.domain.targeting.spec import SpecCode, SpecInvalid
from analytics.domain.targeting.spec_reading import parse_spec
from campaigns.domain.campaigns.fairness import FairnessAttribute

CONTACT = 0.045


def people(**scores):
    count = len(next(iter(scores.values())))
    codes = np.zeros(count, dtype=np.int16)
    return TargetingPeople(
        ids=np.arange(1, count + 1, dtype=np.int64),
        scores={name: np.array(values, dtype=float) for name, values in scores.items()},
        groups={one: PeopleGroups(("all",), codes, (count,)) for one in FairnessAttribute},
        alerts=np.zeros(count, dtype=np.int8),
    )


def spec(scores, caps, **offer):
    return parse_spec(
        {
            "slug": "s",
            "whom": {"segment": ""},
            "scores": {one: one for one in scores},
            "offers": [{"slug": "cash", "margin": 1800, **offer}],
            "channels": [{"channel": "sms", "cost": CONTACT, "reach": 2.0}],
            "caps": caps,
        }
    )


def test_h22_profit_and_budget_count_the_incentive_of_the_same_people():
    """What is gained by the contact, less the profit, is what the budget is charged."""
    given = spec(
        ("uplift", "response", "pd"),
        {"budget": 100, "expected_loss": 100},
        lgd=0.65,
        ead=20_000,
        incentive=30,
    )
    uplift, response, default = [0.002, 0.003], [0.005, 0.001], [0.06, 0.02]
    found = plan(
        given, people(uplift=uplift, response=response, pd=default), contact_costs=[CONTACT]
    )
    value = found.problem.value[:, 0]
    budget, loss = (cap.use[:, 0] / MICRO for cap in found.problem.amounts)
    # Reach 2: .4 % and .6 % are won; 1 % take it, and of the second at least the .6 % who are won.
    taken = np.array([0.01, 0.006])
    of_loan = np.array(default) * 0.65 * 20_000
    gained = np.array([0.004, 0.006]) * (1800 - of_loan)
    assert found.response[:, 0] == pytest.approx(taken)
    assert value == pytest.approx(gained - taken * 30 - CONTACT)
    assert value + budget == pytest.approx(gained, abs=1e-6)
    assert loss == pytest.approx(taken * of_loan, abs=1e-6)
    # On average .3 % come anyway (.6 % and nobody), and the loan of the average person loses 520.
    assert found.pays_from == (pytest.approx((CONTACT + 0.003 * 30) / (1800 - 520 - 30)),)


@pytest.mark.parametrize(
    ("caps", "incentive", "unknown"),
    [({}, 30, 1), ({"expected_loss": 100}, 0, 1), ({}, 0, 0)],
)
def test_whose_response_is_not_known_is_not_free(caps, incentive, unknown):
    given = spec(("uplift", "response"), caps, incentive=incentive)
    everybody = people(uplift=[0.01, 0.01], response=[0.02, np.nan])
    found = plan(given, everybody, contact_costs=[CONTACT])
    assert found.left_out.no_score == unknown
    assert np.isfinite(found.problem.value[1, 0]) == (not unknown)


@pytest.mark.parametrize(
    ("scores", "caps", "incentive", "is_refused"),
    [
        (("uplift",), {}, 30, True),
        (("uplift",), {"expected_loss": 5}, 0, True),
        (("uplift",), {}, 0, False),
        (("uplift", "response"), {"expected_loss": 5}, 30, False),
        (("response",), {"expected_loss": 5}, 30, False),
    ],
)
def test_an_incentive_or_a_cap_of_loss_needs_the_score_of_the_response(
    scores, caps, incentive, is_refused
):
    if not is_refused:
        spec(scores, caps, incentive=incentive)
        return
    with pytest.raises(SpecInvalid) as error:
        spec(scores, caps, incentive=incentive)
    assert [(one.path, one.code) for one in error.value.problems] == [
        ("scores.response", SpecCode.RESPONSE_EXPECTED)
    ]
