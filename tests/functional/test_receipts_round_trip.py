"""Messages leave over real sockets, and what the world answers comes back over HTTP."""

import random

import pytest
import time_machine
from django.test import override_settings

from campaigns.channels import registry
from campaigns.models import LinkVisit, Message, Receipt, Suppression
from campaigns.pages import webhooks
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from campaigns.simulators import audience
from campaigns.simulators.audience import Shares
from campaigns.simulators.reporter import Reporter, ReporterOptions
from campaigns.simulators.sms_gateway import SmsGateway
from campaigns.simulators.smtp_sink import SmtpSink
from customers.models import ContactPoint
from loancrm.kernel import clock
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.sent import SECRET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def world(live_server, now, tmp_path, monkeypatch):
    def start(shares):
        options = ReporterOptions(
            receipts_to=live_server.url,
            secrets={"relay": SECRET, "gateway": SECRET},
            shares=shares,
            record=tmp_path / "messages.jsonl",
        )
        reporters.append(Reporter(options, clock=lambda: now))
        return reporters[-1]

    reporters = []
    # Signatures are as old as the database's clock says, which no test sets.
    monkeypatch.setattr(webhooks, "shared_clock", clock)
    # The launch wakes the real tasks, which read the real clock.
    with override_settings(LOANCRM_PUBLIC_URL=live_server.url), time_machine.travel(now):
        yield start
    for reporter in reporters:
        reporter.stop()


def _drain(now):
    rng = random.Random(1)
    dispatch.drain(holder="test", clock=lambda: now, rng=rng, slice_seconds=200)


def test_emails_come_back_as_deliveries_bounces_clicks_and_refusals(actor, now, world):
    reporter = world(Shares(undelivered=0.2, click=0.5, unsubscribe=0.3))
    with SmtpSink() as sink:
        sink.on_message = lambda message: reporter.note(
            lambda: audience.read_email("relay", message)
        )
        make_channel(
            backend="smtp", slug="relay", options={"port": sink.port, "webhook_secret": SECRET}
        )
        make_people(60)
        run = make_launched(actor, now, channel="relay")
        ticking.advance(now=now)
        _drain(now)
        # One writer at a time: the database in memory does not wait for locks.
        reporter.start()
        reporter.stop()
    states = set(run.messages.values_list("state", flat=True))
    delivered = run.messages.filter(state="delivered").count()
    bounced = run.messages.filter(state="bounced").count()
    assert states == {"delivered", "bounced"}
    assert delivered + bounced == 60
    assert ContactPoint.objects.filter(kind="email", status="bounced").count() == bounced
    assert LinkVisit.objects.filter(is_bot=False).count() == reporter.done["clicks"] > 0
    assert Suppression.objects.count() == reporter.done["unsubscribes"] > 0
    assert sink.stats.as_dict()["repeated"] == 0


def test_text_messages_come_back_as_deliveries_and_replies(actor, now, world):
    reporter = world(Shares(undelivered=0.2, reply=0.3))
    with SmsGateway(secret=SECRET) as gateway:
        gateway.on_message = lambda message: reporter.note(
            lambda: audience.read_sms("gateway", message)
        )
        make_channel(
            "sms",
            "http_sms",
            slug="gateway",
            options={"url": gateway.url, "secret": SECRET},
        )
        make_people(60)
        make_launched(actor, now, channel="gateway", content=SMS)
        ticking.advance(now=now)
        _drain(now)
        # One writer at a time: the database in memory does not wait for locks.
        reporter.start()
        reporter.stop()
    assert Message.objects.filter(state="delivered").count() > 30
    replies = Receipt.objects.filter(kind="replied").count()
    assert Suppression.objects.filter(channel="sms", reason="opted_out").count() == replies > 0
    assert all(message.text.startswith("【示例金融】") for message in gateway.messages.values())
    assert all(message.text.endswith("拒收请回复R") for message in gateway.messages.values())
