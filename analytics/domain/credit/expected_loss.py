"""Stages of loans for the management's view, and the loss that is expected of them.

A view for steering, not a statement of accounts: more than 30 days past due, or a score that fell
by more than a band, is stage 2; 90 days past due is stage 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

STAGE_2_MORE_THAN_DAYS = 30
STAGE_3_DAYS = 90
BANDS_FALLEN = 2
MONTHS_A_YEAR = 12


class Stage(StrEnum):
    """How much the risk of a loan has risen since it was lent."""

    ONE = "1"
    TWO = "2"
    THREE = "3"


@dataclass(frozen=True, slots=True)
class LossTerms:
    """What an expected loss is made of.

    Attributes:
        exposure: Exposure at default at the beginning of each year to come, the present one first.
        hazards: Chance to default within each year, for who has not before.
        loss_given_default: Share of the exposure that is lost.
        effective_rate: Yearly rate by which the loss at the end of a year is discounted.
    """

    exposure: Sequence[float]
    hazards: Sequence[float]
    loss_given_default: float
    effective_rate: float


def stage_of(*, dpd_days: int, bands_fallen: int = 0) -> Stage:
    """Return the stage of a loan.

    Args:
        bands_fallen: How many bands the customer's score stands below where it stood when the loan
            was paid out; one band is the noise of a score, two are a fall “over a band”.
    """
    if dpd_days >= STAGE_3_DAYS:
        return Stage.THREE
    if dpd_days > STAGE_2_MORE_THAN_DAYS or bands_fallen >= BANDS_FALLEN:
        return Stage.TWO
    return Stage.ONE


def expected_loss(terms: LossTerms) -> float:
    """Return Σ_t S(t−1) · h_t · LGD · EAD_t ÷ (1 + r)^t over the years that are given.

    One year gives the loss of twelve months, all years that of the whole life.

    Raises:
        ValueError: Exposure and hazards are of different lengths.
    """
    total, alive = 0.0, 1.0
    years = zip(terms.exposure, terms.hazards, strict=True)
    for year, (exposure, hazard) in enumerate(years, start=1):
        lost = alive * hazard * terms.loss_given_default * exposure
        total += lost / (1 + terms.effective_rate) ** year
        alive *= 1 - hazard
    return total


def loss_of_stage(stage: Stage, terms: LossTerms) -> float:
    """Return twelve months' loss in stage 1, the whole life's in stage 2, exposure × LGD in 3."""
    match stage:
        case Stage.ONE:
            return expected_loss(
                LossTerms(
                    terms.exposure[:1],
                    terms.hazards[:1],
                    terms.loss_given_default,
                    terms.effective_rate,
                )
            )
        case Stage.TWO:
            return expected_loss(terms)
        case Stage.THREE:
            return terms.exposure[0] * terms.loss_given_default if terms.exposure else 0.0


def yearly_exposures(balance: float, months_left: int) -> tuple[float, ...]:
    """Return the balance at the beginning of each year as it falls evenly to 0; at least one."""
    months = max(months_left, 1)
    years = range(0, months, MONTHS_A_YEAR)
    return tuple(balance * (months - passed) / months for passed in years)
