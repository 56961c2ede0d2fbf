import email
import email.policy
import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.channels.base import SendOutcome, SendResult
from campaigns.domain.experiments import assignment
from campaigns.domain.receipts.report import message_key
from campaigns.models import (
    Budget,
    Chunk,
    Dispatch,
    FrequencyRule,
    LedgerEntry,
    Message,
    Suppression,
)
from campaigns.selectors.campaigns import status as campaign_status
from campaigns.services.campaigns import ticking
from campaigns.services.sending import chunks, dispatch, ledger
from campaigns.services.sending.lane import Lane
from customers.models import ConsentState, ContactPoint, Customer, Event, Loan, Product
from loancrm.kernel.auditing import deployment
from tests.factories.campaigns import (
    SMS,
    expire_leases,
    make_channel,
    make_launched,
    spec,
)
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def outbox(slug="email-memory"):
    return registry.shared(name=slug, backend="memory", options={}).delivered


def drain(now, holder="w1"):
    ticking.advance(now=now)
    counts = dispatch.drain(
        holder=holder, clock=lambda: now, rng=random.Random(1), slice_seconds=60
    )
    ticking.advance(now=now)
    return counts


def states(**filters):
    return Counter(Message.objects.filter(**filters).values_list("state", flat=True))


def test_every_reachable_person_gets_one_message_and_the_rest_a_reason(actor, now):
    make_channel()
    people = make_people(12)
    ConsentState.objects.filter(customer=people[0]).delete()
    Suppression.objects.create(customer=people[1], reason="opted_out", at=now)
    seventeen = now.date() - timedelta(days=17 * 365)
    Customer.objects.filter(pk=people[2].pk).update(birth_date=seventeen)
    people[3].contact_points.filter(kind="email").delete()
    people[4].contact_points.filter(kind="email").update(status="bounced")
    Customer.objects.filter(pk=people[5].pk).update(marketing_status="dispute")
    Customer.objects.filter(pk=people[6].pk).update(name_sealed=None)
    launched = make_launched(actor, now)
    drain(now)
    reasons = dict(Message.objects.filter(state="skipped").values_list("customer_id", "reason"))
    assert reasons == {
        people[0].pk: "no_consent",
        people[1].pk: "suppressed",
        people[2].pk: "underage",
        people[3].pk: "unreachable",
        people[4].pk: "bounced",
        people[5].pk: "hardship",
        people[6].pk: "missing_variable",
    }
    assert sorted(sent.to for sent in outbox()) == sorted(
        f"p{number}@example.com" for number in range(8, 13)
    )
    assert states(dispatch=launched) == {"sent": 5, "skipped": 7}
    launched.campaign.refresh_from_db()
    assert launched.campaign.status == "completed"


def test_d19_arrears_and_reported_arrears_bar_marketing(actor, now):
    make_channel()
    people = make_people(4)
    day = now.date()
    for person, dpd, status, is_reported in [
        (people[0], 45, "overdue", False),
        (people[1], 0, "overdue", True),
        (people[2], 5, "overdue", False),
    ]:
        Loan.objects.create(
            source="test",
            external_id=str(person.pk),
            customer=person,
            principal_amount=1000,
            term_months=12,
            disbursed_on=day,
            dpd_days=dpd,
            status=status,
            is_state_reported=is_reported,
        )
    launched = make_launched(actor, now)
    drain(now)
    barred = launched.messages.filter(state="skipped", reason="arrears")
    assert set(barred.values_list("customer_id", flat=True)) == {people[0].pk, people[1].pk}
    assert states(dispatch=launched) == {"sent": 2, "skipped": 2}


def test_sent_messages_are_events_and_ledger_entries(actor, now):
    make_channel()
    make_people(7)
    launched = make_launched(actor, now)
    drain(now)
    events = Event.objects.filter(type__name="message_sent")
    assert events.count() == 7
    assert set(events.values_list("subject", "channel")) == {("spring", "email")}
    entry = LedgerEntry.objects.get()
    assert entry.counts == {"sent": 7}
    assert ledger.first_broken_entry(launched.pk) is None
    LedgerEntry.objects.update(counts={"sent": 6})
    assert ledger.first_broken_entry(launched.pk) == entry.pk


def test_control_group_is_the_stable_hash_and_gets_nothing(actor, now):
    make_channel()
    people = make_people(200)
    launched = make_launched(actor, now, holdout_share=0.2)
    drain(now)
    salt = launched.campaign.experiment_salt
    expected = {p.pk for p in people if assignment.is_held_out(salt, p.pk, Decimal("0.2"))}
    held_out = set(Message.objects.filter(state="held_out").values_list("customer_id", flat=True))
    assert held_out == expected
    assert 20 < len(expected) < 60
    assert len(outbox()) == 200 - len(expected)


