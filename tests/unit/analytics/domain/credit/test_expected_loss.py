"""Stages at their borders, and expected losses as published."""

import pytest

from analytics.domain.credit import expected_loss
from analytics.domain.credit.expected_loss import LossTerms, Stage
from tests.golden.credit import EXPECTED_LOSS

EXPOSURE, HAZARD, LOSS, RATE, YEAR, LIFE = EXPECTED_LOSS
TERMS = LossTerms([EXPOSURE] * 3, [HAZARD] * 3, LOSS, RATE)


@pytest.mark.parametrize(
    ("dpd", "fallen", "stage"),
    [
        (0, 0, Stage.ONE),
        (30, 1, Stage.ONE),
        (31, 0, Stage.TWO),
        (0, 2, Stage.TWO),
        (89, 0, Stage.TWO),
        (90, 0, Stage.THREE),
        (90, 5, Stage.THREE),
    ],
)
def test_stages_by_days_past_due_and_fallen_scores(dpd, fallen, stage):
    assert expected_loss.stage_of(dpd_days=dpd, bands_fallen=fallen) is stage


def test_losses_of_a_year_and_of_the_whole_life_as_published():
    assert expected_loss.loss_of_stage(Stage.ONE, TERMS) == pytest.approx(YEAR, abs=1e-6)
    assert expected_loss.loss_of_stage(Stage.TWO, TERMS) == pytest.approx(LIFE, abs=1e-6)
    assert expected_loss.loss_of_stage(Stage.THREE, TERMS) == EXPOSURE * LOSS


def test_the_plain_product_without_time():
    assert expected_loss.expected_loss(LossTerms([20_000], [0.06], 0.65, 0.0)) == pytest.approx(780)


@pytest.mark.parametrize(
    ("months", "expected"),
    [(0, (1200,)), (12, (1200,)), (13, (1200, 1200 / 13)), (24, (1200, 600))],
)
def test_exposures_fall_evenly(months, expected):
    assert expected_loss.yearly_exposures(1200, months) == pytest.approx(expected)


def test_years_of_different_number_are_refused():
    with pytest.raises(ValueError, match="zip"):
        expected_loss.expected_loss(LossTerms([1.0], [0.1, 0.1], 0.5, 0.0))
