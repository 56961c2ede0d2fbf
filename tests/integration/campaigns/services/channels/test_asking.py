"""Messages of unknown fate are asked about where the provider can be asked, and settled by it."""

from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.channels.base import Asked
from campaigns.channels.errors import ChannelError
from campaigns.channels.http_answers import read_fates
from campaigns.domain.receipts.report import message_key
from campaigns.models import Campaign, Channel, Message
from campaigns.services.channels import asking
from campaigns.services.sending import providers
from campaigns.simulators.sms_answers import TakenSms
from campaigns.simulators.sms_gateway import SmsGateway
from customers.models import Event
from loancrm.kernel.models import AuditEntry
from tests.factories.sent import SECRET, make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def gateway():
    with SmsGateway(secret=SECRET) as gateway:
        yield gateway
    registry.close_all()


@pytest.fixture
def lost(gateway, actor, now):
    """Three messages whose answers were lost; the gateway took the first."""
    channel, messages = make_sent(actor, now, kind="sms")
    options = {"url": gateway.url, "status_url": gateway.status_url, "secret": SECRET}
    Channel.objects.filter(pk=channel.pk).update(backend="http_sms", options=options)
    Message.objects.update(state="unknown", sent_at=None, closed_at=now, due_at=None)
    Event.objects.filter(type__name="message_sent").delete()
    Campaign.objects.update(status="running")
    key = message_key(messages[0].dispatch.key_space, messages[0].pk)
    gateway.messages[key] = TakenSms(key, "gw-1", "", "")
    return messages


def states():
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def ask(at):
    return asking.ask_providers(holder="w1", now=at)


@pytest.mark.parametrize(("status", "rest"), [("running", "planned"), ("cancelled", "failed")])
def test_a5_what_the_gateway_knows_is_settled(gateway, lost, now, status, rest):
    Campaign.objects.update(status=status)
    assert ask(now + timedelta(minutes=3)) == 3
    assert states() == ["sent", rest, rest]
    assert Event.objects.filter(type__name="message_sent").count() == 1
    assert AuditEntry.objects.filter(action="messages.fate_decided").count() == 2


def test_a5_a_gateway_that_forgets_keys_settles_nothing_unclear(gateway, lost, now):
    gateway.moods.mood = type(gateway.moods.mood)(remembers_keys=False)
    at = now + timedelta(minutes=3)
    assert ask(at) == 1
    assert states() == ["sent", "unknown", "unknown"]


def test_a5_nothing_is_asked_too_soon_or_twice_in_a_minute(gateway, lost, now):
    gateway.moods.mood = type(gateway.moods.mood)(remembers_keys=False)
    assert ask(now + timedelta(seconds=90)) == 0
    assert gateway.questions == 0
    at = now + timedelta(minutes=3)
    for seconds, questions in ((0, 1), (30, 1), (59, 1), (60, 2)):
        ask(at + timedelta(seconds=seconds))
        assert gateway.questions == questions


def test_a5_a_gateway_that_does_not_answer_changes_nothing(gateway, lost, now):
    gateway.stop()
    assert ask(now + timedelta(minutes=3)) == 0
    assert states() == ["unknown"] * 3


def test_the_question_is_signed_as_messages_are(gateway, lost):
    provider = providers.provider_of(Channel.objects.get())
    assert provider.ask(["nobody"]) == {"nobody": Asked.NEVER_TAKEN}
    gateway.secret = "whsec_" + "A" * 32
    with pytest.raises(ChannelError):
        provider.ask(["nobody"])


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"{}",
        b'{"results": [{"id": "m2", "status": "never_taken"}]}',
        b'{"results": [{"id": "m1", "status": "not_found"}]}',
        b'{"results": [{"id": "m1", "status": "taken"}, {"id": "m1", "status": "never_taken"}]}',
    ],
)
def test_a5_an_unclear_answer_settles_nothing(content):
    assert read_fates(["m1"], content) == {}