def test_variants_in_the_table_equal_the_hash_in_python(actor, now):
    make_channel()
    make_people(300)
    content = spec()["content"]
    launched = make_launched(
        actor,
        now,
        variants=[
            {"key": "A", "weight": 3, "content": content},
            {"key": "B", "weight": 1, "content": content},
        ],
        content=None,
    )
    salt = launched.campaign.experiment_salt
    arms = [assignment.Arm("A", 3), assignment.Arm("B", 1)]
    for customer_id, key in launched.messages.values_list("customer_id", "variant__key"):
        assert assignment.assign(salt, customer_id, arms) == key
    counts = Counter(launched.messages.values_list("variant__key", flat=True))
    assert 195 < counts["A"] < 255


def test_a_second_drain_sends_nothing_more(actor, now):
    make_channel()
    make_people(5)
    make_launched(actor, now)
    drain(now)
    drain(now + timedelta(hours=1))
    assert len(outbox()) == 5


def test_two_workers_never_take_the_same_chunk(actor, now):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    ticking.advance(now=now)
    first = chunks.claim(holder="w1", now=now)
    assert first is not None
    assert chunks.claim(holder="w2", now=now) is None
    expire_leases()
    second = chunks.claim(holder="w2", now=now)
    assert second is not None
    assert second.pk == first.pk
    assert not chunks.renew(chunk=first)


