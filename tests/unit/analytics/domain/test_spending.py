"""Spending habits against tables worked out by hand."""

from datetime import date

import pytest

from analytics.domain.spending import DailyIncome, Spent, pay_day, spending

UNTIL = date(2026, 7, 15)


def _month(number):
    return date(2026, number, 1)


def test_s17_spending_by_hand():
    # month   food  rent  refund   total
    # March    100   500             600
    # April    200   500     -50     650
    # May                              0   (nothing was spent, the month counts)
    # June     300   500             800
    # July is not complete and left out.
    spent = [
        Spent(_month(3), "food", 100.0),
        Spent(_month(3), "rent", 500.0),
        Spent(_month(4), "food", 200.0),
        Spent(_month(4), "rent", 500.0),
        Spent(_month(4), "food", -50.0),
        Spent(_month(6), "food", 300.0),
        Spent(_month(6), "rent", 500.0),
        Spent(_month(7), "car", 90_000.0),
    ]

    found = spending(spent=spent, received=[], until=UNTIL)

    # 2050 in four months.
    assert found.monthly_amount == pytest.approx(512.5)
    # Slope: sum((x - 1.5)(y - 512.5)) / sum((x - 1.5)²) = (-131.25 - 68.75 - 256.25 + 431.25) / 5.
    assert found.trend_rate == pytest.approx(-25 / 5 / 512.5)
    # Food 100 + 150 + 300 = 550, rent 1500, of 2050.
    assert list(found.shares.items()) == [
        ("rent", pytest.approx(1500 / 2050)),
        ("food", pytest.approx(550 / 2050)),
    ]
    assert found.pay_day is None


def test_s17_twelve_months_count_at_most_and_two_tell_no_trend():
    year_ago = [Spent(date(2025, 6, 1), "food", 9_999.0), Spent(date(2025, 7, 1), "food", 1200.0)]
    found = spending(spent=year_ago, received=[], until=UNTIL)
    assert found.monthly_amount == pytest.approx(100)

    young = [Spent(_month(5), "", 100.0), Spent(_month(6), "", 300.0)]
    found = spending(spent=young, received=[], until=UNTIL)
    assert (found.monthly_amount, found.trend_rate, found.shares) == (200.0, None, {"other": 1.0})


def test_s17_without_spending_there_are_no_habits_and_refunds_alone_have_no_share():
    assert spending(spent=[], received=[DailyIncome(date(2026, 5, 1), 5.0)], until=UNTIL) is None
    assert spending(spent=[Spent(_month(7), "food", 5.0)], received=[], until=UNTIL) is None
    refunded = [Spent(_month(number), "food", -10.0) for number in (4, 5, 6)]
    found = spending(spent=refunded, received=[], until=UNTIL)
    assert (found.monthly_amount, found.trend_rate, found.shares) == (-10.0, None, {})


def test_s17_a_month_with_only_pay_is_a_month_of_no_spending():
    found = spending(
        spent=[Spent(_month(6), "food", 300.0)],
        received=[DailyIncome(date(2026, 4, 10), 1.0)],
        until=UNTIL,
    )
    assert found.monthly_amount == pytest.approx(100)


@pytest.mark.parametrize(
    ("_case", "days", "expected"),
    [
        ("every month on the tenth", ["01-10", "02-10", "03-10", "04-10"], 10),
        ("earlier before weekends", ["01-10", "02-09", "03-10", "04-08"], 10),
        ("the last day of the month", ["01-31", "02-28", "03-31", "04-30"], 31),
        ("of equals the more exact one", ["01-31", "03-01", "05-01"], 1),
        ("first of the month or just before", ["01-01", "01-31", "03-02", "04-01"], 1),
        ("two months are too few", ["01-10", "02-10"], None),
        ("three of five are enough", ["01-10", "02-10", "03-10", "04-20", "05-25"], 10),
        ("three of six are not", ["01-10", "02-10", "03-10", "04-20", "05-25", "06-01"], None),
        ("scattered", ["01-03", "02-11", "03-19", "04-27"], None),
        ("none", [], None),
    ],
)
def test_s17_the_day_of_pay_is_that_of_the_largest_credit_of_most_months(_case, days, expected):
    received = [DailyIncome(date.fromisoformat(f"2026-{day}"), 5000.0) for day in days]
    # Smaller credits at other days say nothing, neither do returned ones.
    received += [DailyIncome(date.fromisoformat(f"2026-{day[:2]}-17"), 20.0) for day in days]
    received += [DailyIncome(date.fromisoformat(f"2026-{day[:2]}-05"), -9e6) for day in days]
    assert pay_day(received) == expected
