from decimal import Decimal

import pytest

from campaigns.channels import registry
from campaigns.domain.sending.channel_finding import ChannelFinding
from campaigns.models import Channel, Dispatch
from campaigns.services.channels import registry as channels
from campaigns.services.channels import reopening, testing
from campaigns.services.sending import providers
from campaigns.simulators.sms_gateway import SmsGateway
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel
from tests.factories.sent import make_sent

pytestmark = pytest.mark.django_db
TO = "+8613800138000"


@pytest.fixture
def gateway():
    with SmsGateway() as gateway:
        yield gateway
    registry.close_all()


def _configured(gateway, actor, now, **options):
    return channels.configure_channel(
        slug="sms",
        kind="sms",
        backend="http_sms",
        options={"url": gateway.url, **options},
        sender="诚信",
        actor=actor,
        now=now,
    )


def _knows_keys(channel):
    channel.refresh_from_db()
    return providers.provider_of(channel).limits.supports_idempotency


def test_a3_keys_count_only_once_a_test_has_shown_them(gateway, actor, now):
    channel = _configured(gateway, actor, now, supports_idempotency=True)
    assert not _knows_keys(channel)
    found = testing.test_channel(channel=channel, to=TO, actor=actor, now=now)
    assert found.finding is ChannelFinding.KEYS_SHOWN
    assert (len(gateway.messages), gateway.repeated) == (1, 1)
    assert _knows_keys(channel)
    assert channel.idempotency_shown_at == now


def test_a3_a_gateway_that_forgets_keys_is_found_out(gateway, actor, now):
    gateway.moods.mood = type(gateway.moods.mood)(remembers_keys=False)
    channel = _configured(gateway, actor, now, supports_idempotency=True)
    found = testing.test_channel(channel=channel, to=TO, actor=actor, now=now)
    assert found.finding is ChannelFinding.KEYS_NOT_SHOWN
    assert not _knows_keys(channel)


def test_a3_what_was_shown_is_forgotten_with_the_options(gateway, actor, now):
    channel = _configured(gateway, actor, now, supports_idempotency=True)
    testing.test_channel(channel=channel, to=TO, actor=actor, now=now)
    assert _knows_keys(_configured(gateway, actor, now, supports_idempotency=True))
    changed = _configured(gateway, actor, now, supports_idempotency=True, timeout_seconds=9.0)
    assert not _knows_keys(changed)
    assert changed.tested_at is None


def test_a_channel_without_keys_is_tested_once(gateway, actor, now):
    channel = _configured(gateway, actor, now)
    assert testing.test_channel(channel=channel, to=TO, actor=actor, now=now).finding == "works"
    assert gateway.requests == 1
    assert not _knows_keys(channel)


def test_nobody_is_written_to_at_no_address(gateway, actor, now):
    channel = _configured(gateway, actor, now)
    with pytest.raises(testing.TestAddressInvalid):
        testing.test_channel(channel=channel, to="nobody", actor=actor, now=now)
    assert gateway.requests == 0


def test_a6_a_blocked_channel_goes_on_when_a_person_says_so(actor, now):
    channel, messages = make_sent(actor, now)
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="5.7.1")
    held = Dispatch.objects.filter(pk=messages[0].dispatch_id)
    held.update(status="held", hold_reason="channel_blocked")
    released = reopening.reopen_channel(
        channel=channel, actor=actor, now=now, blames_recipients=True
    )
    channel.refresh_from_db()
    assert released == 1
    assert (channel.blocked_at, channel.tolerated_code) == (None, "5.7.1")
    assert held.get().status == "running"
    entry = AuditEntry.objects.get(action="channel.reopened")
    assert entry.facts["reason"] == "5.7.1"
    with pytest.raises(reopening.ChannelNotBlocked):
        reopening.reopen_channel(channel=channel, actor=actor, now=now)


def test_a6_not_everybody_lets_a_channel_go_on(actor, now, django_user_model):
    channel = make_channel()
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="5.7.1")
    reader = user_actor(django_user_model.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        reopening.reopen_channel(channel=channel, actor=reader, now=now)
    channel.refresh_from_db()
    assert channel.blocked_at is not None


@pytest.mark.parametrize("rate", [0, -1])
def test_d_a_rate_of_nothing_is_refused_where_it_is_entered(gateway, actor, now, rate):
    with pytest.raises(channels.RateInvalid):
        channels.configure_channel(
            slug="sms",
            kind="sms",
            backend="http_sms",
            options={"url": gateway.url},
            sender="诚信",
            rate_per_second=rate,
            actor=actor,
            now=now,
        )
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "pigeon"),
        ("cost_per_part", Decimal("-0.01")),
        ("cost_per_part", Decimal("0.00001")),
        ("cost_per_part", Decimal(10**9)),
        ("sender", "信" * 121),
        ("name", "x" * 81),
        ("slug", "with space"),
        ("rate_per_second", 10**12),
    ],
)
def test_c3_a_channel_holds_only_what_it_can_send_with(gateway, actor, now, field, value):
    good = {
        "slug": "sms",
        "kind": "sms",
        "backend": "http_sms",
        "options": {"url": gateway.url},
        "sender": "诚信",
    }
    with pytest.raises(channels.ChannelInvalid) as refusal:
        channels.configure_channel(**good | {field: value}, actor=actor, now=now)
    assert refusal.value.facts["field"] == field
    assert not Channel.objects.exists()
