"""What a new customer and a campaign cost, and what they were worth; amounts in CNY."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_ZERO = Decimal(0)


class CostCategory(StrEnum):
    """The kinds of cost that a fully loaded acquisition cost contains."""

    MEDIA = "media"
    MESSAGES = "messages"
    INCENTIVES = "incentives"
    COMMISSION = "commission"
    STAFF = "staff"
    DATA = "data"
    TOOLING = "tooling"
    OTHER = "other"


DIRECT_CATEGORIES = frozenset({CostCategory.MEDIA, CostCategory.MESSAGES})


@dataclass(frozen=True, slots=True)
class CostLine:
    """One cost; a clawed-back commission is negative. An empty channel is shared by all."""

    category: CostCategory
    amount: Decimal
    channel: str = ""


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Cost ÷ units; the value is None when there is no unit to divide by."""

    value: Decimal | None
    cost_amount: Decimal
    units: float


@dataclass(frozen=True, slots=True)
class Return:
    """(margin − expected loss − cost) ÷ cost; the rate is None when nothing was spent."""

    rate: float | None
    gain_amount: Decimal
    cost_amount: Decimal


def total_amount(lines: Iterable[CostLine]) -> Decimal:
    """Return the sum of the lines, of every category."""
    return sum((line.amount for line in lines), _ZERO)


def channel_cac(lines: Iterable[CostLine], *, channel: str, new_customers: int) -> UnitCost:
    """Return media and message cost of one channel ÷ new customers attributed to it.

    Source: docs/metrics.md, "CAC channel".
    """
    own = (x for x in lines if x.channel == channel and x.category in DIRECT_CATEGORIES)
    return unit_cost(total_amount(own), new_customers)


def fully_loaded_cac(lines: Iterable[CostLine], *, new_customers: int) -> UnitCost:
    """Return all cost, overheads included, ÷ customers funded for the first time.

    Source: docs/metrics.md, "CAC fully loaded"; re-activated customers are not new.
    """
    return unit_cost(total_amount(lines), new_customers)


def incremental_conversions(*, treated: tuple[int, int], control: tuple[int, int]) -> float:
    """Return the converters beyond what the holdout's rate lets expect.

    Raises:
        ValueError: The holdout is empty.
    """
    if control[1] == 0:
        msg = "the holdout is empty"
        raise ValueError(msg)
    return treated[0] - control[0] * treated[1] / control[1]


def return_on_cost(
    *, margin_amount: Decimal, expected_loss_amount: Decimal, cost_amount: Decimal
) -> Return:
    """Return the gain per unit of cost; hand in incremental margin, not attributed margin.

    Source: docs/metrics.md, "ROI".
    """
    gain = margin_amount - expected_loss_amount - cost_amount
    rate = float(gain / cost_amount) if cost_amount > 0 else None
    return Return(rate=rate, gain_amount=gain, cost_amount=cost_amount)


def unit_cost(cost_amount: Decimal, units: int) -> UnitCost:
    """Return cost ÷ units, None for no units."""
    value = cost_amount / units if units else None
    return UnitCost(value=value, cost_amount=cost_amount, units=float(units))


def spread(amount: Decimal, weights: Sequence[int]) -> tuple[Decimal, ...]:
    """Split an amount to the cent in proportion to weights, by largest remainder.

    The parts add up to the amount exactly; without any weight the first part takes it all.
    """
    total = sum(weights)
    if total == 0:
        return (amount, *(_ZERO for _ in weights[1:])) if weights else ()
    cents = int(amount.scaleb(2).to_integral_value())
    shares = [divmod(cents * weight, total) for weight in weights]
    left = cents - sum(whole for whole, _ in shares)
    order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    extra = set(order[:left])
    return tuple(Decimal(whole + (i in extra)).scaleb(-2) for i, (whole, _) in enumerate(shares))
