from decimal import Decimal

import pytest

from customers.domain.fields.bands import INCOME_BAND_NAMES, age_band, income_band


@pytest.mark.parametrize(
    ("years", "band"),
    [
        (0, "<18"),
        (17, "<18"),
        (18, "18–24"),
        (24, "18–24"),
        (25, "25–34"),
        (64, "55–64"),
        (65, "65+"),
    ],
)
def test_s16_age_bands(years, band):
    assert age_band(years) == band


@pytest.mark.parametrize(
    ("amount", "band"),
    [("0", "under_3k"), ("2999.99", "under_3k"), ("3000", "3k_5k"), ("30000", "over_30k")],
)
def test_s16_income_bands(amount, band):
    assert income_band(Decimal(amount)) == band
    assert band in INCOME_BAND_NAMES
