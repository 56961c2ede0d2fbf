"""No refusal is lost, in whatever form and order it comes, and it ends a campaign's later steps."""

import json
import random
from collections import Counter
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.domain.receipts.stops import Stop, StopReason
from campaigns.models import Dispatch, Message, Receipt, Suppression
from campaigns.services.campaigns import ticking
from campaigns.services.consents import opt_in_confirming, preferences, stop_list
from campaigns.services.consents.preferences import append_stops
from campaigns.services.receipts import reports
from campaigns.services.receipts.reports import ReasonMissing, ReportCounts
from campaigns.services.sending import dispatch as dispatching
from customers.models import ConsentState, ContactPoint, Customer, OptInRequest
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.factories.campaigns import SMS, make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NUMBER = "+8613800138000"


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def drain(now):
    ticking.advance(now=now)
    dispatching.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)


def _reply(name, now, **changes):
    values = {
        "provider_event_id": name,
        "kind": DeliveryKind.REPLIED,
        "provider_message_id": "",
        "message_key": "",
        "occurred_at": now,
        "text": "TD",
        **changes,
    }
    return DeliveryEvent(**values)


def _give_number(customer, number=NUMBER):
    vault = crypto.vault()
    point, _new = ContactPoint.objects.get_or_create(
        customer=customer, kind="phone", defaults={"created_at": customer.created_at}
    )
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, number)
    point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, number)
    point.save()


def _sms_with_fallback(actor, now):
    return make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=spec()["content"],
        fallback_after_minutes=30,
    )


@pytest.mark.parametrize(
    "form",
    [
        *(NUMBER, "8613800138000", "13800138000", "008613800138000", "+86 138 0013 8000"),
        *("TEL:13800138000", "sms:+8613800138000", "13800138000@gateway", "+86 13800138000 (张三)"),
        "sip:+8613800138000@10.11.12.13:5060;user=phone",
    ],
)
def test_g1_a_reply_is_matched_by_the_number_in_any_form(actor, now, form):
    channel, (message, _other) = make_sent(actor, now, count=2, kind="sms")
    _give_number(message.customer)
    counts = reports.apply_events(
        actor=actor, channel=channel, events=[_reply("r1", now, address=form)], now=now
    )
    assert counts == ReportCounts(applied=1)
    assert Suppression.objects.get().customer_id == message.customer_id
    assert not ConsentState.objects.get(customer=message.customer, channel="sms").is_granted


def test_g1_case_senders_are_one_person(actor, now, shared_data):
    cases = json.loads((shared_data / "cases_doors" / "cases.json").read_text())
    forms = cases["reply_sender_forms"]
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    _give_number(message.customer, forms["stored"])
    replies = [
        _reply(f"r{place}", now, address=form) for place, form in enumerate(forms["same_person"])
    ]
    counts = reports.apply_events(actor=actor, channel=channel, events=replies, now=now)
    assert counts == ReportCounts(applied=len(replies))
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(("text", "reason"), [("退订", "opted_out"), ("请别烦我", "under_review")])
def test_b3_a_refusal_that_comes_before_its_message_is_known_keeps_its_meaning(
    actor, now, text, reason
):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    Message.objects.update(provider_message_id="")
    early = _reply("r1", now, text=text, provider_message_id="gw-77")
    assert reports.apply_events(
        actor=actor, channel=channel, events=[early], now=now
    ) == ReportCounts(unknown=1)
    waiting = Receipt.objects.get()
    assert (waiting.is_applied, waiting.problem) == (False, "message_unknown")
    later = now + timedelta(days=10)
    assert reports.retry_quarantined(actor=actor, channel=channel, now=later) == 0
    Message.objects.update(provider_message_id="gw-77")
    later += timedelta(days=1)
    assert reports.retry_quarantined(actor=actor, channel=channel, now=later) == 1
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.reason) == (message.customer_id, reason)
    waiting.refresh_from_db()
    assert (waiting.is_applied, waiting.problem, waiting.message_id) == (True, "", message.pk)


def test_b3_a_complaint_that_comes_early_is_applied_later(actor, now):
    channel, (message,) = make_sent(actor, now, count=1)
    Message.objects.update(provider_message_id="")
    early = _reply("c1", now, kind=DeliveryKind.COMPLAINED, text="", provider_message_id="gw-1")
    reports.apply_events(actor=actor, channel=channel, events=[early], now=now)
    Message.objects.update(provider_message_id="gw-1")
    reports.retry_all_quarantined(actor=actor, now=now + timedelta(minutes=1))
    assert Suppression.objects.get().reason == "complained"
    assert not ConsentState.objects.get(customer=message.customer, channel="email").is_granted


