from datetime import UTC, datetime, timedelta

import pytest

from campaigns.domain.sending.frequency import Cap, PastSend, exceeded, longest_window_hours

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def sends(*hours_ago, channel="sms"):
    return [PastSend(channel, NOW - timedelta(hours=h)) for h in hours_ago]


@pytest.mark.parametrize(
    ("_case", "history", "caps", "is_exceeded"),
    [
        ("nothing sent", [], [Cap("", 24, 1)], False),
        ("one of two", sends(1), [Cap("", 24, 2)], False),
        ("two of two", sends(1, 2), [Cap("", 24, 2)], True),
        ("at the edge of the window", sends(24), [Cap("", 24, 1)], False),
        ("just inside", sends(23.999), [Cap("", 24, 1)], True),
        ("other channel's cap", sends(1), [Cap("email", 24, 1)], False),
        ("cap over all channels", sends(1, channel="email"), [Cap("", 24, 1)], True),
        ("own channel, sent elsewhere", sends(1, channel="email"), [Cap("sms", 24, 1)], False),
        ("longer window catches", sends(30, 40), [Cap("", 24, 1), Cap("", 48, 2)], True),
    ],
)
def test_caps(_case, history, caps, is_exceeded):
    assert (exceeded(history, caps, channel="sms", now=NOW) is not None) is is_exceeded


def test_the_longest_window():
    assert longest_window_hours([]) == 0
    assert longest_window_hours([Cap("", 24, 1), Cap("sms", 168, 3)]) == 168