def test_marked_messages_of_a_dead_worker_become_unknown_and_are_not_sent_again(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(10)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunk = chunks.claim(holder="dead", now=now)
    taken = list(launched.messages.order_by("pk").values_list("pk", flat=True)[:4])
    Message.objects.filter(pk__in=taken).update(state="sending", attempted_at=now, attempts=1)
    expire_leases()
    dispatch.drain(holder="w2", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    assert chunk is not None
    assert states(dispatch=launched) == {"unknown": 4, "sent": 6}
    status = campaign_status.status_of(launched.campaign)
    assert status.unknown_message_ids == tuple(taken)


def test_marked_messages_are_sent_again_with_the_same_key_where_the_provider_knows_it(actor, now):
    make_channel()
    make_people(3)
    launched = make_launched(actor, now)
    ticking.advance(now=now)
    chunks.claim(holder="dead", now=now)
    message = launched.messages.order_by("pk").first()
    Message.objects.filter(pk=message.pk).update(state="sending", attempted_at=now, attempts=1)
    expire_leases()
    dispatch.drain(holder="w2", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    assert states(dispatch=launched) == {"sent": 3}
    assert (
        Counter(sent.idempotency_key for sent in outbox())[
            message_key(launched.key_space, message.pk)
        ]
        == 1
    )


def test_d10_messages_wait_for_the_sending_window_of_their_persons_zone(actor, now):
    make_channel()
    make_people(2)
    Customer.objects.filter(external_id="p2").update(time_zone="America/New_York")
    launched = make_launched(actor, now)
    drain(now)
    waiting = launched.messages.get(state="planned")
    assert waiting.customer.external_id == "p2"
    assert waiting.reason == "quiet_hours"
    assert waiting.due_at.isoformat() == "2026-03-04T14:00:00+00:00"
    assert Chunk.objects.get().due_at == waiting.due_at
    drain(waiting.due_at)
    assert states(dispatch=launched) == {"sent": 2}


def test_d9_a_frequency_cap_skips_whoever_was_written_to(actor, now):
    make_channel()
    make_people(4)
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    make_launched(actor, now)
    drain(now)
    second = make_launched(actor, now, slug="second")
    drain(now + timedelta(hours=1))
    assert states(dispatch=second) == {"skipped": 4}
    next_day = now + timedelta(hours=24, seconds=1)
    third = make_launched(actor, next_day, slug="third")
    drain(next_day)
    assert states(dispatch=third) == {"sent": 4}


def test_d16_the_budget_is_never_exceeded(actor, now):
    make_channel()
    make_people(10)
    launched = make_launched(actor, now, cost_per_message="0.30", budget_amount="1.00")
    drain(now)
    assert states(dispatch=launched) == {"sent": 3, "skipped": 7}
    assert set(launched.messages.filter(state="skipped").values_list("reason", flat=True)) == {
        "budget"
    }
    launched.campaign.refresh_from_db()
    assert Budget.objects.get().committed_amount == Decimal("0.90")


def test_a_refused_message_gives_its_money_back_and_a_transient_one_is_tried_again(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(3)
    launched = make_launched(actor, now, cost_per_message="0.30", budget_amount="1.00")
    provider = registry.shared(
        name="email-memory", backend="memory", options={"supports_idempotency": False}
    )
    tries = Counter()

    def answer(message):
        tries[message.to] += 1
        if message.to == "p1@example.com":
            return SendResult(message.message_id, SendOutcome.REJECTED, code="5.1.1")
        if message.to == "p2@example.com" and tries[message.to] == 1:
            return SendResult(message.message_id, SendOutcome.RETRY, code="4.2.1")
        return None

    provider.answer = answer
    drain(now)
    assert states(dispatch=launched) == {"failed": 1, "planned": 1, "sent": 1}
    waiting = launched.messages.get(state="planned")
    drain(waiting.due_at)
    assert states(dispatch=launched) == {"failed": 1, "sent": 2}
    launched.campaign.refresh_from_db()
    assert Budget.objects.get().committed_amount == Decimal("0.60")
    refused = ContactPoint.objects.filter(customer__external_id="p1", kind="email").get()
    assert refused.status == "bounced"


def test_g6_a_paused_campaign_sends_nothing_until_resumed(actor, now):
    make_channel()
    make_people(4)
    launched = make_launched(actor, now)
    ticking.pause_campaign(campaign=launched.campaign, actor=actor, now=now)
    drain(now)
    assert states(dispatch=launched) == {"planned": 4}
    ticking.resume_campaign(campaign=launched.campaign, actor=actor, now=now)
    drain(now)
    assert states(dispatch=launched) == {"sent": 4}


def test_g6_a_cancelled_campaign_cancels_what_was_not_sent(actor, now):
    make_channel()
    make_people(4)
    launched = make_launched(actor, now)
    ticking.cancel_campaign(campaign=launched.campaign, actor=actor, now=now)
    drain(now)
    assert states(dispatch=launched) == {"cancelled": 4}
    assert outbox() == []


def test_a_start_that_is_too_late_waits_for_a_person(actor, now):
    make_channel()
    make_people(2)
    launched = make_launched(
        actor, now, schedule={"start_at": now.isoformat(), "late_limit_hours": 1}
    )
    late = now + timedelta(hours=2)
    drain(late)
    launched.refresh_from_db()
    assert (launched.status, launched.hold_reason) == ("held", "late")
    assert outbox() == []
    ticking.resume_campaign(campaign=launched.campaign, actor=actor, now=late)
    drain(late)
    assert states(dispatch=launched) == {"sent": 2}


def test_a_scheduled_campaign_is_frozen_at_launch_and_sent_at_its_time(actor, now):
    make_channel()
    make_people(2)
    start = now + timedelta(hours=3)
    launched = make_launched(actor, now, schedule={"start_at": start.isoformat()})
    make_people(3, prefix="late")
    drain(now)
    assert outbox() == []
    drain(start)
    assert states(dispatch=launched) == {"sent": 2}


def test_the_fallback_serves_those_the_first_channel_did_not_reach_once(actor, now):
    make_channel("sms")
    make_channel()
    people = make_people(6)
    people[0].contact_points.filter(kind="phone").delete()
    ConsentState.objects.filter(customer=people[1], channel="sms").delete()
    ConsentState.objects.filter(customer=people[2]).delete()
    launched = make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=spec()["content"],
        fallback_after_minutes=30,
    )
    drain(now)
    assert Dispatch.objects.count() == 1
    drain(now + timedelta(minutes=31))
    fallback = Dispatch.objects.exclude(pk=launched.pk).get()
    assert states(dispatch=launched) == {"sent": 3, "skipped": 3}
    assert sorted(sent.to for sent in outbox()) == ["p1@example.com", "p2@example.com"]
    assert states(dispatch=fallback) == {"sent": 2, "skipped": 1}
    status = campaign_status.status_of(launched.campaign)
    assert status.audience == 6
    assert sum(status.states.values()) == 6
    assert status.states["sent"] == 5
    launched.campaign.refresh_from_db()
    assert launched.campaign.status == "completed"


def test_a_text_lists_the_products_on_offer_in_its_language(actor, now):
    make_channel()
    make_people(1)
    Product.objects.create(code="a", name_zh="安心借", name_en="Easy loan", max_amount=80_000)
    Product.objects.create(code="b", name_zh="随心还")
    Product.objects.create(code="c", name_zh="停售", is_active=False)
    listed = "{% for product in products %}{{ product.name }} {% endfor %}{{ unsubscribe_url }}"
    content = {"zh-hans": {"subject": "{{ name }}", "text": f"产品：{listed}"}}
    make_launched(actor, now, content=content)
    drain(now)
    sent = email.message_from_bytes(outbox()[0].payload.raw, policy=email.policy.default)
    assert "产品：安心借 随心还 http" in sent.get_body(("plain",)).get_content()


def test_the_number_of_queries_does_not_grow_with_the_audience(
    actor, now, django_assert_num_queries
):
    make_channel()
    make_people(40)
    make_launched(actor, now)
    ticking.advance(now=now)
    lane = Lane(holder="w1", clock=lambda: now, rng=random.Random(1))
    chunk = chunks.claim(holder="w1", now=now)
    dispatch.work_chunk(chunk=chunk, lane=lane)
    make_people(50, prefix="q")
    make_launched(actor, now, slug="second")
    ticking.advance(now=now)
    other = chunks.claim(holder="w1", now=now)

    with CaptureQueriesContext(connection) as captured:
        dispatch.work_chunk(chunk=other, lane=lane)
    assert len(outbox()) == 40 + 90
    assert len(captured) < 60


def test_whether_a_worker_may_send_is_asked_in_one_statement(django_assert_num_queries):
    assert deployment.may_send()
    # Before every chunk: the row and the database's time together.
    with django_assert_num_queries(1):
        assert deployment.may_send()
