"""Campaigns through the lender's own endpoint and an e-mail service, with what comes back."""

import json

import pytest
import time_machine

from campaigns.channels import registry
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.models import Channel, Message, Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.channels import registry as channels
from campaigns.services.channels import testing
from campaigns.simulators.webhook_receiver import WebhookReceiver
from customers.models import ContactPoint
from tests.channels.contract import SECRET
from tests.channels.email_service_gateway import EmailServiceGateway
from tests.channels.test_email_services import _mailgun_report, _with_login
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.functional.test_receipts_round_trip import _drain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
LOGIN = "reports:a-long-password"


@pytest.fixture(autouse=True)
def allowed(settings, now):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]
    # The launch wakes the real tasks, which read the real clock.
    with time_machine.travel(now):
        yield
    registry.close_all()


def test_g14_a_campaign_goes_through_the_lenders_own_endpoint(actor, now):
    with WebhookReceiver(secret=SECRET) as receiver:
        options = {"url": receiver.url, "secret": SECRET}
        channel = make_channel("sms", "webhook", slug="own", options=options)
        make_people(7)
        make_launched(actor, now, channel="own", content=SMS)
        ticking.advance(now=now)
        _drain(now)
        found = testing.test_channel(channel=channel, to="+8613800138000", actor=actor, now=now)
    assert found.finding == "works"
    assert Message.objects.filter(state="sent").count() == 7
    keys = {message.key for message in receiver.messages.values() if message.key[0] != "t"}
    assert len(keys) == 7
    assert all(message.text.endswith("拒收请回复R") for message in receiver.messages.values()
               if message.key in keys)  # fmt: skip


def test_g7_reports_of_a_service_end_dead_addresses_and_never_those_of_a_blocked_sender(
    actor, now, client
):
    with EmailServiceGateway("brevo") as gateway:
        options = {
            "service": "brevo",
            "secret": "key-1",
            "webhook_secret": LOGIN,
            "api_url": gateway.url,
        }
        make_channel("email", "email_service", slug="brevo", options=options)
        make_people(4)
        make_launched(actor, now, channel="brevo")
        ticking.advance(now=now)
        _drain(now)
    keys = sorted(gateway.messages)
    assert len(keys) == 4
    events = [
        {"event": "delivered"},
        {"event": "hard_bounce", "reason": "550 5.1.1 no such user"},
        {"event": "hard_bounce", "reason": "554 5.7.1 IP blocked"},
        {"event": "unsubscribe"},
    ]
    for key, event in zip(keys, events, strict=True):
        body = {**event, "X-Mailin-custom": json.dumps({"loancrm_key": key})}
        assert _post(client, "brevo", _with_login(body)).status_code == 200
        forged = _with_login(body | {"event": "spam"}, login="reports:guess")
        assert _post(client, "brevo", forged).status_code == 401
    assert ContactPoint.objects.filter(kind="email", status="bounced").count() == 1
    assert Suppression.objects.filter(reason="opted_out").count() == 1
    assert Suppression.objects.filter(reason="complained").count() == 0


def test_f54_no_channel_is_stored_that_leads_inside(actor, now, settings):
    settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS = []
    for url in ("https://127.0.0.1/x", "https://localhost/x", "https://169.254.169.254/latest"):
        with pytest.raises(ChannelMisconfigured):
            channels.configure_channel(
                slug="own", kind="sms", backend="webhook", sender="好借", actor=actor, now=now,
                options={"url": url, "secret": SECRET},
            )  # fmt: skip
    assert not Channel.objects.exists()


def test_a_channel_of_another_service_takes_no_report_of_this_one(client):
    options = {"service": "brevo", "secret": "key-1", "webhook_secret": LOGIN}
    make_channel("email", "email_service", slug="brevo", options=options)
    assert _post(client, "brevo", _mailgun_report("delivered")).status_code == 401


def _post(client, slug, report):
    headers = dict(report.headers)
    return client.post(
        f"/hooks/{slug}/",
        report.body,
        content_type=headers.pop("content-type"),
        headers=headers,
    )
