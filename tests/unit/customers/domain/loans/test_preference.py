from datetime import UTC, datetime, timedelta

import pytest

from customers.domain.loans.preference import Interest, preferences

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def _interest(product, days, weight=1.0):
    return Interest(product, NOW - timedelta(days=days), weight)


def test_s18_the_decayed_score_equals_the_hand_calculation():
    found = preferences(
        [
            _interest("cash", 0, 3.0),
            _interest("cash", 90),
            _interest("car", 180, 3.0),
            _interest("", 0),
            _interest("later", -1),
        ],
        as_of=NOW,
    )

    # An application today and a view a half-life ago; an application two half-lives ago.
    assert [(p.product, p.score) for p in found] == [("cash", 3.5), ("car", 0.75)]
    assert found[0].share == pytest.approx(3.5 / 4.25)
    assert sum(p.share for p in found) == pytest.approx(1)


def test_without_any_interest_there_is_no_preference():
    assert preferences([], as_of=NOW) == []
