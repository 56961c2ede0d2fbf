"""Bands of age and income, as people read them and as the demo's income bands are named."""

from collections.abc import Mapping
from decimal import Decimal

from customers.domain.fields.catalogue import Text

# Upper limit of monthly income in CNY and the name of the band below it.
INCOME_BANDS = (
    (3_000, "under_3k"),
    (5_000, "3k_5k"),
    (8_000, "5k_8k"),
    (15_000, "8k_15k"),
    (30_000, "15k_30k"),
)
TOP_INCOME_BAND = "over_30k"
INCOME_BAND_NAMES: Mapping[str, Text] = {
    "under_3k": Text("月收入 3,000 元以下", "under ¥3,000 a month"),
    "3k_5k": Text("月收入 3,000–5,000 元", "¥3,000–5,000 a month"),
    "5k_8k": Text("月收入 5,000–8,000 元", "¥5,000–8,000 a month"),
    "8k_15k": Text("月收入 8,000–15,000 元", "¥8,000–15,000 a month"),
    "15k_30k": Text("月收入 15,000–30,000 元", "¥15,000–30,000 a month"),
    TOP_INCOME_BAND: Text("月收入 30,000 元以上", "over ¥30,000 a month"),
}
# First age of a band; the youngest may not be lent to.
_AGE_LIMITS = (18, 25, 35, 45, 55, 65)


def income_band(monthly_amount: Decimal) -> str:
    """Return the band that a monthly income falls into; a limit belongs to the band above it."""
    for limit, band in INCOME_BANDS:
        if monthly_amount < limit:
            return band
    return TOP_INCOME_BAND


def age_band(years: int) -> str:
    """Return the band of an age in completed years, such as `25–34`."""
    if years < _AGE_LIMITS[0]:
        return f"<{_AGE_LIMITS[0]}"
    first = max(limit for limit in _AGE_LIMITS if limit <= years)
    later = [limit for limit in _AGE_LIMITS if limit > years]
    return f"{first}–{later[0] - 1}" if later else f"{first}+"
