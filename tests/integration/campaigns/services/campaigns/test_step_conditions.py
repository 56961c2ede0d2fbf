"""A later message goes to those only who did not do something."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns.models import Campaign, Dispatch, LinkVisit, Message, TrackedLink
from campaigns.services.campaigns import approval, authoring, launch, ticking
from campaigns.services.campaigns.problems import CampaignRefused
from campaigns.services.sending import dispatch as dispatching
from customers.domain.events.event import EventName
from customers.models import Customer
from loancrm.kernel.access import Actor
from tests.factories.campaigns import EMAIL, make_channel, spec, submit_and_approve
from tests.factories.people import make_people
from tests.integration.campaigns.services.campaigns.test_exclusions import happened

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

DAYS = 4320


def source_of(steps: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    base = {key: value for key, value in spec().items() if key not in {"channel", "content"}}
    listed = [{"channel": "email-memory", "content": EMAIL, **step} for step in steps]
    return {**base, "steps": listed, **changes}


def run(actor: Actor, now: datetime, steps: list[dict[str, Any]], **changes: Any) -> Campaign:
    make_channel()
    campaign = authoring.create_campaign(source=source_of(steps, **changes), actor=actor, now=now)
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    go_on(now)
    return campaign


def go_on(now: datetime) -> None:
    for _round in range(2):
        ticking.advance(now=now)
        dispatching.drain(holder="t", clock=lambda: now, rng=random.Random(1), slice_seconds=30)
    ticking.advance(now=now)


def click(person: Customer, now: datetime, *, is_bot: bool = False) -> None:
    message = Message.objects.get(customer=person, dispatch__position=1)
    link, _made = TrackedLink.objects.get_or_create(
        dispatch=message.dispatch, target="https://example.com/offer"
    )
    LinkVisit.objects.create(link=link, message=message, at=now, is_bot=is_bot)


def served(position: int) -> set[int]:
    rows = Message.objects.filter(dispatch__position=position, state="sent")
    return set(rows.values_list("customer_id", flat=True))


def test_d14_the_second_message_goes_to_who_did_not_click(actor: Actor, now: datetime) -> None:
    people = make_people(4)
    run(actor, now, [{}, {"only_if": "not_clicked", "after_minutes": DAYS}])
    click(people[0], now)
    click(people[1], now, is_bot=True)
    go_on(now + timedelta(days=2))
    assert not Dispatch.objects.filter(position=2).exists()
    go_on(now + timedelta(days=3, minutes=1))
    assert served(2) == {person.pk for person in people[1:]}


def test_d14_the_second_message_goes_to_who_did_not_apply_after_three_days(
    actor: Actor, now: datetime
) -> None:
    people = make_people(4)
    # The campaign itself goes on after the goal; the message alone asks.
    goal = {"event": "application_submitted", "window_days": 7, "stops_messages": False}
    steps = [{}, {"only_if": "goal_not_reached", "after_minutes": DAYS}]
    campaign = run(actor, now, steps, goal=goal)
    happened(people[0], EventName.APPLICATION_SUBMITTED, now + timedelta(days=2))
    happened(people[1], EventName.APPLICATION_SUBMITTED, now - timedelta(days=1))
    later = now + timedelta(days=3, minutes=1)
    go_on(later)
    assert served(2) == {person.pk for person in people[1:]}
    campaign.refresh_from_db()
    assert campaign.status == "completed"


def test_d14_who_is_passed_by_gets_the_message_after_that(actor: Actor, now: datetime) -> None:
    people = make_people(3)
    steps = [{}, {"only_if": "not_clicked", "after_minutes": 1}, {"after_minutes": 1}]
    run(actor, now, steps)
    click(people[0], now)
    go_on(now + timedelta(minutes=2))
    go_on(now + timedelta(minutes=5))
    assert served(2) == {people[1].pk, people[2].pk}
    assert served(3) == {person.pk for person in people}


def test_d14_the_condition_is_part_of_the_approval(actor: Actor, now: datetime) -> None:
    make_people(1)
    make_channel()
    campaign = authoring.create_campaign(
        source=source_of([{}, {"only_if": "not_clicked"}]), actor=actor, now=now
    )
    submit_and_approve(campaign, actor, now)
    campaign.steps.filter(position=2).update(condition="everybody")
    assert not approval.is_approved(campaign)


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ([{"only_if": "not_clicked"}], "steps[0].only_if"),
        ([{}, {"only_if": "bored"}], "steps[1].only_if"),
        ([{}, {"after_minutes": -1}], "steps[1].after_minutes"),
    ],
)
def test_d14_conditions_that_cannot_be_asked_are_refused(
    actor: Actor, now: datetime, steps: list[dict[str, Any]], path: str
) -> None:
    make_channel()
    with pytest.raises(CampaignRefused) as caught:
        authoring.create_campaign(source=source_of(steps), actor=actor, now=now)
    assert path in dict(caught.value.facts["problems"])
