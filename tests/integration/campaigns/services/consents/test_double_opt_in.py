import random
import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.receipts.stops import Stop
from campaigns.models import Channel, Filing, Message, Suppression
from campaigns.selectors.filing import standing
from campaigns.services.campaigns import ticking
from campaigns.services.consents import confirmations, preferences
from campaigns.services.sending import dispatch, providers
from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.consents.texts import LEAD_FORM_TEXT
from customers.models import ConsentRecord, ConsentState, Event, OptInRequest
from customers.services.consents import opt_ins
from customers.services.consents.opt_ins import RequestedOptIn
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def person():
    return make_people(1, consents=())[0]


def _ask(person, *, channel=ConsentChannel.SMS, now=None):
    wish = RequestedOptIn(
        channel, Purpose.MARKETING, LEAD_FORM_TEXT.version, LEAD_FORM_TEXT.evidence("zh-hans")
    )
    return opt_ins.append_requests(
        customer_id=person.pk, wishes=[wish], source="lead_form", now=now or clock.now()
    )


def _path(request):
    signer = links.signer_for(django_settings.SECRET_KEY)
    return f"/c/{signer.token(LinkPurpose.CONFIRM, message_id=request.pk)}/"


def _campaign(actor, now, slug):
    run = make_launched(actor, now, slug=slug, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    dispatch.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    return run.messages.get()


def test_k2_the_unconfirmed_never_receive_and_the_confirmed_do(person, actor, now):
    channel = make_channel("sms")
    (request,) = _ask(person, now=now)
    assert _campaign(actor, now, "before").reason == "no_consent"
    assert confirmations.send_confirmations(now=now) == 1
    assert confirmations.send_confirmations(now=now) == 0
    (asked,) = providers.provider_of(channel).delivered
    assert "/c/" in asked.payload.text
    assert _campaign(actor, now, "asked").reason == "no_consent"
    assert not ConsentState.objects.exists()
    later = now + timedelta(hours=1)
    opt_ins.confirm(actor=actor, request_id=request.pk, now=later)
    assert _campaign(actor, later, "after").state == "sent"


def test_k2_opening_the_link_is_no_consent_and_posting_is(person):
    (request,) = _ask(person)
    client = Client(enforce_csrf_checks=True)
    for method in (client.get, client.head, client.options, client.put):
        method(_path(request))
    assert not ConsentRecord.objects.exists()
    assert OptInRequest.objects.get().confirmed_at is None
    for _again in range(2):
        assert "已确认" in client.post(_path(request)).content.decode()
    record = ConsentRecord.objects.get()
    assert (record.channel, record.is_granted, record.policy_version) == (
        "sms", True, LEAD_FORM_TEXT.version,
    )  # fmt: skip
    assert record.evidence.startswith(f"double_opt_in:{request.pk};lang=zh-hans;sha256=")
    assert Event.objects.filter(type__name="opted_in").count() == 1


def test_k2_the_link_in_the_message_is_the_link_that_confirms(person, now):
    channel = make_channel("sms")
    _ask(person)
    confirmations.send_confirmations(now=clock.now())
    (asked,) = providers.provider_of(channel).delivered
    path = re.search(r"/c/[\w-]{27}/", asked.payload.text)[0]
    assert Client().post(path + "?lang=en").status_code == 200
    assert ConsentState.objects.get().is_granted


def test_k2_an_email_asks_too_and_carries_no_marketing_headers(person, now):
    channel = make_channel("email")
    _ask(person, channel=ConsentChannel.EMAIL, now=now)
    assert confirmations.send_confirmations(now=now) == 1
    (asked,) = providers.provider_of(channel).delivered
    assert asked.to == "p1@example.com"
    assert b"List-Unsubscribe" not in asked.payload.raw


def test_k2_an_expired_or_overtaken_request_grants_nothing(person, actor, now):
    (request,) = _ask(person, now=now)
    late = now + timedelta(days=opt_ins.VALID_DAYS)
    assert opt_ins.confirm(actor=actor, request_id=request.pk, now=late) == "expired"
    after = now + timedelta(hours=1)
    stop = Stop(person.pk, "sms", "k", "sms_reply", after)
    preferences.stop_contacts(actor=actor, stops=[stop], now=after)
    soon = now + timedelta(hours=2)
    assert opt_ins.confirm(actor=actor, request_id=request.pk, now=soon) == "withdrawn"
    assert not ConsentState.objects.filter(is_granted=True).exists()
    assert Suppression.objects.filter(lifted_at__isnull=True).exists()


def test_k2_asking_twice_is_asking_once(person, now):
    assert len(_ask(person, now=now)) == 1
    assert _ask(person, now=now) == []
    assert OptInRequest.objects.count() == 1


def test_k2_who_complained_is_never_asked(person, now):
    channel = make_channel("sms")
    Suppression.objects.create(
        customer=person, channel="sms", purpose="marketing", reason="complained", at=now
    )
    _ask(person, now=now)
    assert confirmations.send_confirmations(now=now) == 0
    assert providers.provider_of(channel).delivered == []


def test_k2_a_forged_link_confirms_nothing(person):
    (request,) = _ask(person)
    signer = links.signer_for(django_settings.SECRET_KEY)
    other = signer.token(LinkPurpose.UNSUBSCRIBE, message_id=request.pk)
    for token in (other, _path(request).split("/")[2][::-1], "x"):
        assert Client().post(f"/c/{token}/").status_code == 404
    assert not ConsentRecord.objects.exists()


def test_k2_confirming_needs_an_actor(person, now):
    (request,) = _ask(person, now=now)
    with pytest.raises(PermissionRefused):
        opt_ins.confirm(actor=None, request_id=request.pk, now=now)
    assert not ConsentRecord.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("outcome", [SendOutcome.RETRY, SendOutcome.NOT_TAKEN])
def test_a10_a_confirmation_that_was_put_off_is_tried_again(person, now, outcome):
    channel = make_channel("email")
    (request,) = _ask(person, channel=ConsentChannel.EMAIL, now=now)
    provider = providers.provider_of(channel)
    provider.answer = lambda message: SendResult(message.message_id, outcome, code="4.7.1")
    assert confirmations.send_confirmations(now=now) == 0
    provider.answer = None
    # The account's own pause goes by the database's clock.
    Channel.objects.update(paused_until=None)
    later = now + timedelta(minutes=5)
    assert confirmations.send_confirmations(now=later) == 1
    assert confirmations.send_confirmations(now=later) == 0
    assert len(provider.delivered) == 1
    request.refresh_from_db()
    assert request.sent_at == later


def test_a9_confirmations_keep_the_rate_of_their_channel(now, monkeypatch):
    monkeypatch.setattr(confirmations, "PATIENCE_SECONDS", 0.0)
    channel = make_channel("email", rate_per_second=1)
    for person in make_people(5, prefix="rate", consents=()):
        _ask(person, channel=ConsentChannel.EMAIL, now=now)
    assert confirmations.send_confirmations(now=now) == 1
    assert confirmations.send_confirmations(now=now) == 0
    Channel.objects.filter(pk=channel.pk).update(next_slot_at=None)
    assert confirmations.send_confirmations(now=now) == 1


@pytest.mark.parametrize("demand", ["signature", "template"])
def test_g15_nobody_is_asked_under_a_signature_that_is_not_approved(person, now, demand):
    channel = make_channel("sms", filing_demand=demand)
    _ask(person, now=now)
    assert confirmations.send_confirmations(now=now) == 0
    Filing.objects.create(
        channel=channel, kind="signature", name=standing.signature_of(channel), status="approved",
        submitted_at=now, decided_at=now,
    )  # fmt: skip
    # A confirmation is no filed template, so that provider would drop it.
    assert confirmations.send_confirmations(now=now) == (1 if demand == "signature" else 0)


def test_g15_another_channel_asks_where_the_first_may_not(person, now):
    make_channel("sms", filing_demand="signature")
    other = make_channel("sms", slug="other")
    _ask(person, now=now)
    assert confirmations.send_confirmations(now=now) == 1
    assert len(providers.provider_of(other).delivered) == 1
