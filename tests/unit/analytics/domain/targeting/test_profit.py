"""Expected profit of a contact: the numbers of the worked example, and where it breaks even."""

import numpy as np
import pytest

from analytics.domain.targeting.profit import (
    break_even_conversion,
    expected_loss,
    expected_profit,
    treated_response,
)

# The product's own worked example: PD 6 %, LGD 65 %, EAD 20,000; margin 1,800; a message .045.
LOSS = 780.0


def test_expected_loss_is_pd_times_lgd_times_ead():
    assert expected_loss(0.06, 0.65, 20_000) == pytest.approx(LOSS)


@pytest.mark.parametrize(("conversion", "profit"), [(0.004, 4.035), (0.0015, 1.485)])
def test_h22_profit_of_the_worked_example(conversion, profit):
    found = expected_profit(conversion=conversion, margin=1800, loss=LOSS, contact_cost=0.045)
    assert found == pytest.approx(profit, abs=1e-12)


def test_break_even_conversion():
    found = break_even_conversion(margin=1800, loss=LOSS, contact_cost=0.045)
    assert found == pytest.approx(4.41e-5, abs=5e-8)
    assert expected_profit(
        conversion=found, margin=1800, loss=LOSS, contact_cost=0.045
    ) == pytest.approx(0, abs=1e-12)
    assert break_even_conversion(margin=700, loss=LOSS, contact_cost=0.045) is None


def test_incentives_and_complaints_lower_it_person_by_person():
    found = expected_profit(
        conversion=np.array([0.01, 0.01]),
        margin=1000.0,
        loss=np.array([0.0, 100.0]),
        incentive=50.0,
        contact_cost=1.0,
        complaint_probability=np.array([0.0, 0.001]),
        complaint_cost=200.0,
    )
    assert found == pytest.approx([8.5, 7.3])


def test_h22_who_takes_the_offer_costs_the_incentive_also_who_would_have_come_anyway():
    """Golden example: 1 % take it, .4 % because of the contact; each of the 1 % is paid 30."""
    offer = {"margin": 1800, "loss": LOSS, "incentive": 30, "contact_cost": 0.045}
    found = expected_profit(conversion=0.004, response=0.01, **offer)
    # .004 x (1,800 - 780) - .01 x 30 - .045
    assert found == pytest.approx(3.735, abs=1e-12)
    # The .6 % who would have come anyway cost .18 a contact: that and the message, over 990.
    least = break_even_conversion(come_anyway=0.006, **offer)
    assert least == pytest.approx(0.225 / 990, abs=1e-15)
    assert expected_profit(conversion=least, response=0.006 + least, **offer) == pytest.approx(
        0, abs=1e-12
    )
    # An incentive that only pays among those whom the contact wins does not pay at all.
    assert expected_profit(conversion=0.004, response=0.01, **{**offer, "incentive": 500}) < 0


def test_without_an_incentive_the_response_need_not_be_known():
    found = expected_profit(
        conversion=0.004, response=np.nan, margin=1800, loss=LOSS, contact_cost=0.045
    )
    assert found == pytest.approx(4.035)


def test_at_least_whom_the_contact_wins_takes_the_offer():
    found = treated_response(
        np.array([0.01, 0.002, -0.1, 1.4, np.nan]), np.array([0.004, 0.004, -0.2, 0.1, 0.1])
    )
    assert found == pytest.approx([0.01, 0.004, 0, 1, np.nan], nan_ok=True)


def test_no_conversion_above_all_pays():
    assert break_even_conversion(margin=100, loss=0, contact_cost=99) == pytest.approx(0.99)
    assert break_even_conversion(margin=100, loss=0, contact_cost=101) is None
