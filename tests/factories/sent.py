"""Messages that have gone out, through the channel in memory."""

import random
from datetime import datetime
from typing import Any

from campaigns.models import Channel, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from loancrm.kernel.access import Actor
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def make_sent(
    actor: Actor, now: datetime, *, count: int = 3, kind: str = "email", **changes: Any
) -> tuple[Channel, list[Message]]:
    """Launch a campaign to `count` new people and return its channel and sent messages."""
    channel = make_channel(kind, options={"secret": SECRET})
    make_people(count)
    if kind == "sms":
        changes = {"channel": channel.slug, "content": SMS, **changes}
    run = make_launched(actor, now, **changes)
    ticking.advance(now=now)
    rng = random.Random(1)
    dispatch.drain(holder="test", clock=lambda: now, rng=rng, slice_seconds=60)
    messages = list(run.messages.order_by("pk"))
    assert {message.state for message in messages} == {"sent"}
    return channel, messages
