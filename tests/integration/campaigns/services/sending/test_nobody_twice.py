"""Nobody gets twice what one message has told: two records of a person, a step and its fallback."""

import random
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.domain.sending.states import MessageState
from campaigns.models import FrequencyRule, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.services.identity import merging
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def provider():
    options = {"supports_idempotency": False}
    return registry.shared(name="email-memory", backend="memory", options=options)


def drain(now, **options):
    ticking.advance(now=now)
    dispatch.drain(
        holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60.0, **options
    )
    ticking.advance(now=now)


def test_f19_who_had_it_under_the_merged_record_does_not_get_it_again(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_people(12)
    make_launched(actor, now)
    drain(now, should_stop=lambda: len(provider().delivered) >= 5)
    had = Message.objects.filter(state="sent").first()
    waits = Message.objects.filter(state="planned").last()
    merging.merge(actor=actor, kept_id=waits.customer_id, other_id=had.customer_id, now=now)
    drain(now)
    waits.refresh_from_db()
    assert (waits.state, waits.reason) == ("skipped", "already_sent")
    assert len(provider().delivered) == 11


def test_f19_caps_count_what_the_merged_record_had(actor, now):
    FrequencyRule.objects.create(channel="email", window_hours=24, max_count=1)
    make_channel(options={"supports_idempotency": False})
    one, two = make_people(2)
    first = make_launched(actor, now)
    drain(now, should_stop=lambda: len(provider().delivered) >= 2)
    # The kept record was left out of the first campaign, so its row keeps the other's back.
    Message.objects.filter(dispatch=first, customer=two).update(
        state="skipped", sent_at=None, attempted_at=None
    )
    merging.merge(actor=actor, kept_id=two.pk, other_id=one.pk, now=now)
    second = make_launched(actor, now, slug="second")
    drain(now)
    assert list(second.messages.values_list("customer_id", "reason")) == [(two.pk, "frequency_cap")]


def test_b2_whom_the_message_before_reaches_after_all_gets_no_fallback(actor, now):
    make_channel(options={"supports_idempotency": False})
    make_channel("sms")
    people = make_people(3)
    run = make_launched(
        actor,
        now,
        fallback_channel="sms-memory",
        fallback_content=SMS,
        fallback_after_minutes=30,
    )
    drain(now)
    run.messages.update(state=MessageState.BOUNCED)
    later = now + timedelta(minutes=31)
    ticking.advance(now=later)
    # The relay had it in its queue: a report that came after the fallback was frozen.
    run.messages.filter(customer=people[1]).update(state=MessageState.DELIVERED)
    drain(later)
    fallback = Message.objects.exclude(dispatch=run).order_by("customer_id")
    assert list(fallback.values_list("state", "reason")) == [
        ("sent", ""),
        ("skipped", "already_sent"),
        ("sent", ""),
    ]
