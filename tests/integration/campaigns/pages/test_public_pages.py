import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from campaigns.channels import registry, signatures
from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.models import Channel, LinkVisit, Message, Receipt, Suppression, TrackedLink
from campaigns.services.receipts import visits
from customers.models import ConsentRecord, ConsentState, Customer, Event
from loancrm.kernel.models import AuditEntry
from tests.factories import kept
from tests.factories.sent import SECRET, make_sent

pytestmark = pytest.mark.django_db

PHONE = {"HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Safari"}


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def sent(actor, now):
    kept.scene("two sent", lambda: make_sent(actor, now, count=2))
    return Channel.objects.get(), list(Message.objects.order_by("pk"))


def _token(purpose, message, link_id=0):
    signer = links.signer_for(settings.SECRET_KEY)
    return signer.token(purpose, message_id=message.pk, link_id=link_id)


def _click(message):
    link = TrackedLink.objects.get(dispatch=message.dispatch_id)
    return f"/t/{_token(LinkPurpose.CLICK, message, link.pk)}/"


def _leave(message):
    return f"/u/{_token(LinkPurpose.UNSUBSCRIBE, message)}/"


def _state_of_everything():
    return (
        list(Message.objects.order_by("pk").values()),
        list(Customer.objects.order_by("pk").values()),
        list(ConsentState.objects.order_by("pk").values()),
        Suppression.objects.count(),
        ConsentRecord.objects.count(),
        Event.objects.count(),
        AuditEntry.objects.count(),
    )


def test_f9_looking_never_changes_anything(client, sent):
    _channel, messages = sent
    before = _state_of_everything()
    for message in messages:
        for address in (_click(message), _leave(message)):
            for method in (client.get, client.head, client.options, client.put, client.delete):
                method(address, **PHONE)
    assert _state_of_everything() == before


def test_f7_a_click_leads_to_the_stored_target_with_query_and_fragment_and_is_noted(client, sent):
    _channel, (message, _other) = sent
    TrackedLink.objects.update(target="https://example.com/a?b=1&c=%E4%BD%A0#top")
    answer = client.get(_click(message), **PHONE)
    assert (answer.status_code, answer["Location"]) == (
        302,
        "https://example.com/a?b=1&c=%E4%BD%A0#top",
    )
    visit = LinkVisit.objects.get()
    assert (visit.message_id, visit.is_bot) == (message.pk, False)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", PHONE),
        ("get", {"HTTP_USER_AGENT": "Googlebot/2.1"}),
        ("get", {**PHONE, "HTTP_SEC_PURPOSE": "prefetch"}),
    ],
)
def test_machines_are_noted_as_machines(client, sent, method, headers):
    _channel, (message, _other) = sent
    assert getattr(client, method)(_click(message), **headers).status_code == 302
    assert LinkVisit.objects.get().is_bot


def test_f7_f56_a_forged_or_misplaced_link_is_not_found(client, sent, caplog):
    _channel, (message, _other) = sent
    link = TrackedLink.objects.get()
    good = _token(LinkPurpose.CLICK, message, link.pk)
    wrong = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        _token(LinkPurpose.UNSUBSCRIBE, message, link.pk),
        _token(LinkPurpose.CLICK, message, link.pk + 1),
        "https:%2F%2Fevil.example",
        "x",
    ]
    for token in wrong:
        answer = client.get(f"/t/{token}/", **PHONE)
        assert answer.status_code == 404
        assert "Location" not in answer
        ours = [r.getMessage() for r in caplog.records if r.name.startswith("campaigns")]
        assert not any(token in line for line in ours)
    assert not LinkVisit.objects.exists()


def test_clicks_of_people_become_events_once(client, sent, now):
    _channel, (message, other) = sent
    for _again in range(3):
        client.get(_click(message), **PHONE)
    client.get(_click(other), HTTP_USER_AGENT="bot/1")
    LinkVisit.objects.update(at=now + timedelta(seconds=10))
    later = now + timedelta(minutes=1)
    assert visits.publish_clicks(now=later) == 1
    assert visits.publish_clicks(now=later) == 0
    event = Event.objects.get(type__name="link_clicked")
    assert (event.customer_id, event.subject) == (message.customer_id, "spring")


def test_a_fresh_visit_waits_until_it_is_clear_who_came(client, sent, now):
    _channel, (message, _other) = sent
    client.get(_click(message), **PHONE)
    LinkVisit.objects.update(at=now + timedelta(seconds=10))
    assert visits.publish_clicks(now=now + timedelta(seconds=12)) == 0
    assert visits.publish_clicks(now=now + timedelta(seconds=16)) == 1


