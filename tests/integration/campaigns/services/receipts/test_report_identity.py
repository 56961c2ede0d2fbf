"""A report is told from others by its id, its kind and whom it is about, never by the id alone."""

import json
from datetime import timedelta
from itertools import permutations

import pytest

from campaigns.channels import registry
from campaigns.domain.receipts.report import DeliveryEvent, DeliveryKind
from campaigns.domain.receipts.report_reading import read_reports
from campaigns.models import Message, Receipt, Suppression
from campaigns.selectors.receipts import targets
from campaigns.services.receipts import reports
from campaigns.services.receipts.reports import ReportCounts
from customers.models import ConsentState, ContactPoint, Event
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from loancrm.kernel.security import crypto
from tests.factories.campaigns import make_channel
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
NUMBERS = ("13800138000", "13800138001", "13800138002")


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _event(kind, at, **changes):
    values = {
        "provider_event_id": "77",
        "kind": DeliveryKind(kind),
        "provider_message_id": "",
        "message_key": "",
        "occurred_at": at,
        "text": "退订" if kind == "replied" else "",
        **changes,
    }
    return DeliveryEvent(**values)


def _apply(actor, channel, now, *events):
    return reports.apply_events(actor=actor, channel=channel, events=events, now=now)


def _give_number(customer, number):
    vault = crypto.vault()
    point = ContactPoint.objects.get(customer=customer, kind="phone")
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, f"+86{number}")
    point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, f"+86{number}")
    point.save()


@pytest.mark.parametrize("refusal", ["replied", "complained"])
@pytest.mark.parametrize("is_one_body", [True, False])
def test_b3_a_refusal_counts_under_the_id_of_a_delivery_report(actor, now, refusal, is_one_body):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    key = f"m{message.pk}"
    events = [_event(kind, now, message_key=key) for kind in (refusal, "delivered", "clicked")]
    bodies = [events] if is_one_body else [[event] for event in events]
    for body in bodies:
        assert _apply(actor, channel, now, *body) == ReportCounts(applied=len(body))
    assert Suppression.objects.get().customer_id == message.customer_id
    message.refresh_from_db()
    assert message.state == "delivered"
    assert _apply(actor, channel, now, *events) == ReportCounts(repeated=3)


@pytest.mark.parametrize("words", list(permutations(["好的", "请别烦我", "退订"])))
def test_b3_a_refusal_counts_after_an_answer_of_the_same_id(actor, now, words):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    for place, text in enumerate(words):
        said_at = now + timedelta(minutes=place)
        _apply(
            actor,
            channel,
            now + timedelta(hours=1),
            _event("replied", said_at, text=text, message_key=f"m{message.pk}"),
        )
    assert Suppression.objects.get().reason == "opted_out"


def test_b3_one_id_for_the_refusals_of_several_people_stops_each(actor, now):
    channel, messages = make_sent(actor, now, count=3, kind="sms")
    for message, number in zip(messages, NUMBERS, strict=True):
        _give_number(message.customer, number)
    events = [_event("replied", now, address=number) for number in NUMBERS]
    assert _apply(actor, channel, now, *events) == ReportCounts(applied=3)
    people = {message.customer_id for message in messages}
    assert set(Suppression.objects.values_list("customer_id", flat=True)) == people
    told = Event.objects.filter(type__name="opted_out").values_list("customer_id", flat=True)
    assert set(told) == people
    assert not ConsentState.objects.filter(channel="sms", is_granted=True).exists()


def test_b3_one_id_for_strangers_keeps_every_address(actor, now):
    channel = make_channel("sms")
    events = [_event("replied", now, address=number) for number in NUMBERS]
    _apply(actor, channel, now, *events)
    assert Suppression.objects.exclude(value_index="").count() == 3


def test_b3_one_id_for_the_reports_of_two_messages_settles_both(actor, now):
    channel, messages = make_sent(actor, now, count=2)
    events = [_event("delivered", now, message_key=f"m{message.pk}") for message in messages]
    assert _apply(actor, channel, now, *events, *events) == ReportCounts(applied=2, repeated=2)
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}


