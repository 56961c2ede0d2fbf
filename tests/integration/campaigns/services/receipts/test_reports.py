import json
from datetime import timedelta
from itertools import permutations

import pytest
from django.db.models import Sum

from campaigns.channels import registry, signatures
from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import WebhookRefused
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.models import Budget, Chunk, Message, Receipt, Suppression
from campaigns.services.receipts import reports
from campaigns.services.receipts.reports import ReportCounts, UnknownChannel
from campaigns.services.sending import chunks
from customers.models import ConsentRecord, ConsentState, ContactPoint, Event
from customers.services.identity import merging
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.auditing import audit
from tests.factories.campaigns import make_channel
from tests.factories.sent import SECRET, make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _event(message, kind, at, *, number=1, **changes):
    values = {
        "provider_event_id": f"{kind}:{message.pk}:{number}",
        "kind": DeliveryKind(kind),
        "provider_message_id": "",
        "message_key": f"m{message.pk}",
        "occurred_at": at,
        **changes,
    }
    return DeliveryEvent(**values)


def _events(name):
    return Event.objects.filter(type__name=name)


def test_delivered_and_bounced_messages_move_and_become_events(actor, now):
    channel, (first, second, third) = make_sent(actor, now)
    later = now + timedelta(minutes=5)
    counts = reports.apply_events(
        actor=actor,
        channel=channel,
        events=[
            _event(first, "delivered", now + timedelta(minutes=1)),
            _event(second, "bounced_hard", now + timedelta(minutes=2)),
            _event(third, "bounced_soft", now + timedelta(minutes=3)),
        ],
        now=later,
    )
    assert counts == ReportCounts(applied=3)
    rows = Message.objects.order_by("pk").values_list("state", "reason", "delivered_at")
    assert list(rows) == [
        ("delivered", "", now + timedelta(minutes=1)),
        ("bounced", "bounced_hard", None),
        ("bounced", "bounced_soft", None),
    ]
    delivered = _events("message_delivered").get()
    assert (delivered.customer_id, delivered.channel, delivered.subject) == (
        first.customer_id,
        "email",
        "spring",
    )
    assert set(_events("message_bounced").values_list("customer_id", flat=True)) == {
        second.customer_id,
        third.customer_id,
    }
    statuses = dict(ContactPoint.objects.filter(kind="email").values_list("customer_id", "status"))
    assert statuses == {
        first.customer_id: "active",
        second.customer_id: "bounced",
        third.customer_id: "active",
    }
    assert not ContactPoint.objects.filter(kind="phone").exclude(status="active").exists()
    assert audit.verify().is_intact


@pytest.mark.parametrize("order", list(permutations(["failed", "bounced_soft", "delivered"])))
def test_g8_any_order_ends_in_the_same_state(actor, now, order):
    channel, (message,) = make_sent(actor, now, count=1)
    for position, kind in enumerate(order):
        reports.apply_events(
            actor=actor,
            channel=channel,
            events=[_event(message, kind, now + timedelta(seconds=position))],
            now=now + timedelta(minutes=1),
        )
    message.refresh_from_db()
    assert message.state == "delivered"
    assert _events("message_delivered").count() == 1


