"""Whom a campaign leaves out of its segment."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns.models import Campaign, CampaignTag, Dispatch, Message
from campaigns.services.campaigns import approval, authoring, forecasts, launch, recurring
from campaigns.services.campaigns.audience import choosing
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.campaigns.rehearsal import dry_runs
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from customers.domain.events.event import EventName
from customers.models import Customer, Event, EventType, Segment
from customers.services.segments import versions
from loancrm.kernel.access import Actor
from tests.factories.campaigns import make_approved, make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def rule_of(city: str) -> dict[str, Any]:
    return {
        "combinator": "and",
        "rules": [{"field": "city", "operator": "=", "value": city}],
    }


def happened(person: Customer, name: EventName, at: datetime) -> None:
    kind, _made = EventType.objects.get_or_create(name=name)
    Event.objects.create(
        customer=person, type=kind, occurred_at=at, received_at=at, dedup_key=f"{name}{person.pk}"
    )


def make_segment(actor: Actor, now: datetime, city: str = "成都") -> Segment:
    return versions.create_segment(
        slug="left-out", name="Left out", rule=rule_of(city), actor=actor, now=now
    )


def frozen() -> set[int]:
    return set(Message.objects.values_list("customer_id", flat=True))


def test_d14_nobody_of_a_segment_that_is_left_out_is_contacted(actor: Actor, now: datetime) -> None:
    people = make_people(6)
    Customer.objects.update(city="北京")
    Customer.objects.filter(pk__in=[people[0].pk, people[1].pk]).update(city="成都")
    make_channel()
    make_segment(actor, now)
    dispatch = make_launched(actor, now, exclude={"segments": ["left-out"]})
    assert frozen() == {person.pk for person in people[2:]}
    assert dispatch.excluded_counts == {"excluded_segment": 2}
    assert dispatch.audience_count == 4


def test_d14_everybody_left_out_is_counted_once_by_the_first_reason(
    actor: Actor, now: datetime
) -> None:
    people = make_people(8)
    make_channel()
    before = make_launched(actor, now, slug="before")
    Message.objects.exclude(customer_id__in=[people[0].pk, people[1].pk]).delete()
    Message.objects.update(state="sent", attempted_at=now - timedelta(days=2))
    Message.objects.filter(customer=people[1]).update(attempted_at=now - timedelta(days=9))
    assert before.campaign is not None
    for person, name, days in (
        (people[0], EventName.APPLICATION_SUBMITTED, 1),
        (people[2], EventName.APPLICATION_SUBMITTED, 3),
        (people[3], EventName.APPLICATION_SUBMITTED, 40),
        (people[4], EventName.CALL_MADE, 5),
        (people[5], EventName.CALL_MADE, 11),
    ):
        happened(person, name, now - timedelta(days=days))
    exclude = {
        "campaigns": ["before"],
        "messaged_days": 7,
        "applied_days": 30,
        "called_days": 10,
    }
    campaign = make_approved(actor, now, slug="after", exclude=exclude)
    told = forecasts.forecast(campaign=campaign, actor=actor, now=now)
    dispatch = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    counts = {"messaged_lately": 1, "applied_lately": 1, "called_lately": 1}
    assert dispatch.excluded_counts == told.excluded == counts
    assert told.segment == 8 == dispatch.audience_count + sum(counts.values())
    left = set(Message.objects.filter(dispatch=dispatch).values_list("customer_id", flat=True))
    assert left == {people[i].pk for i in (1, 3, 5, 6, 7)}


def test_d14_messages_of_a_merged_record_and_of_a_tag_count(actor: Actor, now: datetime) -> None:
    people = make_people(4)
    make_channel()
    before = make_launched(actor, now, slug="before")
    assert before.campaign is not None
    CampaignTag.objects.create(campaign=before.campaign, name="spring")
    Message.objects.exclude(customer=people[0]).delete()
    Message.objects.update(state="delivered", attempted_at=now)
    Customer.objects.filter(pk=people[0].pk).update(merged_into=people[1])
    campaign = make_approved(actor, now, slug="after", exclude={"tags": ["spring"]})
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)
    assert [line.customer_id for line in found.lines] == [people[2].pk, people[3].pk]
    assert found.excluded == {"messaged_lately": 1}
    assert found.segment == 3


def test_d14_exclusions_and_their_rules_are_part_of_the_approval(
    actor: Actor, now: datetime
) -> None:
    make_people(2)
    make_channel()
    segment = make_segment(actor, now)
    campaign = make_approved(actor, now, exclude={"segments": ["left-out"]})
    assert approval.is_approved(campaign)
    versions.publish_version(segment=segment, rule=rule_of("北京"), actor=actor, now=now)
    assert not approval.is_approved(campaign)
    with pytest.raises(CampaignNotReady):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)


def test_d14_further_runs_leave_out_by_the_rules_of_the_launch(actor: Actor, now: datetime) -> None:
    people = make_people(4)
    Customer.objects.update(city="北京")
    make_channel()
    segment = make_segment(actor, now)
    first = make_launched(
        actor,
        now,
        exclude={"segments": ["left-out"], "called_days": 5},
        schedule={"repeat": {"every": "day"}},
    )
    Dispatch.objects.update(status="completed", completed_at=now)
    versions.publish_version(segment=segment, rule=rule_of("北京"), actor=actor, now=now)
    Customer.objects.filter(pk=people[0].pk).update(city="成都")
    later = now + timedelta(days=1)
    happened(people[1], EventName.CALL_MADE, later - timedelta(hours=1))
    campaign = Campaign.objects.get()
    run = recurring.start_run(campaign=campaign, now=later)
    assert run is not None
    assert run.excluded_versions == first.excluded_versions
    assert run.excluded_counts == {"excluded_segment": 1, "called_lately": 1}
    rows = Message.objects.filter(dispatch=run).values_list("customer_id", flat=True)
    assert set(rows) == {people[2].pk, people[3].pk}


def test_d14_choosing_takes_the_same_number_of_queries_whatever_is_left_out(
    actor: Actor, now: datetime, django_assert_num_queries: Any
) -> None:
    make_people(3)
    make_channel()
    make_segment(actor, now)
    exclude = {"segments": ["left-out"], "campaigns": ["spring"], "applied_days": 3}
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    campaign.exclusions = exclude
    assert campaign.segment is not None
    version = campaign.segment.current_version
    # The segments' rules, and the counts by reason; the people are a subquery of the freeze.
    with django_assert_num_queries(2):
        choosing.audience_of(campaign, version=version, now=now)


@pytest.mark.parametrize(
    ("exclude", "path"),
    [
        ({"segments": ["nobody"]}, "exclude.segments"),
        ({"campaigns": ["nothing"]}, "exclude.campaigns"),
        ({"applied_days": 0}, "exclude.applied_days"),
        ({"called_days": "soon"}, "exclude.called_days"),
        ({"who": "ever"}, "exclude.who"),
        ({"tags": "spring"}, "exclude.tags"),
    ],
)
def test_d14_exclusions_that_nobody_can_read_are_refused(
    actor: Actor, now: datetime, exclude: dict[str, Any], path: str
) -> None:
    make_channel()
    with pytest.raises(CampaignRefused) as caught:
        authoring.create_campaign(source=spec(exclude=exclude), actor=actor, now=now)
    assert path in dict(caught.value.facts["problems"])
    assert not Campaign.objects.exists()
