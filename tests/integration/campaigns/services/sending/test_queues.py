"""Fair queues: nothing urgent waits behind a slow bulk campaign; later steps begin and end."""

import random
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.models import Campaign, Channel, Chunk, Dispatch, Message, Suppression, Touchpoint
from campaigns.services.campaigns import authoring, launch, ticking
from campaigns.services.sending import chunks, dispatch, freezing, lane
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Lease
from tests.factories.campaigns import SMS, make_channel, make_launched, spec, submit_and_approve
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def provider(slug="email-memory"):
    return registry.shared(name=slug, backend="memory", options={})


def drain(now, **options):
    return dispatch.drain(
        holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60, **options
    )


def test_a9_a_service_message_passes_a_bulk_campaign_of_one_a_second_with_a_single_worker(
    actor, now, monkeypatch
):
    monkeypatch.setattr(freezing, "CHUNK_SIZE", 10)
    make_channel(rate_per_second=1)
    make_channel("sms")
    make_people(40)
    make_launched(actor, now)
    ticking.advance(now=now)
    bulk, service = provider(), provider("sms-memory")
    seen = []

    def launch_service(message):
        seen.append(message)
        if len(seen) == 1:
            make_launched(
                actor, now, slug="code", channel="sms-memory", content=SMS, purpose="service"
            )

    bulk.answer = launch_service
    drain(
        now,
        advance=lambda: ticking.advance(now=now),
        should_stop=lambda: len(service.delivered) == 40 or len(seen) > 10,
    )
    assert len(service.delivered) == 40
    assert len(seen) <= 3


def test_a9_service_goes_before_marketing_and_due_time_before_number(actor, now):
    make_channel()
    make_people(2)
    make_launched(actor, now)
    service = make_launched(actor, now, slug="code", purpose="service")
    ticking.advance(now=now)
    assert chunks.claim(holder="w1", now=now).dispatch_id == service.pk


def test_a9_a_channel_without_a_free_slot_is_not_claimed(actor, now):
    make_channel(rate_per_second=1)
    make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    Channel.objects.update(next_slot_at=Moment(60))
    assert chunks.claim(holder="w1", now=now) is None
    Channel.objects.update(next_slot_at=Moment(-1))
    assert chunks.claim(holder="w1", now=now) is not None


def test_a9_a_wait_for_the_rate_limit_gives_the_chunk_back(actor, now):
    make_channel(rate_per_second=2)
    make_people(9)
    make_launched(actor, now)
    ticking.advance(now=now)
    answered = []

    def crowd(message):
        answered.append(message)
        Channel.objects.update(next_slot_at=Moment(60))

    provider().answer = crowd
    drain(now)
    chunk = Chunk.objects.get()
    assert (chunk.state, chunk.claimed_by, len(answered)) == ("ready", "", 1)
    assert Counter(Message.objects.values_list("state", flat=True)) == {"sent": 1, "planned": 8}


def test_a9_no_more_drains_run_than_workers_are_wanted(actor, now):
    make_channel()
    make_people(2)
    make_launched(actor, now)
    ticking.advance(now=now)
    assert dispatch.leases.claim(name=dispatch.slots(1)[0], holder="other", seconds=60)
    assert drain(now, workers=1) == {}
    dispatch.leases.release(name=dispatch.slots(1)[0], holder="other")
    assert drain(now, workers=1) == {"sent": 2}
    assert dispatch.leases.count_held(names=dispatch.slots(1)) == 0


def test_a9_of_all_workers_one_a_second_starts_what_is_due(actor, now, monkeypatch):
    # A turn is over here when its row says so, however slow the machine is.
    monkeypatch.setattr(ticking, "LOOK_TURN_SECONDS", 600)
    make_channel()
    make_people(2)
    first = make_launched(actor, now)
    ticking.look(holder="w1", now=now)
    second = make_launched(actor, now, slug="second")
    for holder in ("w2", "w1"):
        ticking.look(holder=holder, now=now)
    states = Dispatch.objects.order_by("pk").values_list("status", flat=True)
    assert list(states.filter(pk__in=[first.pk, second.pk])) == ["running", "scheduled"]
    Lease.objects.update(until=Moment(-0.1))
    ticking.look(holder="w2", now=now)
    assert set(states) == {"running"}


def test_a9_a_worker_alone_gets_every_turn():
    assert ticking.LOOK_TURN_SECONDS < lane.LOOK_SECONDS


def test_a5_a_second_ordinary_step_serves_the_launchs_audience_but_who_refused(actor, now):
    make_channel()
    people = make_people(5)
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    first = campaign.steps.get()
    touchpoint = Touchpoint.objects.create(channel=first.channel)
    second = campaign.steps.create(position=2, touchpoint=touchpoint, wait_minutes=0)
    variant = touchpoint.variants.create(key="A", weight=1)
    content = first.touchpoint.variants.get().contents.get()
    content.pk, content.variant = None, variant
    content.save()
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    ticking.advance(now=now)
    drain(now)
    Suppression.objects.create(customer=people[4], reason="opted_out", at=now)
    make_people(2, prefix="late")
    for _round in range(3):
        ticking.advance(now=now)
        drain(now)
    ticking.advance(now=now)
    later = Message.objects.filter(dispatch__step=second)
    assert set(later.values_list("customer_id", flat=True)) == {p.pk for p in people[:4]}
    assert Dispatch.objects.get(step=second).status == "completed"
    assert Campaign.objects.get().status == "completed"


def test_a_tick_asks_as_often_for_five_campaigns_as_for_one(actor, now):
    """Campaigns that wait for reports, for their hour or for their next date cost no query each."""

    def make(number):
        make_launched(
            actor,
            now,
            slug=f"c{number}",
            fallback_channel="email-memory",
            fallback_content="same_as_message",
            fallback_after_minutes=600,
            schedule={"start_at": now.isoformat(), "repeat": {"every": "month"}},
        )

    def queries():
        for _round in range(2):
            ticking.advance(now=now)
            drain(now)
        ticking.advance(now=now)
        with CaptureQueriesContext(connection) as asked:
            ticking.advance(now=now)
        return len(asked)

    make_channel()
    make_people(2)
    make(0)
    alone = queries()
    for number in range(1, 5):
        make(number)
    assert queries() == alone
