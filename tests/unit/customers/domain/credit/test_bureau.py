"""Measures of a bureau's report."""

from datetime import date
from decimal import Decimal

from customers.domain.credit.bureau import BureauMeasures, ReportedLine, measures

DAY = date(2026, 6, 30)


def line(opened, closed=None, limit=None, balance="0", dpd=0):
    limit_amount = None if limit is None else Decimal(limit)
    return ReportedLine(opened, closed, limit_amount, Decimal(balance), dpd)


def test_an_empty_report_has_no_utilisation_and_no_age():
    assert measures([], [], on=DAY) == BureauMeasures(0, None, 0, 0, None)


def test_accounts_that_run_are_counted_and_their_limits_used():
    lines = [
        line(date(2020, 1, 31), limit="10000", balance="9500", dpd=12),
        line(date(2024, 5, 1), limit="10000", balance="500"),
        line(date(2023, 5, 1), balance="70000"),
        line(date(2018, 3, 1), closed=date(2022, 1, 1), limit="5000", balance="5000", dpd=95),
        line(date(2026, 7, 1), limit="1", balance="1", dpd=400),
    ]
    found = measures(lines, [], on=DAY)
    assert found.open_count == 3
    assert found.utilisation == Decimal("0.500000")
    assert found.max_dpd_days == 95
    assert found.file_age_months == 99


def test_an_account_closed_on_the_day_runs_no_more():
    assert measures([line(date(2026, 1, 1), closed=DAY)], [], on=DAY).open_count == 0


def test_inquiries_of_thirty_days_are_recent_and_later_ones_unknown():
    days = [date(2026, 5, 31), date(2026, 6, 1), DAY, date(2026, 7, 1)]
    assert measures([], days, on=DAY).recent_inquiry_count == 2
