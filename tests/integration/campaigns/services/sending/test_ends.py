"""d24: a campaign ends, whatever stands in between; who has reached the goal is left alone."""

from collections import Counter
from datetime import timedelta

import pytest

from campaigns import labels
from campaigns.channels import registry
from campaigns.models import Campaign, Channel, Dispatch, Enrolment, Message
from campaigns.selectors.campaigns import approved_state
from campaigns.services.campaigns import authoring, dead_letters, launch, ticking
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from customers.models import Customer, Event, EventType, Product
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.shared_clock import Moment
from tests.factories.campaigns import (
    EMAIL,
    SMS,
    end_pauses,
    make_approved,
    make_channel,
    make_launched,
    spec,
)
from tests.factories.people import make_people
from tests.integration.campaigns.services.campaigns.test_recurring import (
    START,
    live_through,
    repeat,
)
from tests.integration.campaigns.services.sending.test_marks import drain, meanwhile, provider

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
GOAL = "application_submitted"


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def in_an_hour():
    return {"end_at": (shared_clock.now() + timedelta(hours=1)).isoformat()}


def let_it_end():
    """Let the end of everything that has one be a second ago, by the database's clock."""
    Campaign.objects.filter(end_at__isnull=False).update(end_at=Moment(-1))
    Dispatch.objects.filter(ends_at__isnull=False).update(ends_at=Moment(-1))


def fates(run):
    return Counter(run.messages.values_list("state", "reason"))


def delivered():
    return {sent.to for sent in provider(supports_idempotency=False).delivered}


def submitted(person, at, name=GOAL):
    kind, _new = EventType.objects.get_or_create(name=name)
    return Event.objects.create(
        customer=person,
        type=kind,
        occurred_at=at,
        received_at=at,
        source="core",
        dedup_key=f"{name} {person.pk} {at}",
    )


@pytest.fixture
def people():
    make_channel(options={"supports_idempotency": False})
    return make_people(12)


def test_d24_an_end_inside_a_providers_outage_lets_nothing_out_later(actor, now, people):
    run = make_launched(actor, now, schedule=in_an_hour())
    assert run.ends_at == run.campaign.end_at
    Channel.objects.update(paused_until=Moment(3600))
    drain(lambda: now)
    assert fates(run) == {("planned", ""): 12}
    let_it_end()
    end_pauses()
    drain(lambda: now)
    assert fates(run) == {("skipped", "expired"): 12}
    assert delivered() == set()
    run.campaign.refresh_from_db()
    assert run.campaign.status == "completed"
    assert not run.chunks.exclude(state="done").exists()
    assert str(labels.message_reason("expired")) != "expired"


def test_d24_the_end_is_asked_right_at_the_mark(actor, now, monkeypatch, people):
    run = make_launched(actor, now, schedule=in_an_hour())
    meanwhile(monkeypatch, people[0], let_it_end)
    drain(lambda: now)
    assert delivered() == set()
    assert fates(run) == {("skipped", "expired"): 12}


@pytest.mark.parametrize("off", [timedelta(hours=-9000), timedelta(hours=9000)])
def test_f8_a_workers_clock_that_is_wrong_neither_ends_nor_prolongs(actor, now, people, off):
    run = make_launched(actor, now, schedule=in_an_hour())
    Dispatch.objects.update(due_at=now + off, late_limit_hours=30000)
    run.chunks.update(due_at=now + off)
    drain(lambda: now + off)
    assert fates(run) == {("sent", ""): 12}


def test_d24_what_is_resumed_after_its_end_sends_nothing(actor, now, people):
    run = make_launched(actor, now, schedule=in_an_hour())
    ticking.pause_campaign(campaign=run.campaign, actor=actor, now=now)
    let_it_end()
    drain(lambda: now)
    assert fates(run) == {("planned", ""): 12}
    ticking.resume_campaign(campaign=run.campaign, actor=actor, now=now)
    drain(lambda: now)
    assert (fates(run), delivered()) == ({("skipped", "expired"): 12}, set())
    run.campaign.refresh_from_db()
    assert run.campaign.status == "completed"


