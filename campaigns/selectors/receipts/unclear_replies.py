"""Replies that wait for somebody to read them."""

from campaigns.domain.receipts.replies import ReplyDecision
from campaigns.models import Suppression, UnclearReply


def count() -> int:
    """Return how many wait."""
    return UnclearReply.objects.filter(decision=ReplyDecision.OPEN).count()


def of_stop(stop: Suppression) -> list[UnclearReply]:
    """Return the waiting replies that a stop is about, the newest first."""
    rows = UnclearReply.objects.filter(decision=ReplyDecision.OPEN, channel__kind=stop.channel)
    if stop.customer_id is not None:
        own = rows.filter(customer_id=stop.customer_id)
    else:
        own = rows.filter(value_index=stop.value_index) if stop.value_index else rows.none()
    return list(own.order_by("-received_at", "-pk"))