def test_a_scanner_that_opens_every_link_is_no_person(sent, now):
    _channel, (message, _other) = sent
    targets = [
        TrackedLink.objects.create(dispatch=message.dispatch, target=f"https://example.com/{n}")
        for n in range(3)
    ]
    at = now + timedelta(seconds=30)
    LinkVisit.objects.bulk_create(LinkVisit(link=link, message=message, at=at) for link in targets)
    assert visits.publish_clicks(now=now + timedelta(minutes=1)) == 0
    assert LinkVisit.objects.filter(is_bot=True).count() == 3


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", 'lang="zh'), ("en", "Do you want to stop")]
)
def test_f11_the_page_speaks_the_customers_language(client, sent, language, words):
    _channel, (message, _other) = sent
    Customer.objects.update(language=language)
    answer = client.get(_leave(message))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_language_can_be_asked_for(client, sent):
    _channel, (message, _other) = sent
    answer = client.get(_leave(message) + "?lang=en")
    assert "Do you want to stop our marketing e-mails?" in answer.content.decode()


def test_one_click_works_without_cookie_or_session_and_only_once(client, sent):
    _channel, (message, other) = sent
    for _again in range(3):
        answer = client.post(_leave(message), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not answer.cookies
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.channel, stop.purpose) == (
        message.customer_id,
        "email",
        "marketing",
    )
    assert Event.objects.filter(type__name="opted_out").count() == 1
    assert ConsentState.objects.filter(customer=other.customer, is_granted=False).count() == 0


def test_a_forged_token_stops_nobody(client, sent):
    _channel, (message, _other) = sent
    token = _token(LinkPurpose.UNSUBSCRIBE, message)
    for wrong in (token[::-1], _token(LinkPurpose.CLICK, message), token + "A"):
        assert client.post(f"/u/{wrong}/").status_code == 404
    assert not Suppression.objects.exists()


def _post(client, channel, events, *, secret=SECRET, at=None, body=None):
    content = json.dumps({"events": events}).encode()
    signed_at = at or datetime.fromtimestamp(time.time(), tz=UTC)
    headers = signatures.sign(secret=secret, message_id="m1", at=signed_at, body=content)
    return client.post(
        f"/hooks/{channel}/",
        content if body is None else body,
        content_type="application/json",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    )


def _delivered(message, now):
    return {
        "id": f"e{message.pk}",
        "kind": "delivered",
        "key": f"m{message.pk}",
        "occurred_at": now.isoformat(),
    }


def test_g8_a_signed_report_is_applied_and_its_replay_is_harmless(client, sent, now):
    channel, (message, _other) = sent
    report = [_delivered(message, now)]
    assert _post(client, channel.slug, report).json() == {
        "applied": 1, "repeated": 0, "unknown": 0,
    }  # fmt: skip
    assert _post(client, channel.slug, report).json() == {
        "applied": 0, "repeated": 1, "unknown": 0,
    }  # fmt: skip
    message.refresh_from_db()
    assert message.state == "delivered"


def test_g8_what_is_not_proven_is_refused_and_changes_nothing(client, sent, now):
    channel, (message, _other) = sent
    report = [_delivered(message, now)]
    old = datetime.fromtimestamp(time.time(), tz=UTC) - timedelta(minutes=6)
    answers = [
        _post(client, channel.slug, report, secret="whsec_AAAAAAAAAAAAAAAA"),
        _post(client, channel.slug, report, at=old),
        _post(client, channel.slug, report, body=b'{"events": []}'),
        client.post(f"/hooks/{channel.slug}/", b"{}", content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    message.refresh_from_db()
    assert message.state == "sent"
    assert not Receipt.objects.exists()


def test_a_report_for_no_channel_is_not_found(client, sent, now):
    _channel, (message, _other) = sent
    assert _post(client, "nowhere", [_delivered(message, now)]).status_code == 404
    assert client.get("/hooks/email-memory/").status_code == 405


def test_u24_an_opt_out_that_is_in_force_is_not_asked_for_again(client, sent):
    _channel, (message, other) = sent
    address = _leave(message)
    asking = "要停止接收"
    assert asking in client.get(address).content.decode()
    assert client.post(address).status_code == 200
    again = client.get(address).content.decode()
    assert asking not in again
    assert "不会再收到" in again or "不再收到" in again
    assert "起生效" in again
    assert asking in client.get(_leave(other)).content.decode()
    # Whoever has agreed again is asked again.
    Suppression.objects.update(lifted_at=message.sent_at)
    ConsentState.objects.update(is_granted=True)
    assert asking in client.get(address).content.decode()