def test_several_reports_about_one_message_in_one_body_count_by_the_strongest(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    events = [_event(message, kind, now) for kind in ("failed", "delivered", "bounced_hard")]
    reports.apply_events(actor=actor, channel=channel, events=events, now=now)
    message.refresh_from_db()
    assert message.state == "delivered"
    assert Receipt.objects.count() == 3


def test_a_repeated_report_changes_nothing(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    event = _event(message, "delivered", now)
    first = reports.apply_events(actor=actor, channel=channel, events=[event, event], now=now)
    message.refresh_from_db()
    before = (message.delivered_at, message.closed_at)
    second = reports.apply_events(
        actor=actor, channel=channel, events=[event], now=now + timedelta(hours=1)
    )
    message.refresh_from_db()
    assert (first, second) == (ReportCounts(applied=1, repeated=1), ReportCounts(repeated=1))
    assert (message.delivered_at, message.closed_at) == before
    assert Receipt.objects.count() == 1


def test_d_a_report_settles_a_message_of_unknown_fate(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    Message.objects.update(state="unknown", sent_at=None)
    reports.apply_events(
        actor=actor, channel=channel, events=[_event(message, "delivered", now)], now=now
    )
    message.refresh_from_db()
    assert (message.state, message.sent_at) == ("delivered", now)


def test_d_a_message_of_unknown_fate_that_arrived_was_sent_as_well(actor, now):
    channel, (message, _other) = make_sent(actor, now, count=2)
    Event.objects.all().delete()
    Message.objects.filter(pk=message.pk).update(state="unknown", sent_at=None)
    for _again in range(2):
        reports.apply_events(
            actor=actor, channel=channel, events=[_event(message, "delivered", now)], now=now
        )
    assert _events("message_sent").get().customer_id == message.customer_id
    assert _events("message_delivered").get().customer_id == message.customer_id


@pytest.mark.parametrize("is_early", [True, False])
def test_d_a_failed_receipt_and_the_budget_agree(actor, now, is_early):
    costs = {"budget": "10", "cost_per_message": "0.05"}
    channel, (message, _other) = make_sent(actor, now, count=2, kind="sms", **costs)
    chunk = Chunk.objects.get()
    if not is_early:
        chunks.settle_late(chunk=chunk)
    reports.apply_events(
        actor=actor, channel=channel, events=[_event(message, "failed", now)], now=now
    )
    chunks.settle_late(chunk=chunk)
    spent = Message.objects.aggregate(total=Sum("cost_amount"))["total"]
    assert spent > 0
    assert Budget.objects.get().committed_amount == spent


@pytest.mark.parametrize("state", ["skipped", "held_out", "cancelled", "planned"])
def test_a_message_that_was_never_sent_stays_as_it_is(actor, now, state):
    channel, (message,) = make_sent(actor, now, count=1)
    Message.objects.update(state=state)
    reports.apply_events(
        actor=actor, channel=channel, events=[_event(message, "delivered", now)], now=now
    )
    message.refresh_from_db()
    assert message.state == state
    assert not _events("message_delivered").exists()


def test_reports_about_nothing_known_are_set_aside(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    other = make_channel("sms", slug="other")
    stray = _event(message, "delivered", now, number=2, message_key="m999999")
    nameless = _event(message, "delivered", now, number=3, message_key="")
    counts = reports.apply_events(actor=actor, channel=channel, events=[stray, nameless], now=now)
    foreign = reports.apply_events(
        actor=actor, channel=other, events=[_event(message, "delivered", now)], now=now
    )
    assert (counts, foreign) == (ReportCounts(unknown=2), ReportCounts(unknown=1))
    message.refresh_from_db()
    assert message.state == "sent"
    assert Receipt.objects.filter(message=None, is_applied=False).count() == 3


def test_a_report_that_was_faster_than_the_settlement_is_applied_later(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    early = _event(message, "delivered", now, message_key="", provider_message_id="gw-77")
    assert reports.apply_events(
        actor=actor, channel=channel, events=[early], now=now
    ) == ReportCounts(unknown=1)
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 0
    Message.objects.update(provider_message_id="gw-77")
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 1
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 0
    message.refresh_from_db()
    assert message.state == "delivered"


def _bounce(actor, channel, message, now):
    reports.apply_events(
        actor=actor,
        channel=channel,
        events=[_event(message, "bounced_hard", now)],
        now=now + timedelta(hours=2),
    )


def test_g9_a_bounce_blames_what_was_written_to_and_not_a_newer_address(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    points = ContactPoint.objects.filter(customer=message.customer, kind="email")
    points.update(is_primary=False)
    ContactPoint.objects.create(
        customer=message.customer,
        kind="email",
        value_sealed=b"x",
        value_index="new",
        # Known before the bounce came back, and after the message went out.
        created_at=now - timedelta(hours=1),
    )
    _bounce(actor, channel, message, now)
    assert set(points.values_list("is_primary", "status")) == {(False, "bounced"), (True, "active")}


def test_b5_a_bounce_after_a_merge_blames_what_was_written_to(actor, now):
    channel, messages = make_sent(actor, now, count=2)
    lost, kept = messages[0].customer_id, messages[1].customer_id
    merging.merge(actor=actor, kept_id=kept, other_id=lost, now=now)
    messages[0].refresh_from_db()
    _bounce(actor, channel, messages[0], now)
    written_to = ContactPoint.objects.get(pk=messages[0].contact_point_id)
    others = ContactPoint.objects.filter(kind="email").exclude(pk=written_to.pk)
    assert written_to.status == "bounced"
    assert set(others.values_list("status", flat=True)) == {"active"}


def test_a_complaint_stops_marketing_on_the_channel(actor, now):
    channel, (message, other) = make_sent(actor, now, count=2)
    event = _event(message, "complained", now)
    for _again in range(2):
        reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.channel, stop.purpose, stop.reason) == (
        message.customer_id,
        "email",
        "marketing",
        "complained",
    )
    states = ConsentState.objects.filter(customer=message.customer)
    assert dict(states.values_list("channel", "is_granted")) == {"email": False, "sms": True}
    assert ConsentState.objects.filter(customer=other.customer, is_granted=True).count() == 2
    assert _events("complaint_made").count() == 1


@pytest.mark.parametrize("text", ["R", "Ｔ ", "td退订", "退订。", "Stop!!"])
def test_a_refusal_by_reply_stops_text_messages(actor, now, text):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    reports.apply_events(
        actor=actor, channel=channel, events=[_event(message, "replied", now, text=text)], now=now
    )
    stop = Suppression.objects.get()
    assert (stop.channel, stop.purpose, stop.reason) == ("sms", "marketing", "opted_out")
    assert ConsentRecord.objects.get(is_granted=False).source == "sms_reply"
    assert _events("opted_out").get().customer_id == message.customer_id
    assert not Receipt.objects.filter(detail__contains=text).exists()


def test_a_reply_that_names_no_message_is_known_by_its_number(actor, now):
    channel, (message, _other) = make_sent(actor, now, count=2, kind="sms")
    number = f"+861{ord('p') % 100:02d}{1:08d}"
    reply = _event(message, "replied", now, text="退订", address=number, message_key="")
    stranger = _event(message, "replied", now, number=2, text="R", address="+8613", message_key="")
    counts = reports.apply_events(actor=actor, channel=channel, events=[reply, stranger], now=now)
    assert counts == ReportCounts(applied=1, unknown=1)
    assert Suppression.objects.get().customer_id == message.customer_id


def test_an_unclear_reply_stops_marketing_until_somebody_has_read_it(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    event = _event(message, "replied", now, text="please stop texting")
    reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    assert Suppression.objects.get().reason == "under_review"
    assert not ConsentRecord.objects.filter(is_granted=False).exists()
    assert not _events("opted_out").exists()


def test_other_replies_change_nothing(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    event = _event(message, "replied", now, text="好的")
    counts = reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    assert counts == ReportCounts(applied=1)
    assert not Suppression.objects.exists()


def test_a_click_that_the_provider_saw_is_an_event(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    event = _event(message, "clicked", now)
    reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    assert _events("link_clicked").get().customer_id == message.customer_id
    message.refresh_from_db()
    assert message.state == "sent"


def test_a_batch_takes_a_fixed_number_of_queries(actor, now, django_assert_max_num_queries):
    channel, messages = make_sent(actor, now, count=120)
    events = [_event(message, "delivered", now) for message in messages]
    with django_assert_max_num_queries(60):
        counts = reports.apply_events(actor=actor, channel=channel, events=events, now=now)
    assert counts == ReportCounts(applied=120)


def _report(now, secret=SECRET):
    body = json.dumps({"events": []}).encode()
    headers = signatures.sign(secret=secret, message_id="m", at=now, body=body)
    return WebhookRequest(headers, body, now)


def test_a_report_is_checked_by_the_channel_it_names(actor, now):
    make_channel(options={"secret": SECRET})
    assert (
        reports.receive(actor=actor, slug="email-memory", report=_report(now), now=now)
        == ReportCounts()
    )
    with pytest.raises(WebhookRefused):
        reports.receive(
            actor=actor, slug="email-memory", report=_report(now, "whsec_AAAA"), now=now
        )
    with pytest.raises(UnknownChannel):
        reports.receive(actor=actor, slug="nowhere", report=_report(now), now=now)


def test_a_channel_that_is_switched_off_still_gets_its_reports(actor, now):
    make_channel(options={"secret": SECRET}, is_active=False)
    assert (
        reports.receive(actor=actor, slug="email-memory", report=_report(now), now=now)
        == ReportCounts()
    )


def test_without_permission_nothing_is_applied(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    with pytest.raises(PermissionRefused):
        reports.apply_events(
            actor=None, channel=channel, events=[_event(message, "delivered", now)], now=now
        )
    message.refresh_from_db()
    assert message.state == "sent"
    assert not Receipt.objects.exists()
