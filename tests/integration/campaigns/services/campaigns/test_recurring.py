"""d1: a campaign runs again by its calendar: on the right days, once each, with whom it should."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from django.contrib.auth.models import User
from django.db import connection

from campaigns.admin import course_texts
from campaigns.models import CalendarDay, Campaign, Channel, Dispatch, Message
from campaigns.selectors.campaigns import live_progress, open_work, status
from campaigns.selectors.sending import message_plan
from campaigns.services.campaigns import approval, dead_letters, plans, recurring, ticking
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from campaigns.services.channels import sending_confirmation
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel.access import user_actor
from loancrm.kernel.auditing.deployment import HeldReason
from tests.factories.campaigns import make_approved, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2028, 1, 3, 10, tzinfo=ZONE)  # a Monday of a leap year


def repeat(**values):
    return {"start_at": START.isoformat(), "repeat": {"every": "week", **values}}


@pytest.fixture
def people():
    make_channel()
    return make_people(3)


def sent(run, at):
    """Let a run be over, with everybody written to."""
    run.messages.filter(state="planned").update(state="sent", sent_at=at, attempted_at=at)
    run.chunks.update(state="done")
    Dispatch.objects.filter(pk=run.pk).update(status="completed", completed_at=at)


def live_through(first, last):
    """Tick at 10:05 of every day, twice; return the local dates on which runs were due."""
    day = first
    while day <= last:
        now = datetime(day.year, day.month, day.day, 10, 5, tzinfo=ZONE).astimezone(UTC)
        for _scheduler in range(2):
            ticking.advance(now=now)
        for run in Dispatch.objects.filter(status="running"):
            sent(run, now)
        day += timedelta(days=1)
    runs = Dispatch.objects.order_by("run_number")
    return [run.due_at.astimezone(ZONE).date() for run in runs]


def test_d1_a_leap_year_of_mondays_with_a_calendar_that_changes(actor, people, settings):
    """Equal to the Mondays, but for one day off that was announced in the middle of the year."""
    settings.LOANCRM_COUNTRY = "CN"
    make_launched(actor, START, schedule=repeat(holidays="skip"))
    live_through(date(2028, 1, 3), date(2028, 6, 30))
    CalendarDay.objects.create(day=date(2028, 7, 10), is_workday=False, name="机构休息日")
    found = live_through(date(2028, 7, 1), date(2029, 1, 5))
    mondays = [date(2028, 1, 3) + timedelta(weeks=week) for week in range(53)]
    known = holidays.country_holidays("CN")
    assert date(2028, 5, 1) in known
    assert found == [day for day in mondays if day not in known and day != date(2028, 7, 10)]
    numbers = list(Dispatch.objects.order_by("run_number").values_list("run_number", flat=True))
    assert numbers == list(range(1, len(found) + 1))


def test_d1_two_schedulers_at_the_same_moment_start_one_run(actor, transactional_db):
    make_channel()
    make_people(3)
    first_run(actor)
    later = START + timedelta(days=7, minutes=1)
    campaign = Campaign.objects.get()
    barrier, errors = threading.Barrier(2), []

    def schedule():
        try:
            barrier.wait()
            recurring.start_run(campaign=campaign, now=later)
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
    assert Message.objects.filter(dispatch__run_number=2).count() == 3


@pytest.mark.parametrize(
    ("again", "days", "expected"),
    [
        ("every_run", 30, [3, 4, 4]),
        ("never_twice", 30, [3, 1, 0]),
        ("not_within_days", 10, [3, 1, 3]),
    ],
)
def test_d1_whoever_was_in_an_earlier_run_is_in_a_later_one_by_the_rule(
    actor, people, again, days, expected
):
    make_launched(actor, START, schedule=repeat(again=again, again_after_days=days))
    newcomers = [()]
    for week in range(3):
        now = START + timedelta(weeks=week, minutes=1)
        if week == 1:
            newcomers.append(make_people(1, prefix="new"))
        ticking.advance(now=now)
        for run in Dispatch.objects.filter(status="running"):
            sent(run, now)
    runs = Dispatch.objects.order_by("run_number")
    assert [run.messages.count() for run in runs] == expected


def test_d1_of_two_records_of_one_person_the_other_is_not_written_to_again(actor, people):
    make_launched(actor, START, schedule=repeat(again="never_twice"))
    ticking.advance(now=START)
    sent(Dispatch.objects.get(), START)
    old, new = people[0], make_people(1, prefix="new")[0]
    type(old).objects.filter(pk=old.pk).update(merged_into=new)
    ticking.advance(now=START + timedelta(days=7))
    assert not Message.objects.filter(dispatch__run_number=2).exists()


def test_d1_a_pause_starts_nothing_and_what_was_missed_is_run_once(actor, people):
    make_launched(actor, START, schedule=repeat(catch_up="latest"))
    ticking.advance(now=START)
    sent(Dispatch.objects.get(), START)
    campaign = Campaign.objects.get()
    ticking.pause_campaign(campaign=campaign, actor=actor, now=START)
    much_later = START + timedelta(days=24)
    ticking.advance(now=much_later)
    assert Dispatch.objects.count() == 1
    ticking.resume_campaign(campaign=campaign, actor=actor, now=much_later)
    for _round in range(3):
        ticking.advance(now=much_later)
    second = Dispatch.objects.get(run_number=2)
    assert second.due_at == much_later
    assert second.status == "running"
    campaign.refresh_from_db()
    assert (campaign.status, campaign.next_run_at) == ("running", START + timedelta(days=28))


def test_d1_a_campaign_is_complete_when_its_calendar_is_over(actor, people):
    make_launched(actor, START, schedule=repeat(until="2028-01-10"))
    for week in range(3):
        now = START + timedelta(weeks=week, minutes=1)
        ticking.advance(now=now)
        for run in Dispatch.objects.filter(status="running"):
            sent(run, now)
        ticking.advance(now=now)
        is_over = Campaign.objects.get().status == "completed"
        assert is_over == (week >= 1)
    assert Dispatch.objects.count() == 2


def test_d1_the_first_run_is_the_first_date_of_the_calendar(actor, people):
    run = make_launched(actor, START, schedule=repeat(weekdays=["wed", "fri"]))
    assert run.due_at == START + timedelta(days=2)
    assert Campaign.objects.get().next_run_at == START + timedelta(days=4)
    campaign = make_approved(actor, START, slug="over", schedule=repeat(until="2027-12-31"))
    with pytest.raises(CampaignNotReady):
        recurring.first_due(campaign, START)


def week(number, **more):
    return START + timedelta(weeks=number, minutes=1, **more)


def first_run(actor, **changes):
    """Launch, and let the first message of the first run be over."""
    changes.setdefault("schedule", repeat())
    make_launched(actor, START, **changes)
    ticking.advance(now=week(0))
    run = Dispatch.objects.get()
    sent(run, week(0))
    return run


FALLBACK = {
    "channel": "email-memory",
    "fallback_channel": "email-memory",
    "fallback_content": "same_as_message",
    "fallback_after_minutes": 30,
}


def test_a_rule_behind_the_approved_one_that_changed_lets_nobody_be_chosen(actor, people):
    versions.create_segment(
        slug="inner", name="inner", rule={"combinator": "and", "rules": []}, actor=actor, now=START
    )
    nested = {"field": "segment", "operator": "=", "value": "inner"}
    rule = {"combinator": "and", "rules": [nested]}
    first_run(actor, segment={"slug": "outer", "rule": rule})
    inner = Segment.objects.get(slug="inner").current_version
    type(inner).objects.filter(pk=inner.pk).update(
        rule={"combinator": "or", "rules": [{"field": "city", "operator": "=", "value": "上海"}]}
    )
    for _round in range(3):
        ticking.advance(now=week(1))
    campaign = Campaign.objects.get()
    assert (campaign.run_hold_reason, Dispatch.objects.count()) == ("changed_audience", 1)
    ticking.resume_campaign(campaign=campaign, actor=actor, now=week(1))
    campaign.refresh_from_db()
    assert campaign.run_hold_reason == ""


def test_a_price_or_a_newer_rule_does_not_end_a_campaign_and_is_not_used(actor, people):
    run = first_run(actor)
    Channel.objects.update(cost_per_part=9)
    versions.publish_version(
        segment=Campaign.objects.get().segment,
        rule={"combinator": "or", "rules": [{"field": "city", "operator": "=", "value": "上海"}]},
        actor=actor,
        now=week(0),
    )
    ticking.advance(now=week(1))
    second = Dispatch.objects.get(run_number=2)
    assert (second.unit_cost, second.messages.count()) == (run.unit_cost, 3)


def test_a_run_that_cannot_begin_is_held_once_and_shown(actor, people, monkeypatch):
    first_run(actor)
    with monkeypatch.context() as broken:
        broken.setattr(recurring, "freeze_first_step", lambda **_values: 1 / 0)
        ticking.advance(now=week(1))
    campaign = Campaign.objects.get()
    assert campaign.run_hold_reason == "run_fails"
    assert not recurring.due(week(1))
    assert course_texts.stops(campaign, actor, [])[0]["held"]
    ticking.resume_campaign(campaign=campaign, actor=actor, now=week(1))
    ticking.advance(now=week(1))
    assert Dispatch.objects.filter(run_number=2).exists()


def test_no_run_begins_beside_another(actor, people):
    """Not beside one that is held, nor while its fallback waits: nobody is in two at a time."""
    run = first_run(actor, schedule=repeat(every="day"), **FALLBACK)
    run.messages.update(state="failed", reason="channel_refused")
    for day in (1, 2, 3):
        ticking.advance(now=week(0) + timedelta(days=day, minutes=-25))
    assert set(Dispatch.objects.values_list("run_number", flat=True)) == {1}
    fallback = Dispatch.objects.get(position=2)
    Dispatch.objects.filter(pk=fallback.pk).update(status="held", hold_reason="work_fails")
    ticking.advance(now=week(0) + timedelta(days=4))
    assert Dispatch.objects.count() == 2
    sent(fallback, week(0))
    ticking.advance(now=week(0) + timedelta(days=5))
    assert Dispatch.objects.get(run_number=2).due_at == START + timedelta(days=5)
    assert run.run_number == 1


def test_the_last_runs_fallback_takes_place_before_the_campaign_is_complete(actor, people):
    first_run(actor, schedule=repeat(until="2028-01-10"), **FALLBACK)
    ticking.advance(now=week(0, hours=1))
    sent(Dispatch.objects.get(position=2), week(0, hours=1))
    ticking.advance(now=week(1))
    last = Dispatch.objects.get(run_number=2)
    sent(last, week(1))
    last.messages.update(state="failed", reason="channel_refused")
    ticking.advance(now=week(1))
    assert Campaign.objects.get().status == "running"
    ticking.advance(now=week(1, hours=1))
    assert Dispatch.objects.get(run_number=2, position=2).audience_count == 3


@pytest.mark.parametrize("catch_up", ["latest", "all"])
def test_what_is_caught_up_is_not_held_as_late(actor, people, catch_up):
    first_run(actor, schedule=repeat(catch_up=catch_up))
    expected = {"latest": 1, "all": 3}[catch_up]
    for _run in range(5):
        for _round in range(2):
            ticking.advance(now=week(3))
        for run in Dispatch.objects.filter(status="running"):
            sent(run, week(3))
    runs = Dispatch.objects.exclude(run_number=1)
    assert [run.status for run in runs] == ["completed"] * expected
    assert Campaign.objects.get().next_run_at == START + timedelta(weeks=4)


def test_dates_before_the_launch_are_nobodys(actor, people):
    run = make_launched(actor, week(3, days=2), schedule=repeat())
    assert run.due_at == START + timedelta(weeks=4)
    assert Campaign.objects.get().next_run_at == START + timedelta(weeks=5)


def test_whom_only_the_fallback_reached_is_not_written_to_again(actor, people):
    run = first_run(actor, schedule=repeat(again="never_twice"), **FALLBACK)
    run.messages.update(state="failed", reason="channel_refused")
    ticking.advance(now=week(0, hours=1))
    sent(Dispatch.objects.get(position=2), week(0, hours=1))
    ticking.advance(now=week(1))
    assert Dispatch.objects.get(run_number=2, position=1).audience_count == 0


def test_whom_a_bounce_did_not_reach_is_and_the_control_group_is_not(actor, people):
    run = first_run(actor, schedule=repeat(again="never_twice"))
    first, second, _third = people
    run.messages.filter(customer=first).update(state="bounced")
    run.messages.filter(customer=second).update(state="held_out", is_control=True)
    ticking.advance(now=week(1))
    assert [m.customer_id for m in Message.objects.filter(dispatch__run_number=2)] == [first.pk]


def test_seven_days_apart_is_not_within_seven_days(actor, people):
    run = first_run(actor, schedule=repeat(again="not_within_days", again_after_days=7))
    run.messages.update(attempted_at=week(0, hours=5))
    ticking.advance(now=week(1))
    assert Dispatch.objects.get(run_number=2).audience_count == 3


def test_a_refusal_in_one_run_counts_in_the_next(actor, people):
    run = first_run(actor)
    second = plans.plan_run(
        campaign=run.campaign, step=run.step, first=run, due_at=week(1), now=week(1)
    )
    assert message_plan.plan_of(second, now=week(1)).refusals_since == run.frozen_at


def test_a_copy_or_a_restored_database_begins_no_run(actor, people, monkeypatch):
    first_run(actor)
    monkeypatch.setattr(sending_confirmation.deployment, "held_reason", lambda: HeldReason.RESTORED)
    boss = User.objects.create_superuser("boss")
    waiting = sending_confirmation.confirm_sending(
        is_copy=True, actor=user_actor(boss), now=week(0)
    )
    monkeypatch.undo()
    assert waiting == 1
    ticking.advance(now=week(1))
    assert Dispatch.objects.count() == 1
    assert Campaign.objects.get().run_hold_reason == "restored"


def test_a_campaign_between_two_runs_is_open_work(actor, people):
    first_run(actor)
    assert open_work.exists()
    ticking.cancel_campaign(campaign=Campaign.objects.get(), actor=actor, now=week(0))
    assert not open_work.exists()
    assert Campaign.objects.get().next_run_at is None


def test_interrupted_messages_of_an_old_run_are_not_sent_to_whom_a_later_run_has_served(
    actor, people
):
    run = first_run(actor)
    run.messages.update(state="failed", reason="crashed")
    assert dead_letters.of_campaign(run.campaign).count() == 3
    ticking.advance(now=week(1))
    assert dead_letters.of_campaign(run.campaign).count() == 0


def test_pages_show_the_newest_run_and_count_nobody_twice(actor, people):
    run = first_run(actor)
    ticking.advance(now=week(1))
    found = status.status_of(run.campaign)
    assert (found.audience, len(found.dispatches)) == (3, 1)
    assert live_progress.finished_shares([run.campaign])[run.campaign_id] == (0, 3)


def test_a_release_on_a_stale_row_does_not_end_a_pause(actor, people):
    run = make_launched(actor, START)
    ticking.advance(now=week(0))
    Dispatch.objects.update(status="held", hold_reason="work_fails")
    read_before = Campaign.objects.get()
    ticking.pause_campaign(campaign=Campaign.objects.get(), actor=actor, now=week(0))
    ticking.resume_campaign(campaign=read_before, actor=actor, now=week(0))
    run.refresh_from_db()
    assert (Campaign.objects.get().status, run.status, run.is_paused) == ("paused", "running", True)
    ticking.resume_campaign(campaign=Campaign.objects.get(), actor=actor, now=week(0))
    run.refresh_from_db()
    assert run.is_paused is False


def test_the_calendar_is_part_of_what_is_approved(actor, people):
    campaign = make_approved(actor, START, schedule=repeat())
    assert approval.is_approved(campaign)
    Campaign.objects.update(recurrence={**campaign.recurrence, "interval": 2})
    assert not approval.is_approved(campaign)


def test_a_fallback_follows_in_every_run(actor, people, now):
    make_channel("sms")
    make_launched(
        actor,
        START,
        schedule=repeat(),
        channel="email-memory",
        fallback_channel="email-memory",
        fallback_content="same_as_message",
        fallback_after_minutes=30,
    )
    for week in range(2):
        at = START + timedelta(weeks=week, minutes=1)
        ticking.advance(now=at)
        run = Dispatch.objects.get(run_number=week + 1, position=1)
        sent(run, at)
        run.messages.update(state="failed", reason="channel_refused")
        ticking.advance(now=at + timedelta(minutes=31))
        fallback = Dispatch.objects.get(run_number=week + 1, position=2)
        assert (fallback.before, fallback.messages.count()) == (run, 3)
        sent(fallback, at)