def test_b3_a_stop_from_a_number_nobody_has_holds_for_whoever_comes_with_it(actor, now):
    channel = make_channel("sms")
    counts = reports.apply_events(
        actor=actor, channel=channel, events=[_reply("r1", now, address="13800138000")], now=now
    )
    assert counts == ReportCounts(applied=1)
    stop = Suppression.objects.get()
    assert (stop.customer_id, bool(stop.value_index), stop.reason) == (None, True, "opted_out")
    late, other = make_people(2)
    _give_number(late)
    dispatch = make_launched(actor, now, channel=channel.slug, content=SMS)
    drain(now)
    found = dict(dispatch.messages.values_list("customer_id", "reason"))
    assert found == {late.pk: "suppressed", other.pk: ""}


def test_b3_foreign_reports_starve_nobody(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    Receipt.objects.bulk_create(
        Receipt(
            channel=channel,
            provider_event_id=f"foreign-{number}",
            kind="delivered",
            provider_message_id=f"foreign-{number}",
            occurred_at=now,
            received_at=now,
            problem="message_unknown",
            next_try_at=now,
        )
        for number in range(5_000)
    )
    Message.objects.update(provider_message_id="")
    reports.apply_events(
        actor=actor,
        channel=channel,
        events=[
            _reply("r1", now, provider_message_id="gw-1"),
            _reply("d1", now, kind=DeliveryKind.DELIVERED, text="", provider_message_id="gw-1"),
        ],
        now=now,
    )
    Message.objects.update(provider_message_id="gw-1")
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 1
    assert Suppression.objects.count() == 1
    # What was tried least goes next, though five thousand others are as old.
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 1
    message.refresh_from_db()
    assert message.state == "delivered"


def test_b3_reports_of_others_wait_ever_longer_and_are_given_up(actor, now):
    channel, _messages = make_sent(actor, now, count=1)
    foreign = _reply("d1", now, kind=DeliveryKind.DELIVERED, text="", provider_message_id="gw-9")
    reports.apply_events(actor=actor, channel=channel, events=[foreign], now=now)
    waits = []
    moment = now
    for _again in range(8):
        reports.retry_quarantined(actor=actor, channel=channel, now=moment)
        row = Receipt.objects.get()
        waits.append((row.next_try_at - moment).total_seconds())
        moment = row.next_try_at
    assert waits == [0, 0, 60, 120, 240, 480, 960, 1920]
    reports.retry_quarantined(actor=actor, channel=channel, now=now + timedelta(days=4))
    row.refresh_from_db()
    assert (row.problem, row.next_try_at) == ("given_up", None)


def test_b3_a_person_takes_what_waits_off_the_list_with_a_reason(actor, now):
    channel, _messages = make_sent(actor, now, count=1, kind="sms")
    reports.apply_events(
        actor=actor, channel=channel, events=[_reply("r1", now, address="10086x")], now=now
    )
    row = Receipt.objects.get()
    assert row.problem == "sender_unreadable"
    with pytest.raises(ReasonMissing):
        reports.settle_by_hand(actor=actor, receipt_ids=[row.pk], reason=" ", now=now)
    settled = reports.settle_by_hand(
        actor=actor, receipt_ids=[row.pk], reason="looked up at the gateway", now=now
    )
    row.refresh_from_db()
    assert (settled, row.problem) == (1, "settled_by_hand")
    assert AuditEntry.objects.get(action="receipt.settle").reason == "looked up at the gateway"


def test_b3_the_stronger_reason_stays_when_the_weaker_one_ends(actor, now):
    (person,) = make_people(1)

    def stop(reason, key):
        return Stop(person.pk, "sms", key, "sms_reply", now, reason=reason)

    append_stops(stops=[stop(StopReason.UNDER_REVIEW, "a")], now=now)
    append_stops(stops=[stop(StopReason.COMPLAINED, "b")], now=now)
    append_stops(stops=[stop(StopReason.OPTED_OUT, "c")], now=now)
    assert Suppression.objects.get().reason == "complained"


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("replied", "退订", "opted_out"),
        ("replied", "别再来烦我", "under_review"),
        ("complained", "", "complained"),
    ],
)
def test_b2_a_refusal_keeps_the_fallback_from_the_person(actor, now, kind, text, reason):
    channel, _email = make_channel("sms"), make_channel()
    refuser, other = make_people(2)
    launched = _sms_with_fallback(actor, now)
    drain(now)
    Message.objects.update(state="failed", reason="channel_refused")
    message = launched.messages.get(customer=refuser)
    event = _reply("r1", now, kind=DeliveryKind(kind), text=text, message_key=f"m{message.pk}")
    reports.apply_events(
        actor=actor, channel=channel, events=[event], now=now + timedelta(minutes=5)
    )
    assert Suppression.objects.get().reason == reason
    drain(now + timedelta(minutes=31))
    fallback = Dispatch.objects.exclude(pk=launched.pk).get()
    assert list(fallback.messages.values_list("customer_id", flat=True)) == [other.pk]
    assert [
        sent.to
        for sent in registry.shared(name="email-memory", backend="memory", options={}).delivered
    ] == ["p2@example.com"]


