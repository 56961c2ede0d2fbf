"""What figures of credit take for granted where the loan book cannot tell yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import nan


class AssumptionName(StrEnum):
    """The assumptions that a person may set."""

    LOSS_GIVEN_DEFAULT = "loss_given_default"
    PERFORMING_DEFAULT_RATE = "performing_default_rate"
    DEFAULT_M0 = "default_m0"
    DEFAULT_M1 = "default_m1"
    DEFAULT_M2 = "default_m2"
    DEFAULT_M3 = "default_m3"


class ValueOrigin(StrEnum):
    """Where a value comes from, the strongest last."""

    BUILT_IN = "built_in"
    ASSUMED = "assumed"
    ESTIMATED = "estimated"


# Before anybody sets a value and while the book holds too few cases to estimate it. Loss given
# default: unsecured retail under the foundation approach lies at 45 to 75 %. Default: orders of
# magnitude of consumer lending by bucket, to be replaced by the lender's own.
BUILT_IN: Mapping[AssumptionName, Decimal] = {
    AssumptionName.LOSS_GIVEN_DEFAULT: Decimal("0.65"),
    AssumptionName.PERFORMING_DEFAULT_RATE: Decimal("0.02"),
    AssumptionName.DEFAULT_M0: Decimal("0.03"),
    AssumptionName.DEFAULT_M1: Decimal("0.20"),
    AssumptionName.DEFAULT_M2: Decimal("0.50"),
    AssumptionName.DEFAULT_M3: Decimal("0.80"),
}


@dataclass(frozen=True, slots=True)
class CreditValue:
    """One value in use, with where it comes from.

    Attributes:
        value: A share between 0 and 1.
        low: 95 % interval of an estimate, as `high`; NaN where there is none.
        source: What was noted with an assumed value.
        case_count: What an estimate rests on.
    """

    name: AssumptionName
    value: float
    origin: ValueOrigin
    low: float = nan
    high: float = nan
    source: str = ""
    case_count: int = 0


def chosen(
    name: AssumptionName,
    *,
    estimate: CreditValue | None,
    assumed: tuple[Decimal, str] | None,
) -> CreditValue:
    """Return the estimate where there is one, else what was set, else what is built in."""
    if estimate is not None:
        return estimate
    if assumed is not None:
        return CreditValue(name, float(assumed[0]), ValueOrigin.ASSUMED, source=assumed[1])
    return CreditValue(name, float(BUILT_IN[name]), ValueOrigin.BUILT_IN)
