"""Describe how customers spend, as scores with version, time and history."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from analytics.domain.spending import Spending, spending
from analytics.selectors.spending_facts import spending_facts
from customers.domain.fields.score_bands import (
    PAY_DAY,
    SPENDING_MONTHLY,
    SPENDING_SHARE,
    SPENDING_TOP,
    SPENDING_TREND,
)
from customers.models import Score
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor

_ADD = "customers.add_score"
VERSION = "spending-1"
# Categories that are a field of their own: the most usual ones, as rules can name no thousands.
MOST_CATEGORIES = 20
_CENT, _PART = Decimal("0.01"), Decimal("0.0001")
_NAME_LENGTH, _BAND_LENGTH = 60, 20


@dataclass(frozen=True, slots=True)
class Described:
    """How many customers were described, and the categories that rules can name."""

    customer_count: int
    categories: tuple[str, ...]
    version: str = VERSION


def describe_spending(*, actor: Actor, as_of: date, now: datetime) -> Described:
    """Describe how everybody spends who spent anything in the last twelve complete months.

    The scores are `spending_monthly` (CNY), `spending_trend` (part of it by which it grows a
    month), `spending_top` (share of the largest category, which is its band), `spending_share_…`
    for each of the twenty most usual categories, and `pay_day`. Rules read them as `score.…`; what
    is the same as before adds nothing.

    Args:
        as_of: The month of this day is not counted.

    Raises:
        PermissionRefused: The actor may not add scores.
    """
    access.require(actor, _ADD)
    found: list[tuple[int, Spending]] = []
    for key, spent, received in spending_facts(until=as_of, zone=clock.company_zone()):
        habits = spending(spent=spent, received=received, until=as_of)
        if habits is not None:
            found.append((key, habits))
    usual = Counter(name for _key, habits in found for name in habits.shares)
    order = sorted(usual, key=lambda name: (-usual[name], name))[:MOST_CATEGORIES]
    given = _given(found, order)
    stored = Score.objects.filter(model_name__startswith=SPENDING_SHARE, is_latest=True)
    for name in {*stored.values_list("model_name", flat=True).distinct()} - given.keys():
        # A category that nobody uses any more has no score in use.
        given[name] = []
    for name, rows in given.items():
        scores.record_scores(
            actor=actor, model_name=name, version=VERSION, scores=rows, now=now, is_complete=True
        )
    return Described(len(found), tuple(order))


def _given(found: list[tuple[int, Spending]], categories: list[str]) -> dict[str, list[GivenScore]]:
    given: dict[str, list[GivenScore]] = {
        name: [] for name in (SPENDING_MONTHLY, SPENDING_TREND, SPENDING_TOP, PAY_DAY)
    }
    models = {name: f"{SPENDING_SHARE}{name}"[:_NAME_LENGTH] for name in categories}
    given |= {model: [] for model in models.values()}
    for key, habits in found:
        monthly = Decimal(habits.monthly_amount).quantize(_CENT)
        given[SPENDING_MONTHLY].append(GivenScore(key, monthly))
        if habits.trend_rate is not None:
            trend = Decimal(habits.trend_rate).quantize(_PART)
            given[SPENDING_TREND].append(GivenScore(key, trend))
        if habits.pay_day is not None:
            given[PAY_DAY].append(GivenScore(key, Decimal(habits.pay_day)))
        for place, (name, share) in enumerate(habits.shares.items()):
            part = Decimal(share).quantize(_PART)
            if place == 0:
                given[SPENDING_TOP].append(GivenScore(key, part, name[:_BAND_LENGTH]))
            if name in models:
                given[models[name]].append(GivenScore(key, part))
    return given