def test_b2_a_refusal_after_the_fallback_was_frozen_still_counts_at_the_send(actor, now):
    channel, _email = make_channel("sms"), make_channel()
    refuser, _other = make_people(2)
    launched = _sms_with_fallback(actor, now)
    drain(now)
    Message.objects.update(state="failed", reason="channel_refused")
    ticking.advance(now=now + timedelta(minutes=31))
    fallback = Dispatch.objects.exclude(pk=launched.pk).get()
    assert fallback.messages.count() == 2
    event = _reply("r1", now, message_key=f"m{launched.messages.get(customer=refuser).pk}")
    reports.apply_events(
        actor=actor, channel=channel, events=[event], now=now + timedelta(minutes=32)
    )
    drain(now + timedelta(minutes=33))
    assert Counter(fallback.messages.values_list("state", flat=True)) == {"sent": 1, "skipped": 1}
    assert fallback.messages.get(customer=refuser).reason == "suppressed"


def test_b2_hardship_between_the_steps_keeps_the_fallback_from_the_person(actor, now):
    make_channel("sms")
    make_channel()
    person, other = make_people(2)
    launched = _sms_with_fallback(actor, now)
    drain(now)
    Message.objects.update(state="failed", reason="channel_refused")
    Customer.objects.filter(pk=person.pk).update(marketing_status="hardship")
    drain(now + timedelta(minutes=31))
    fallback = Dispatch.objects.exclude(pk=launched.pk).get()
    assert list(fallback.messages.values_list("customer_id", flat=True)) == [other.pk]


def test_b3_whoever_confirms_from_the_address_ends_what_was_said_from_it(actor, now):
    channel = make_channel("sms")
    reports.apply_events(
        actor=actor, channel=channel, events=[_reply("r1", now, address=NUMBER)], now=now
    )
    (person,) = make_people(1, consents=())
    _give_number(person)
    request = OptInRequest.objects.create(
        customer=person,
        channel="sms",
        purpose="marketing",
        policy_version="v1",
        source="lead_form",
        evidence="zh",
        requested_at=now + timedelta(hours=1),
        expires_at=now + timedelta(days=7),
    )
    opt_in_confirming.confirm(actor=actor, request_id=request.pk, now=now + timedelta(hours=2))
    assert not Suppression.objects.filter(lifted_at=None).exists()


def _with_the_address_of(first, second):
    """Give the second person the address of the first, as a merge undone or an import does."""
    known = ContactPoint.objects.get(customer=first, kind="email")
    point = ContactPoint.objects.get(customer=second, kind="email")
    vault = crypto.vault()
    text = vault.open(ContactPoint.VALUE_COLUMN, known.row_key, known.value_sealed)
    ContactPoint.objects.filter(pk=known.pk).update(is_primary=False)
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, text)
    point.value_index = known.value_index
    point.save()


@pytest.mark.parametrize("way", ["link", "complaint"])
def test_b3_a_refusal_that_names_its_message_holds_for_the_address_under_any_record(
    actor, now, way
):
    channel, (one, two) = make_sent(actor, now, count=2)
    _with_the_address_of(one.customer, two.customer)
    if way == "link":
        preferences.opt_out(actor=actor, message_id=one.pk, source="unsubscribe_link", now=now)
    else:
        event = _reply("c1", now, kind=DeliveryKind.COMPLAINED, message_key=f"m{one.pk}")
        reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    later = now + timedelta(days=1)
    run = make_launched(actor, later, slug="next")
    drain(later)
    assert not run.messages.filter(state="sent").exists()


def test_b3_the_address_joins_the_row_of_the_person_and_ends_with_it(actor, now):
    _channel, (message,) = make_sent(actor, now, count=1)
    stop = Stop(message.customer_id, "email", "a", "preference_centre", now)
    append_stops(stops=[stop], now=now)
    preferences.opt_out(actor=actor, message_id=message.pk, source="unsubscribe_link", now=now)
    assert Suppression.objects.get().value_index
    stop_list.lift_own(
        customer_id=message.customer_id, channel="email", purpose="marketing", now=now
    )
    assert not Suppression.objects.filter(lifted_at=None).exists()