def test_b3_who_agrees_and_refuses_again_refuses_though_the_id_is_old(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    refusal = {"message_key": f"m{message.pk}"}
    _apply(actor, channel, now, _event("replied", now, **refusal))
    grant = ConsentChange(message.customer_id, "sms", "marketing", is_granted=True, source="test")
    ledger.append_changes(changes=[grant], now=now + timedelta(days=1))
    Suppression.objects.update(lifted_at=now + timedelta(days=1))
    # Told once more by the provider, and then said once more by the person.
    for said_at, is_stopped in ((now, False), (now + timedelta(days=2), True)):
        _apply(actor, channel, now + timedelta(days=3), _event("replied", said_at, **refusal))
        assert Suppression.objects.filter(lifted_at=None).exists() is is_stopped
        state = ConsentState.objects.get(customer=message.customer, channel="sms")
        assert state.is_granted is not is_stopped


def test_b3_early_reports_of_one_id_all_find_their_message(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    Message.objects.update(provider_message_id="")
    events = [_event(kind, now, provider_message_id="gw-7") for kind in ("delivered", "replied")]
    assert _apply(actor, channel, now, *events) == ReportCounts(unknown=2)
    Message.objects.update(provider_message_id="gw-7")
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 2
    message.refresh_from_db()
    assert message.state == "delivered"
    assert Suppression.objects.get().customer_id == message.customer_id


def _shared(actor, now):
    channel, messages = make_sent(actor, now, count=3, kind="sms")
    for message, number in zip(messages, NUMBERS, strict=True):
        _give_number(message.customer, number)
    Message.objects.update(provider_message_id="biz1")
    return channel, messages


@pytest.mark.parametrize("kind", ["bounced_hard", "bounced_soft", "failed", "delivered", "clicked"])
def test_b3_an_id_that_several_messages_have_blames_none_of_them(actor, now, kind):
    channel, _messages = _shared(actor, now)
    told = _apply(actor, channel, now, _event(kind, now, provider_message_id="biz1"))
    assert told == ReportCounts(set_aside=(("77", "message_ambiguous"),))
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert not ContactPoint.objects.exclude(status="active").exists()
    row = Receipt.objects.get()
    assert (row.problem, row.is_applied, row.next_try_at) == ("message_ambiguous", False, None)


def test_b3_the_number_tells_which_message_an_ambiguous_id_means(actor, now):
    channel, messages = _shared(actor, now)
    event = _event("failed", now, provider_message_id="biz1", address=NUMBERS[1])
    assert _apply(actor, channel, now, event) == ReportCounts(applied=1)
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {message.pk: "sent" for message in messages} | {messages[1].pk: "failed"}


@pytest.mark.parametrize(("number", "place"), [(NUMBERS[2], 2), ("13900139000", None)])
def test_b3_a_refusal_by_an_ambiguous_id_is_the_refusal_of_its_sender(actor, now, number, place):
    channel, messages = _shared(actor, now)
    event = _event("replied", now, provider_message_id="biz1", address=number)
    assert _apply(actor, channel, now, event) == ReportCounts(applied=1)
    stop = Suppression.objects.get()
    assert stop.customer_id == (None if place is None else messages[place].customer_id)
    assert stop.value_index


def test_b3_a_refusal_of_nobody_knows_whom_is_listed_first(actor, now):
    channel, _messages = _shared(actor, now)
    told = _apply(actor, channel, now, _event("replied", now, provider_message_id="biz1"))
    assert told.set_aside == (("77", "message_ambiguous"),)
    assert not Suppression.objects.exists()
    assert Receipt.objects.get().is_refusal


@pytest.mark.parametrize("address", ["", NUMBERS[0]])
def test_b3_a_report_that_waited_for_an_id_of_several_is_set_aside(actor, now, address):
    channel, messages = _shared(actor, now)
    Message.objects.update(provider_message_id="")
    _apply(actor, channel, now, _event("replied", now, provider_message_id="b", text="好的"))
    refusal = _event("replied", now, provider_message_id="b", address=address, text="退订")
    _apply(actor, channel, now, refusal)
    Message.objects.update(provider_message_id="b")
    reports.retry_quarantined(actor=actor, channel=channel, now=now)
    problems = dict(Receipt.objects.values_list("meaning", "problem"))
    assert problems["other"] == "message_ambiguous"
    assert problems["opt_out"] == ("" if address else "message_ambiguous")
    stopped = Suppression.objects.filter(customer=messages[0].customer)
    assert stopped.exists() is bool(address)


def test_b3_an_id_that_very_many_messages_have_is_read_in_part(actor, now):
    channel, _messages = _shared(actor, now)
    events = [_event("delivered", now, provider_message_id=name) for name in ("biz1", "biz2")]
    found = targets.match_targets(channel, events, shared_at_most=1)
    assert (found.ambiguous, found.targets) == ({events[0]}, {})


@pytest.mark.parametrize("kind", ["delivered", "bounced_hard", "failed"])
def test_b3_a_report_waits_for_a_message_that_waits_to_be_asked_about_again(actor, now, kind):
    channel, (message,) = make_sent(actor, now, count=1)
    Message.objects.update(state="planned", reason="asked_again")
    event = _event(kind, now, message_key=f"m{message.pk}")
    assert _apply(actor, channel, now, event) == ReportCounts(unknown=1)
    assert Receipt.objects.get().problem == "message_planned"
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 0
    assert not ContactPoint.objects.exclude(status="active").exists()
    Message.objects.update(state="sent", reason="")
    assert reports.retry_quarantined(actor=actor, channel=channel, now=now) == 1
    message.refresh_from_db()
    assert message.state == kind.removesuffix("_hard")


def test_b3_a_refusal_does_not_wait_for_its_message(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    Message.objects.update(state="planned", reason="asked_again")
    event = _event("replied", now, message_key=f"m{message.pk}")
    assert _apply(actor, channel, now, event) == ReportCounts(applied=1)
    assert Suppression.objects.get().customer_id == message.customer_id


def _receipts_of(actor, channel, now, **report):
    body = {"id": "x1", "occurred_at": now.isoformat(), **report}
    events = read_reports(json.dumps({"events": [body]}).encode(), received_at=now)
    reports.apply_events(actor=actor, channel=channel, events=events, now=now)
    return Receipt.objects.get()


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        *((kind, "TD 退订", "opted_out") for kind in ("reply", "MO", "inbound", "upstream")),
        *((kind, "别烦我", "under_review") for kind in ("reply", "Inbound-Message", "received")),
        *((kind, "", "opted_out") for kind in ("unsubscribed", "opt_out", "Opt-Out", "退订")),
        *((kind, "", "complained") for kind in ("complaint", "spam report", "spam_complaint")),
        *((kind, "TD 退订", "opted_out") for kind in ("teleported", "", "unreadable")),
    ],
)
def test_b3_a_refusal_counts_by_whatever_name_its_report_goes(actor, now, kind, text, reason):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    row = _receipts_of(actor, channel, now, kind=kind, text=text, key=f"m{message.pk}")
    assert (row.is_refusal, row.is_applied) == (True, True)
    stop = Suppression.objects.get()
    assert (stop.customer_id, stop.reason) == (message.customer_id, reason)


def test_b3_what_may_be_a_refusal_in_a_report_nobody_knows_is_listed_first(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    # Perhaps our own text, sent back with a report of its being sent.
    words = {"text": "拒收请回复R", "key": f"m{message.pk}", "address": "13800138000"}
    row = _receipts_of(actor, channel, now, kind="teleported", **words)
    assert (row.problem, row.is_refusal, row.meaning) == ("kind_unknown", True, "review")
    assert (row.message_id, bool(row.address_index)) == (message.pk, True)
    assert not Suppression.objects.exists()


def test_b3_a_report_of_no_known_kind_without_a_refusal_is_listed_as_such(actor, now):
    channel, (message,) = make_sent(actor, now, count=1, kind="sms")
    row = _receipts_of(actor, channel, now, kind="teleported", text="好的", key=f"m{message.pk}")
    assert (row.problem, row.is_refusal, row.meaning) == ("kind_unknown", False, "")


@pytest.mark.parametrize("kind", ["delivered", "clicked"])
def test_b6_nothing_happened_to_a_message_before_it_was_handed_over(actor, now, kind):
    channel, (message,) = make_sent(actor, now, count=1)
    long_ago = now - timedelta(days=700)
    _apply(actor, channel, now, _event(kind, long_ago, message_key=f"m{message.pk}"))
    message.refresh_from_db()
    names = {"delivered": "message_delivered", "clicked": "link_clicked"}
    assert Event.objects.get(type__name=names[kind]).occurred_at == message.attempted_at
    assert message.delivered_at == (message.attempted_at if kind == "delivered" else None)
