"""One reported number with everything needed to check it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, TypeAlias

Number: TypeAlias = int | float | Decimal

_CENT = Decimal("0.01")


class WindowKind(StrEnum):
    """What the window of a figure is counted from."""

    WHOLE_CAMPAIGN = "whole_campaign"
    AFTER_EXPOSURE = "after_exposure"
    AFTER_CONVERSION = "after_conversion"
    AFTER_DISBURSEMENT = "after_disbursement"


class WindowUnit(StrEnum):
    """The unit of a window's length."""

    DAY = "day"
    MONTH = "month"


class Metric(StrEnum):
    """What figures are called, in docs/metrics.md and over the API."""

    CONVERSION_RATE = "conversion_rate"
    CONVERSION_RATE_SENT = "conversion_rate_sent"
    CONVERSION_RATE_DELIVERED = "conversion_rate_delivered"
    CONVERSION_RATE_CLICKED = "conversion_rate_clicked"
    DELIVERY_RATE = "delivery_rate"
    CLICK_RATE = "click_rate"
    CONTROL_CONVERSION_RATE = "control_conversion_rate"
    LIFT = "lift"
    RELATIVE_LIFT = "relative_lift"
    INCREMENTAL_CONVERSIONS = "incremental_conversions"
    COST = "cost"
    COST_PER_CONVERSION = "cost_per_conversion"
    CAC = "cac"
    CAC_FULLY_LOADED = "cac_fully_loaded"
    CAC_INCREMENTAL = "cac_incremental"
    ROI = "roi"
    RETENTION = "retention"
    ROLLING_RETENTION = "rolling_retention"
    DEFAULT_RATE = "default_rate"
    FINISHED_DEFAULT_RATE = "finished_default_rate"
    EVER_30_PLUS = "ever_30_plus"
    EVER_90_PLUS = "ever_90_plus"
    EVER_30_PLUS_AMOUNT = "ever_30_plus_amount"
    EVER_90_PLUS_AMOUNT = "ever_90_plus_amount"


class Note(StrEnum):
    """Why a figure has no value, or what a reader must know about it."""

    NO_CASES = "no_cases"
    IMMATURE = "immature"
    NOT_IDENTIFIED = "not_identified"
    NO_HOLDOUT = "no_holdout"
    NO_COST = "no_cost"
    NO_LOANS = "no_loans"
    NO_REPAYMENTS = "no_repayments"
    NO_MARGIN = "no_margin"
    ALLOCATION_OFF = "allocation_off"


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that a figure covers; a length of None is without limit."""

    kind: WindowKind
    length: int | None = None
    unit: WindowUnit = WindowUnit.DAY

    def to_json(self) -> dict[str, Any]:
        """Return the window as plain values."""
        return {"kind": self.kind.value, "length": self.length, "unit": self.unit.value}


WHOLE_CAMPAIGN = Window(WindowKind.WHOLE_CAMPAIGN)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its numerator, denominator, window and time.

    Attributes:
        value: None where it cannot be known; never a zero in place of the unknown.
        low: Lower end of the 95 % interval, None where there is none.
        high: Upper end of the 95 % interval.
        excluded_count: Cases left out because their window had not ended at `as_of`.
        note: Why the value is None, or a warning about it.
        filters: What the figure is restricted to, such as (("variant", "A"),).
        control: Numerator and denominator of the control group, where the value is a difference.
    """

    metric: str
    value: Number | None
    numerator: Number | None
    denominator: Number | None
    window: Window
    as_of: datetime
    low: Number | None = None
    high: Number | None = None
    excluded_count: int = 0
    note: Note | None = None
    filters: tuple[tuple[str, str], ...] = ()
    control: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the figure as plain values; money as text to the cent, rates as numbers."""
        return {
            "metric": self.metric,
            "value": plain(self.value),
            "low": plain(self.low),
            "high": plain(self.high),
            "numerator": plain(self.numerator),
            "denominator": plain(self.denominator),
            "window": self.window.to_json(),
            "as_of": self.as_of.isoformat(),
            "excluded_count": self.excluded_count,
            "note": self.note.value if self.note else None,
            "filters": dict(self.filters),
        }


def plain(number: Number | None) -> int | float | str | None:
    """Return a number that JSON can carry: money as text to the cent."""
    return str(to_cent(number)) if isinstance(number, Decimal) else number


def to_cent(amount: Decimal) -> Decimal:
    """Return an amount rounded half up to the cent."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def filters_of(values: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return filters in a fixed order."""
    return tuple(sorted((values or {}).items()))
