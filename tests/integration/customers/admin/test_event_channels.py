"""Where events come from, in words; what only a source knows stays as it says it."""

import pytest
from django.utils import translation

from customers import labels


@pytest.mark.parametrize(
    ("code", "words"),
    [("sms", "短信"), ("web", "网站"), ("branch", "网点"), ("kiosk", "kiosk"), ("", "")],
)
def test_a_channel_of_events_is_never_called_unknown(code, words):
    with translation.override("zh-hans"):
        assert labels.event_channel(code) == words