@pytest.mark.parametrize("status", ["held", "scheduled"])
def test_d24_what_never_began_or_waits_for_a_person_ends_too(actor, now, people, status):
    run = make_launched(actor, now, schedule=in_an_hour())
    Dispatch.objects.update(status=status, hold_reason="late", due_at=now + timedelta(days=1))
    let_it_end()
    drain(lambda: now)
    run.refresh_from_db()
    assert (run.status, run.hold_reason) == ("completed", "")
    assert fates(run) == {("skipped", "expired"): 12}
    run.campaign.refresh_from_db()
    assert run.campaign.status == "completed"


def test_d24_interrupted_messages_are_not_tried_again_after_the_end(actor, now, people):
    run = make_launched(actor, now, schedule=in_an_hour())
    drain(lambda: now)
    run.messages.update(state="failed", reason="crashed", sent_at=None)
    run.messages.filter(customer=people[0]).update(state="skipped", reason="render_error")
    let_it_end()
    before = delivered()
    if dead_letters.of_campaign(run.campaign).exists():
        dead_letters.retry(campaign=run.campaign, actor=actor, now=now)
    drain(lambda: now)
    assert delivered() == before
    assert not run.messages.filter(state="planned").exists()


def test_d24_a_fallback_does_not_begin_after_the_end(actor, now, people):
    make_channel("sms")
    run = make_launched(
        actor, now, schedule=in_an_hour(), fallback_channel="sms-memory", fallback_content=SMS
    )
    drain(lambda: now)
    Message.objects.update(state="failed", reason="channel_refused")
    let_it_end()
    drain(lambda: now + timedelta(hours=2))
    assert Dispatch.objects.count() == 1
    run.campaign.refresh_from_db()
    assert run.campaign.status == "completed"
    assert set(Enrolment.objects.values_list("leave_reason", flat=True)) == {"over"}


def test_d24_a_recurring_campaign_runs_until_its_end(actor, people):
    end = {"end_at": (START + timedelta(days=8)).isoformat()}
    run = make_launched(actor, START, schedule=repeat() | end)
    found = live_through(START.date(), (START + timedelta(days=30)).date())
    assert found == [START.date(), (START + timedelta(days=7)).date()]
    run.campaign.refresh_from_db()
    assert run.campaign.status == "completed"


def test_d24_a_run_that_is_due_does_not_begin_after_the_end(actor, people):
    end = {"end_at": (START + timedelta(days=8)).isoformat()}
    run = make_launched(actor, START, schedule=repeat() | end)
    live_through(START.date(), START.date())
    let_it_end()
    ticking.advance(now=START + timedelta(days=7, minutes=5))
    assert Dispatch.objects.count() == 1
    run.campaign.refresh_from_db()
    assert (run.campaign.status, run.campaign.next_run_at) == ("completed", None)


LISTED = "{% for p in products %}{{ p.name }}{% endfor %}"
PRODUCTS = {
    "zh-hans": {**EMAIL["zh-hans"], "text": f"{{{{ name }}}}：{LISTED} {{{{ unsubscribe_url }}}}"}
}


def test_d24_a_message_that_lists_products_ends_with_the_first_of_them(actor, now, people):
    ends = shared_clock.now() + timedelta(hours=2)
    for code, until in (("a", ends), ("b", ends + timedelta(days=1)), ("c", None)):
        Product.objects.create(code=code, name_zh=code, offered_until=until)
    run = make_launched(actor, now, content=PRODUCTS)
    assert run.ends_at == ends
    let_it_end()
    drain(lambda: now)
    assert fates(run) == {("skipped", "expired"): 12}


def test_f96_an_offer_that_ends_earlier_than_approved_holds_the_campaign(actor, now, people):
    product = Product.objects.create(
        code="a", name_zh="a", offered_until=shared_clock.now() + timedelta(hours=2)
    )
    run = make_launched(actor, now, content=PRODUCTS)
    product.offered_until = shared_clock.now() + timedelta(hours=1)
    product.save()
    drain(lambda: now)
    run.refresh_from_db()
    assert (run.hold_reason, delivered()) == ("changed_constants", set())


