"""Through which channel a message went: its dispatch's, unless another one stood in for that."""

from django.db.models import Q
from django.db.models.functions import Coalesce

from campaigns.models import Channel


def went_through(channel: Channel) -> Q:
    """Return the condition that messages were tried through a channel last."""
    return Q(channel=channel) | Q(channel__isnull=True, dispatch__channel=channel)


def way() -> Coalesce:
    """Return the key of the channel that a message was tried through last, to group by."""
    return Coalesce("channel_id", "dispatch__channel_id")
