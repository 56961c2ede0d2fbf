"""Replies that may be refusals: read on a page by who may, and decided there."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.channels import registry
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.models import Suppression, UnclearReply
from campaigns.services.receipts import reports
from customers.models import ConsentState
from loancrm.kernel import roles
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
WORDS = "你们这样老是发很烦人啊"
LIST = reverse("admin:campaigns_unclearreply_changelist")


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _browser(role):
    roles.ensure_roles()
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def officer():
    return _browser("compliance")


def _replied(actor, now, channel, *, text=WORDS, name="r1", **changes):
    values = {
        "provider_event_id": name,
        "kind": DeliveryKind.REPLIED,
        "provider_message_id": "",
        "message_key": "",
        "occurred_at": now,
        "text": text,
        **changes,
    }
    reports.apply_events(actor=actor, channel=channel, events=[DeliveryEvent(**values)], now=now)


@pytest.fixture
def sent(actor, now):
    return make_sent(actor, now, count=1, kind="sms")


def _page_of(reply):
    return reverse("admin:campaigns_unclearreply_change", args=[reply.pk])


def test_u35_an_unclear_reply_is_read_on_its_page_and_leaves_a_trace(actor, now, sent, officer):
    channel, (message,) = sent
    _replied(actor, now, channel, message_key=f"m{message.pk}")
    reply = UnclearReply.objects.get()
    assert reply.customer_id == message.customer_id
    assert WORDS.encode() not in bytes(reply.text_sealed)
    assert "1 reply may be a refusal" in officer.get("/admin/").content.decode()
    assert WORDS not in officer.get(LIST).content.decode()
    stop = Suppression.objects.get(reason="under_review")
    entry = officer.get(reverse("admin:campaigns_suppression_change", args=[stop.pk]))
    assert _page_of(reply) in entry.content.decode()
    assert WORDS in officer.get(_page_of(reply)).content.decode()
    assert AuditEntry.objects.filter(action="reply.read", object_id=str(reply.pk)).count() == 1


def test_u35_the_number_of_an_unknown_sender_is_shown_masked(actor, now, officer):
    channel = make_channel("sms")
    _replied(actor, now, channel, address="13812345678")
    shown = officer.get(LIST).content.decode()
    assert "138******78" in shown
    assert "13812345678" not in shown
    stop = Suppression.objects.get()
    address = reverse("admin:campaigns_suppression_change", args=[stop.pk])
    assert "138******78" in officer.get(address).content.decode()


def test_u35_what_is_a_refusal_stays_one_and_ends_the_consent(actor, now, sent, officer):
    channel, (message,) = sent
    _replied(actor, now, channel, message_key=f"m{message.pk}", address="13812345678")
    reply = UnclearReply.objects.get()
    assert officer.post(_page_of(reply), {"decision": "refusal"}).status_code == 302
    reply.refresh_from_db()
    assert (reply.decision, reply.text_sealed, reply.decided_by) == ("refusal", None, "compliance")
    assert set(Suppression.objects.values_list("reason", "lifted_at")) == {("opted_out", None)}
    states = ConsentState.objects.filter(
        customer=message.customer_id, channel="sms", purpose="marketing"
    )
    assert not any(states.values_list("is_granted", flat=True))
    assert "may be a refusal" not in officer.get("/admin/").content.decode()


def test_u35_what_is_no_refusal_ends_the_stop_with_a_reason(actor, now, sent, officer):
    channel, (message,) = sent
    _replied(actor, now, channel, message_key=f"m{message.pk}")
    reply = UnclearReply.objects.get()
    officer.post(_page_of(reply), {"decision": "no_refusal", "reason": " "})
    reply.refresh_from_db()
    assert reply.decision == ""
    assert Suppression.objects.filter(lifted_at__isnull=True).exists()
    officer.post(_page_of(reply), {"decision": "no_refusal", "reason": "asks about her rate"})
    assert not Suppression.objects.filter(lifted_at__isnull=True).exists()
    entry = AuditEntry.objects.get(action="reply.no_refusal")
    assert entry.reason == "asks about her rate"
    officer.post(_page_of(reply), {"decision": "refusal"})
    reply.refresh_from_db()
    assert reply.decision == "no_refusal"


def test_u35_a_stop_ends_with_the_last_reply_that_waits(actor, now, sent, officer):
    channel, (message,) = sent
    for name in ("r1", "r2"):
        _replied(actor, now, channel, name=name, message_key=f"m{message.pk}")
    first, second = UnclearReply.objects.order_by("pk")
    answer = {"decision": "no_refusal", "reason": "a joke"}
    officer.post(_page_of(first), answer)
    assert Suppression.objects.filter(lifted_at__isnull=True).exists()
    officer.post(_page_of(second), answer)
    assert not Suppression.objects.filter(lifted_at__isnull=True).exists()


def test_u35_a_reply_that_came_before_its_message_finds_its_customer(actor, now, sent):
    channel, (message,) = sent
    _replied(actor, now, channel, provider_message_id="late")
    assert UnclearReply.objects.get().customer_id is None
    message.provider_message_id = "late"
    message.save()
    reports.retry_quarantined(actor=actor, channel=channel, now=now)
    assert UnclearReply.objects.get().customer_id == message.customer_id


def test_u35_who_keeps_no_stop_list_reads_nothing(actor, now, sent):
    channel, (message,) = sent
    _replied(actor, now, channel, message_key=f"m{message.pk}")
    reply = UnclearReply.objects.get()
    marketer = _browser("marketer")
    assert WORDS not in marketer.get(_page_of(reply)).content.decode()
    assert "may be a refusal" not in marketer.get("/admin/").content.decode()
    marketer.post(_page_of(reply), {"decision": "no_refusal", "reason": "none"})
    reply.refresh_from_db()
    assert reply.decision == ""
    assert not AuditEntry.objects.filter(action="reply.read").exists()


def test_u35_other_replies_are_not_kept(actor, now, sent):
    channel, (message,) = sent
    for name, text in (("a", "谢谢"), ("b", "TD")):
        _replied(actor, now, channel, name=name, text=text, message_key=f"m{message.pk}")
    assert not UnclearReply.objects.exists()
