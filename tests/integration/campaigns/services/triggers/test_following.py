"""d2: what happens to somebody begins a message, within seconds, once, and only while it should."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from campaigns.models import Campaign, CampaignTrigger, Dispatch, Message
from campaigns.selectors.triggers import listening
from campaigns.services.campaigns import approval, ticking
from campaigns.services.sending import dispatch
from campaigns.services.triggers import following, intake, waves
from customers.models import Customer, Event, EventType
from customers.services.segments import versions
from loancrm.kernel.changes import feed
from loancrm.kernel.database import leases
from tests.factories.campaigns import make_approved, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
START = datetime(2028, 3, 6, 2, tzinfo=UTC)  # ten in the morning of a Monday in Shanghai
EVENT = "application_started"


def minutes(count):
    return START + timedelta(minutes=count)


def waits_for(**values):
    return {"trigger": {"on": "event", "event": EVENT, **values}}


@pytest.fixture
def people():
    make_channel()
    return make_people(4)


def happened(person, at, name=EVENT, *, received_at=None, **columns):
    kind, _made = EventType.objects.get_or_create(name=name)
    return Event.objects.create(
        customer=person,
        type=kind,
        occurred_at=at,
        received_at=received_at or at,
        source="test",
        dedup_key=f"{person.pk}:{name}:{at.isoformat()}:{Event.objects.count()}",
        **columns,
    )


def follow(at, holder="w1"):
    return following.follow(holder=holder, now=at)


def send(at):
    ticking.advance(now=at)
    dispatch.drain(holder="w", clock=lambda: at, rng=random.Random(1), slice_seconds=30)
    ticking.advance(now=at)


def got_it():
    rows = Message.objects.filter(state="sent").order_by("pk")
    return list(rows.values_list("customer__external_id", flat=True))


def reasons():
    rows = CampaignTrigger.objects.order_by("pk")
    return [one.reason or one.state for one in rows]


def launched(actor, **schedule):
    run = make_launched(actor, START, schedule=waits_for(**schedule))
    follow(START)
    send(START)
    return run


def test_d2_launched_it_waits_and_writes_to_nobody(actor, people):
    run = launched(actor)
    send(minutes(60 * 24 * 30))
    run.refresh_from_db()
    campaign = Campaign.objects.get()
    assert (run.audience_count, run.status, campaign.status) == (0, "completed", "running")
    assert not Message.objects.exists()


def test_d2_an_event_is_followed_by_its_message_within_the_round(actor, people):
    launched(actor)
    at = minutes(10)
    happened(people[0], at)
    assert follow(at + timedelta(seconds=2)) == 1
    send(at + timedelta(seconds=2))
    message = Message.objects.get()
    assert got_it() == ["p1"]
    assert message.sent_at - at == timedelta(seconds=2)
    assert message.dispatch.run_number == 2
    assert reasons() == ["enrolled"]


def test_d2_it_waits_as_long_as_it_was_told_to(actor, people):
    launched(actor, delay_minutes=30)
    happened(people[0], minutes(10))
    assert [follow(minutes(count)) for count in (11, 39)] == [0, 0]
    assert follow(minutes(40)) == 1


@pytest.mark.parametrize(
    ("conditions", "columns", "expected"),
    [
        ({"amount_at_least": "100"}, {"amount": 99}, 0),
        ({"amount_at_least": "100"}, {"amount": 100}, 1),
        ({"amount_at_least": "100"}, {}, 0),
        ({"amount_at_most": "100"}, {"amount": 101}, 0),
        ({"channel": "app"}, {"channel": "web"}, 0),
        ({"channel": "app"}, {"channel": "app"}, 1),
        ({"subject": "car"}, {"subject": "car"}, 1),
        ({"subject": "car"}, {"subject": ""}, 0),
    ],
)
def test_d2_conditions_of_the_event_hold(actor, people, conditions, columns, expected):
    launched(actor, **conditions)
    happened(people[0], minutes(1), **columns)
    follow(minutes(2))
    assert CampaignTrigger.objects.count() == expected


def test_d2_other_events_and_other_times_begin_nothing(actor, people):
    happened(people[3], START - timedelta(days=2))
    launched(actor)
    happened(people[0], minutes(1), "app_login")
    happened(people[1], START - timedelta(hours=1), received_at=minutes(1))
    happened(people[2], minutes(1), received_at=minutes(60 * 48))
    follow(minutes(60 * 48))
    send(minutes(60 * 48))
    assert reasons() == ["before_start", "too_late"]
    assert got_it() == []


def test_d2_who_is_not_in_the_segment_is_noted(actor, people):
    Customer.objects.filter(pk=people[0].pk).update(city="成都市")
    rule = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "成都市"}]}
    make_launched(actor, START, segment={"rule": rule}, schedule=waits_for())
    follow(START)
    for person in people[:2]:
        happened(person, minutes(1))
    follow(minutes(2))
    send(minutes(2))
    assert (reasons(), got_it()) == (["enrolled", "not_in_segment"], ["p1"])


def test_d2_who_has_reached_the_goal_during_the_delay_gets_nothing(actor, people):
    launched(actor, delay_minutes=60)
    for person in people[:2]:
        happened(person, minutes(1))
    happened(people[0], minutes(30), "application_submitted")
    happened(people[1], minutes(0), "application_submitted")
    follow(minutes(61))
    send(minutes(61))
    assert (reasons(), got_it()) == (["goal_reached", "enrolled"], ["p2"])


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ({"again": "every_run"}, ["enrolled", "same_person", "enrolled", "enrolled"]),
        ({"again": "never_twice"}, ["enrolled", "same_person", *["in_earlier_run"] * 2]),
        (
            {"again": "not_within_days", "again_after_days": 3},
            ["enrolled", "same_person", "in_earlier_run", "enrolled"],
        ),
    ],
)
def test_d2_whoever_was_in_an_earlier_run_is_in_a_later_one_by_the_rule(
    actor, people, again, expected
):
    launched(actor, **again)
    for at in (0, 1, 2, 4):
        now = minutes(60 * 24 * at)
        happened(people[0], now)
        if at == 0:
            happened(people[0], now)
        if at != 1:
            follow(now)
            send(now)
            continue
        Event.objects.order_by("-pk").first().delete()
    assert reasons() == expected


def test_d2_a_merged_record_speaks_for_the_one_that_survived(actor, people):
    launched(actor, delay_minutes=10)
    happened(people[0], minutes(1))
    follow(minutes(2))
    Customer.objects.filter(pk=people[0].pk).update(merged_into=people[1])
    follow(minutes(12))
    send(minutes(12))
    assert got_it() == ["p2"]


def test_d2_the_control_group_is_enrolled_and_gets_nothing(actor, people):
    make_launched(actor, START, holdout_share=0.5, schedule=waits_for())
    follow(START)
    for person in people:
        happened(person, minutes(1))
    follow(minutes(2))
    send(minutes(2))
    states = set(Message.objects.values_list("is_control", "state"))
    assert states <= {(True, "held_out"), (False, "sent")}
    assert CampaignTrigger.objects.filter(state="enrolled").count() == 4


def test_d2_a_pause_keeps_what_happens_and_an_end_refuses_it(actor, people):
    launched(actor)
    campaign = Campaign.objects.get()
    ticking.pause_campaign(campaign=campaign, actor=actor, now=minutes(1))
    happened(people[0], minutes(2))
    assert follow(minutes(3)) == 0
    assert reasons() == ["waiting"]
    ticking.resume_campaign(campaign=campaign, actor=actor, now=minutes(4))
    assert follow(minutes(5)) == 1
    happened(people[1], minutes(6))
    intake.take_in(holder="w1", now=minutes(6))
    ticking.cancel_campaign(campaign=campaign, actor=actor, now=minutes(7))
    assert follow(minutes(8)) == 0
    assert reasons() == ["enrolled", "campaign_over"]


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "while a run is begun"])
def test_d2_a_changed_rule_behind_the_approved_one_holds_the_runs(
    actor, people, monkeypatch, is_late
):
    Customer.objects.update(city="杭州")
    inner = {"combinator": "and", "rules": [{"field": "city", "operator": "!=", "value": "X"}]}
    segment = versions.create_segment(
        slug="inner", name="inner", rule=inner, actor=actor, now=START
    )
    outer = {
        "combinator": "and",
        "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
    }
    make_launched(actor, START, segment={"rule": outer}, schedule=waits_for())
    follow(START)
    other = {"combinator": "and", "rules": [{"field": "city", "operator": "!=", "value": "Y"}]}

    def publish():
        versions.publish_version(segment=segment, rule=other, actor=actor, now=minutes(1))

    freeze = waves.freeze_first_step

    def publish_and_freeze(**given):
        publish()
        return freeze(**given)

    if is_late:
        monkeypatch.setattr(waves, "freeze_first_step", publish_and_freeze)
    else:
        publish()
    happened(people[0], minutes(2))
    assert follow(minutes(3)) == 0
    assert not Message.objects.exists()
    assert Campaign.objects.get(slug="spring").run_hold_reason == "changed_audience"
    assert reasons() == ["waiting"]


def test_d2_killed_before_the_place_in_the_feed_is_stored_nobody_is_lost_or_doubled(
    actor, people, monkeypatch
):
    launched(actor)
    for person in people:
        happened(person, minutes(1))

    def die(_changes):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(feed, "advance", die)
        with pytest.raises(KeyboardInterrupt):
            follow(minutes(2))
    assert not CampaignTrigger.objects.exists()
    follow(minutes(2))
    send(minutes(2))
    follow(minutes(5))
    send(minutes(5))
    assert got_it() == ["p1", "p2", "p3", "p4"]


def test_d2_killed_while_a_run_is_frozen_nobody_is_lost_or_doubled(actor, people, monkeypatch):
    launched(actor)
    for person in people:
        happened(person, minutes(1))

    def die(*_arguments, **_values):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(waves, "enqueue", die)
        with pytest.raises(KeyboardInterrupt):
            follow(minutes(2))
    assert reasons() == ["waiting"] * 4
    assert Dispatch.objects.count() == 1
    follow(minutes(2))
    send(minutes(2))
    assert got_it() == ["p1", "p2", "p3", "p4"]


def test_d2_who_lost_the_lease_writes_nothing(actor, people):
    launched(actor)
    happened(people[0], minutes(1))
    assert leases.claim(name=intake.LEASE, holder="other", seconds=60)
    assert follow(minutes(2)) == 0
    assert intake.take_in(holder="w1", now=minutes(2)) == 0
    assert not CampaignTrigger.objects.exists()


def test_d2_more_than_the_feed_shows_are_found_all_the_same(actor, people, monkeypatch):
    launched(actor)
    monkeypatch.setattr(feed, "MAX_ROWS", 2)
    for person in people:
        happened(person, minutes(1))
    follow(minutes(2))
    send(minutes(2))
    follow(minutes(5))
    assert got_it() == ["p1", "p2", "p3", "p4"]


def test_d2_counts_say_what_became_of_all(actor, people):
    launched(actor)
    for person in (*people[:2], people[0]):
        happened(person, minutes(1))
    happened(people[3], START - timedelta(hours=1), received_at=minutes(1))
    follow(minutes(2))
    found = listening.counts_of(Campaign.objects.get())
    assert (found.received, found.waiting, found.enrolled) == (4, 0, 2)
    assert found.refused == {"before_start": 1, "same_person": 1}


@pytest.mark.parametrize("others", [1, 5])
def test_d2_a_round_takes_as_many_queries_whatever_the_number_of_people(
    actor, people, others, django_assert_max_num_queries
):
    launched(actor)
    for person in make_people(others * 20, prefix="more"):
        happened(person, minutes(1))
    with django_assert_max_num_queries(75):
        follow(minutes(2))
    assert Message.objects.count() == others * 20


def test_d2_the_end_completes_it(actor, people):
    launched(actor)
    happened(people[0], minutes(2))
    intake.take_in(holder="w1", now=minutes(3))
    # By the database's own clock, which is years before that of these tests.
    Campaign.objects.update(end_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert follow(minutes(4)) == 0
    ticking.advance(now=minutes(4))
    assert (reasons(), Campaign.objects.get().status) == (["campaign_over"], "completed")


def test_d2_two_schedulers_at_the_same_moment_give_a_trigger_one_run(actor, transactional_db):
    make_channel()
    people = make_people(3)
    launched(actor)
    for person in people:
        happened(person, minutes(1))
    intake.take_in(holder="w1", now=minutes(2))
    campaign = Campaign.objects.get()
    barrier, errors = threading.Barrier(2), []

    def schedule():
        try:
            barrier.wait()
            waves.start_run(campaign=campaign, now=minutes(2))
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=schedule) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert sorted(Dispatch.objects.values_list("run_number", flat=True)) == [1, 2]
    assert Message.objects.count() == 3


def test_d2_what_it_waits_for_is_part_of_what_is_approved(actor, people):
    campaign = make_approved(actor, START, schedule=waits_for())
    Campaign.objects.filter(pk=campaign.pk).update(trigger={"on": "event", "event": "app_login"})
    assert not approval.is_approved(Campaign.objects.get(pk=campaign.pk))
