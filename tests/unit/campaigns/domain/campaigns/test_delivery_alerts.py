"""Which shares are too high, at the edges."""

import pytest

from campaigns.domain.campaigns.delivery_alerts import DeliveryAlert, DeliveryAlertKind, alerts


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ({"delivered": 95, "bounced": 5}, []),
        ({"delivered": 94, "bounced": 6}, [(DeliveryAlertKind.BOUNCED, 6, 100)]),
        ({"sent": 43, "bounced": 6}, []),
        ({"sent": 60, "skipped": 40}, []),
        ({"sent": 59, "skipped": 41}, [(DeliveryAlertKind.SKIPPED, 41, 100)]),
        ({"skipped": 49}, []),
        ({"skipped": 50, "held_out": 900, "planned": 900}, [(DeliveryAlertKind.SKIPPED, 50, 50)]),
        ({}, []),
    ],
)
def test_too_much_is_told_and_no_more(states, found):
    assert alerts(states) == tuple(DeliveryAlert(*one) for one in found)
    assert all(0 < alert.share <= 1 for alert in alerts(states))