def test_f96_the_end_and_the_goal_are_part_of_what_is_approved(actor, now, people):
    campaign = authoring.create_campaign(source=spec(schedule=in_an_hour()), actor=actor, now=now)
    before = approved_state.parts_of(campaign)
    authoring.update_campaign(
        campaign=campaign,
        changes={"end_at": shared_clock.now() + timedelta(days=3), "stops_at_goal": False},
        actor=actor,
        now=now,
    )
    after = approved_state.parts_of(Campaign.objects.get())
    assert {part for part, digest in before.items() if after[part] != digest} == {
        "schedule",
        "terms",
    }


def test_d24_a_campaign_whose_end_has_passed_is_not_launched(actor, now, people):
    campaign = make_approved(actor, now, schedule={"end_at": now.isoformat()})
    with pytest.raises(CampaignNotReady):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)


def test_d24_an_end_before_the_start_is_refused(actor, now, people):
    times = {"start_at": now.isoformat(), "end_at": now.isoformat()}
    with pytest.raises(CampaignRefused) as refusal:
        make_approved(actor, now, schedule=times)
    assert [path for path, _code in refusal.value.facts["problems"]] == ["schedule.end_at"]


def test_d24_who_reaches_the_goal_between_freeze_and_send_gets_no_message(actor, now, people):
    run = make_launched(actor, now)
    assert run.goal_since == now
    submitted(people[3], now - timedelta(minutes=1))
    submitted(people[4], now + timedelta(minutes=1))
    submitted(people[5], now + timedelta(minutes=1), name="app_login")
    drain(lambda: now + timedelta(minutes=2))
    assert fates(run) == {("sent", ""): 11, ("skipped", "goal_reached"): 1}
    assert run.messages.get(customer=people[4]).reason == "goal_reached"


def test_d24_the_goal_is_asked_right_at_the_mark(actor, now, monkeypatch, people):
    run = make_launched(actor, now)
    meanwhile(monkeypatch, people[7], lambda: submitted(people[7], now))
    drain(lambda: now)
    assert len(delivered()) == 11
    assert "p8@example.com" not in delivered()
    assert run.messages.get(customer=people[7]).reason == "goal_reached"


def test_d24_the_goal_of_a_merged_record_is_the_persons(actor, now, people):
    run = make_launched(actor, now, segment={"rule": {"combinator": "and", "rules": []}})
    submitted(people[0], now)
    Customer.objects.filter(pk=people[0].pk).update(merged_into=people[1])
    run.messages.filter(customer=people[0]).delete()
    drain(lambda: now)
    assert run.messages.get(customer=people[1]).reason == "goal_reached"


def test_d24_a_goal_reached_after_the_first_message_spares_the_fallback(actor, now, people):
    make_channel("sms")
    run = make_launched(actor, now, fallback_channel="sms-memory", fallback_content=SMS)
    drain(lambda: now)
    run.messages.update(state="failed", reason="channel_refused")
    submitted(people[2], now + timedelta(minutes=5))
    drain(lambda: now + timedelta(hours=2))
    second = Dispatch.objects.get(position=2)
    assert second.goal_since == now
    assert fates(second) == {("sent", ""): 11, ("skipped", "goal_reached"): 1}


def test_d24_each_run_asks_for_the_goal_anew(actor, people):
    run = make_launched(actor, START, schedule=repeat())
    submitted(people[0], START + timedelta(days=1))
    live_through(START.date(), (START + timedelta(days=7)).date())
    assert Dispatch.objects.get(run_number=2).goal_since > run.goal_since


def test_d24_a_campaign_may_go_on_after_the_goal(actor, now, people):
    goal = {"event": GOAL, "window_days": 7, "stops_messages": False}
    run = make_launched(actor, now, goal=goal)
    submitted(people[4], now)
    drain(lambda: now)
    assert fates(run) == {("sent", ""): 12}


def test_d24_service_messages_go_on_unless_it_is_said(actor, now, people):
    run = make_launched(actor, now, purpose="service")
    assert (run.campaign.stops_at_goal, run.goal_since) == (False, None)


def test_f75_a_campaign_whose_people_have_all_reached_the_goal_completes(actor, now, people):
    run = make_launched(actor, now)
    for person in people:
        submitted(person, now)
    drain(lambda: now)
    run.campaign.refresh_from_db()
    assert (run.campaign.status, fates(run)) == ("completed", {("skipped", "goal_reached"): 12})
