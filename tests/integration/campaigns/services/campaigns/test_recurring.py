"""d1: a campaign runs again by its calendar: on the right days, once each, with whom it should."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from django.db import connection

from campaigns.models import CalendarDay, Campaign, Dispatch, Message
from campaigns.services.campaigns import approval, recurring, ticking
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
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
    make_launched(actor, START, schedule=repeat())
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
    assert second.due_at == START + timedelta(days=21)
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


def test_what_changed_after_the_approval_runs_no_more_and_is_shown(actor, people):
    make_launched(actor, START, schedule=repeat())
    ticking.advance(now=START)
    sent(Dispatch.objects.get(), START)
    Campaign.objects.update(goal_event="loan_disbursed")
    for _round in range(3):
        ticking.advance(now=START + timedelta(days=7, minutes=1))
    run = Dispatch.objects.get()
    assert (run.status, run.hold_reason) == ("held", "next_step_fails")


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
