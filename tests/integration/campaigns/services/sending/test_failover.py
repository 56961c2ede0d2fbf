"""Another channel sends what the own one, which is down, has certainly not taken."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult, failed
from campaigns.channels.errors import ChannelBlocked
from campaigns.models import Channel, Chunk, Message, StandIn
from campaigns.services.campaigns import ticking
from campaigns.services.channels import registry as channels
from campaigns.services.channels.problems import ChannelInvalid
from campaigns.services.sending import chunks, dispatch
from campaigns.services.sending.ways import failover
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import end_pauses, expire_leases, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def pair():
    own = make_channel(cost_per_part="0.05")
    other = make_channel(slug="spare", cost_per_part="0.08")
    StandIn.objects.create(channel=own, other=other, position=1)
    return own, other


def provider(channel):
    return registry.shared(name=channel.slug, backend="memory", options=channel.options)


def drain(at, holder="w1"):
    ticking.advance(now=at)
    dispatch.drain(holder=holder, clock=lambda: at, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=at)


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def ways():
    return Counter(Message.objects.values_list("channel__slug", "state"))


def stand_still(channel, seconds):
    Channel.objects.filter(pk=channel.pk).update(
        paused_until=Moment(30), paused_since=Moment(-seconds), pause_reason="channel_unavailable"
    )


def test_g5_what_a_blocked_channel_has_not_taken_goes_through_the_next_one(actor, now, pair):
    own, other = pair
    make_people(40)
    launched = make_launched(actor, now)

    def refuse(batch):
        return failed(ChannelBlocked(channel=own.slug, problem="login"))

    provider(own).submit = refuse
    drain(now)
    drain(now, holder="w2")
    launched.refresh_from_db()
    assert launched.status == "completed"
    assert ways() == {("spare", "sent"): 40}
    assert len(provider(other).delivered) == 40
    # At the price of the channel that sends.
    assert set(Message.objects.values_list("cost_amount", flat=True)) == {Decimal("0.08")}
    assert Channel.objects.get(pk=own.pk).blocked_at is not None


def test_g5_without_a_channel_to_stand_in_it_is_held(actor, now, pair):
    own, other = pair
    Channel.objects.filter(pk=other.pk).update(is_active=False)
    make_people(3)
    launched = make_launched(actor, now)
    provider(own).submit = lambda batch: failed(ChannelBlocked(channel=own.slug, problem="login"))
    drain(now)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "channel_blocked")
    assert states() == {"planned": 3}


@pytest.mark.parametrize(("seconds", "way"), [(5, None), (61, "spare")])
def test_g5_a_short_pause_is_waited_for(actor, now, pair, seconds, way):
    own, _other = pair
    make_people(3)
    make_launched(actor, now)
    stand_still(own, seconds)
    drain(now)
    assert ways() == ({("spare", "sent"): 3} if way else {(None, "planned"): 3})


@pytest.mark.parametrize("role", ["own", "other"])
def test_g5_what_is_of_unknown_fate_is_never_sent_by_another(actor, now, pair, role):
    own, other = pair
    if role == "own":
        Channel.objects.filter(pk=own.pk).update(options={"supports_idempotency": False})
        own.refresh_from_db()
    make_people(400)
    make_launched(actor, now)
    asked = []

    def lose(message):
        """Take it, and lose the answer; of the own channel only of every second message."""
        if role == "own" and message.message_id % 2:
            return None
        asked.append(message.message_id)
        return SendResult(message.message_id, SendOutcome.UNKNOWN, code="connection_lost")

    if role == "other":
        stand_still(own, 100)
    provider(own if role == "own" else other).answer = lose
    drain(now)
    stand_still(own, 100) if role == "own" else end_pauses()
    Chunk.objects.exclude(state="done").update(due_at=now)
    drain(now, holder="w2")
    assert asked
    delivered = [m.message_id for channel in pair for m in provider(channel).delivered]
    assert len(delivered) == len(set(delivered))
    assert not set(delivered) & set(asked)
    assert set(delivered) | set(asked) <= set(Message.objects.values_list("pk", flat=True))
    unknown = Message.objects.filter(state="unknown").values_list("pk", flat=True)
    assert set(unknown) == set(asked)


def test_g5_what_is_asked_about_again_waits_for_its_own_provider(actor, now, pair):
    own, other = pair
    make_people(3)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    first = launched.messages.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(reason="asked_again", attempts=1, channel=own)
    stand_still(own, 100)
    drain(now)
    first.refresh_from_db()
    assert (first.state, first.channel_id) == ("planned", own.pk)
    assert first.due_at == now + failover.ASK_AGAIN
    assert {message.message_id for message in provider(other).delivered}.isdisjoint({first.pk})
    Channel.objects.filter(pk=own.pk).update(paused_until=None, paused_since=None)
    Chunk.objects.update(due_at=now)
    drain(now + timedelta(minutes=1))
    assert ways() == {("spare", "sent"): 2, (own.slug, "sent"): 1}


def test_g5_what_a_dead_worker_had_given_another_channel_is_of_unknown_fate(actor, now, pair):
    own, other = pair
    make_people(3)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunks.claim(holder="dead", now=now)
    first = launched.messages.order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(
        state="sending", attempted_at=now, attempts=1, channel=other
    )
    expire_leases()
    drain(now)
    first.refresh_from_db()
    # The own channel knows repeated keys, and has never heard of this one.
    assert (first.state, first.reason, first.channel_id) == ("unknown", "crashed", other.pk)
    assert states() == {"sent": 2, "unknown": 1}
    assert {message.message_id for message in provider(own).delivered}.isdisjoint({first.pk})


@pytest.mark.parametrize(
    ("slugs", "has_error"),
    [("spare", False), ("", False), ("email-memory", True), ("nobody", True), ("text", True),
     ("spare, spare", True)],
)  # fmt: skip
def test_g5_only_another_channel_of_the_kind_stands_in(actor, now, slugs, has_error):
    make_channel()
    make_channel(slug="spare")
    make_channel("sms", slug="text")
    given = {
        "slug": "email-memory", "kind": "email", "backend": "memory", "options": {},
        "sender": "a <a@b.example>", "fallbacks": slugs, "actor": actor, "now": now,
    }  # fmt: skip
    if not has_error:
        assert channels.configure_channel(**given).fallbacks == slugs
        return
    with pytest.raises(ChannelInvalid):
        channels.configure_channel(**given)
    assert not StandIn.objects.exists()
