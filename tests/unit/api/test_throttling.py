"""Requests are counted in windows of one minute, the same for all processes."""

from datetime import UTC, datetime

import pytest

from loancrm.api import throttling

# Bound before the suite's fixture gives each test one window of its own.
from loancrm.api.throttling import _window

MINUTE = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(("second", "seconds_left"), [(0, 60), (1, 59), (59, 1)])
def test_a_window_is_a_minute_of_the_clock(
    monkeypatch: pytest.MonkeyPatch, second: int, seconds_left: int
) -> None:
    monkeypatch.setattr(throttling.clock, "now", lambda: MINUTE.replace(second=second))

    assert _window("acme")[1] == seconds_left


def test_the_next_minute_counts_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for moment in (MINUTE, MINUTE.replace(second=59), MINUTE.replace(minute=1)):
        monkeypatch.setattr(throttling.clock, "now", lambda moment=moment: moment)
        keys.append(_window("acme")[0])

    assert keys[0] == keys[1] != keys[2]
