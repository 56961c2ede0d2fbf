"""Tests stand alone: what one leaves in the process is gone before the next one."""

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from campaigns.channels import registry


@pytest.mark.parametrize("turn", [1, 2])
def test_no_channel_count_language_or_zone_outlives_a_test(turn: int) -> None:
    channel = registry.shared(name="outliving", backend="memory", options={})

    assert channel.calls == 0, turn
    assert cache.get("outliving") is None
    assert translation.get_language() == "zh-hans"
    assert timezone.get_current_timezone_name() == "Asia/Shanghai"
    channel.send([])
    cache.set("outliving", 1)
    translation.activate("en")
    timezone.activate("Pacific/Kiritimati")
