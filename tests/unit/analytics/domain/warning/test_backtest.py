"""What rules would have been worth."""

from datetime import date

from analytics.domain.warning.backtest import judge

UNTIL = date(2026, 6, 30)


def test_alerts_are_right_when_a_default_follows_in_time():
    alerts = [
        (1, date(2026, 1, 1)),
        (1, date(2026, 2, 1)),
        (2, date(2026, 1, 1)),
        (3, date(2026, 3, 1)),
        (4, date(2026, 6, 20)),
        (5, date(2026, 2, 1)),
    ]
    defaults = {
        1: date(2026, 2, 15),  # 45 days after the first alert
        2: date(2026, 5, 30),  # too late
        5: date(2026, 2, 1),  # on the day itself: nothing new
        6: date(2026, 4, 1),  # never alerted
        7: date(2026, 7, 15),  # after what is known
    }
    found = judge("r", alerts, defaults, horizon_days=90, until=UNTIL)
    assert (found.precision.successes, found.precision.trials) == (1, 4)
    assert (found.recall.successes, found.recall.trials) == (1, 4)
    assert found.open_count == 1
    assert found.median_lead_days == 45


def test_nothing_has_no_rate():
    found = judge("r", [], {}, horizon_days=90, until=UNTIL)
    assert (found.precision.rate, found.recall.rate, found.median_lead_days) == (None, None, None)
