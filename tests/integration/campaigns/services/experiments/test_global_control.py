"""The global control group: chosen with a reason, asked right before a send."""

import random
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.experiments.global_control import PeriodLength, period_at
from campaigns.models import GlobalControlChoice, Message
from campaigns.selectors.campaigns import earlier_runs
from campaigns.selectors.sending import contact_facts, message_plan
from campaigns.selectors.sending import global_control as choices_made
from campaigns.services.campaigns import ticking
from campaigns.services.experiments import global_control
from campaigns.services.experiments.global_control import GlobalControlRefused
from campaigns.services.sending import dispatch
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
WHY = "agreed by the marketing board"


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _day(now):
    return now.astimezone(clock.company_zone()).date()


def _group(now, *, share="0.2", **columns):
    values = {"valid_from": date(2020, 1, 1), "salt": UUID(int=3), "reason": WHY, **columns}
    GlobalControlChoice.objects.create(
        share=share, period_length=PeriodLength.QUARTER, recorded_at=now, **values
    )
    return period_at(choices_made.choices(), _day(now))


def _drain(now):
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)


def _split(people, period):
    inside = {person.pk for person in people if period.holds([person.pk])}
    return inside, {person.pk for person in people} - inside


def test_d8_the_group_gets_no_marketing_of_any_campaign(actor, now):
    make_channel()
    people = make_people(60)
    inside, outside = _split(people, _group(now))
    assert inside
    assert outside

    for slug in ("one", "two"):
        make_launched(actor, now, slug=slug)
    _drain(now)

    held = Message.objects.filter(state="held_out", reason="global_control")
    assert held.count() == 2 * len(inside)
    assert set(held.values_list("customer_id", flat=True)) == inside
    assert not held.filter(attempts__gt=0).exists()
    sent = Message.objects.filter(state="sent").values_list("customer_id", flat=True)
    assert set(sent) == outside


def test_d8_service_messages_are_not_held(actor, now):
    make_channel()
    people = make_people(30)
    _group(now)

    make_launched(actor, now, purpose="service")
    _drain(now)

    assert Message.objects.filter(state="sent").count() == len(people)


def test_d8_it_is_decided_when_sent_not_when_planned(actor, now):
    make_channel()
    people = make_people(60)
    make_launched(actor, now)
    ticking.advance(now=now)
    inside, _outside = _split(people, _group(now))

    _drain(now)

    held = Message.objects.filter(reason="global_control")
    assert set(held.values_list("customer_id", flat=True)) == inside


def test_d8_a_merged_record_in_the_group_holds_the_person(actor, now):
    make_channel()
    people = make_people(60)
    inside, outside = _split(people, _group(now))
    kept, other = min(outside), min(inside)
    type(people[0]).objects.filter(pk=other).update(merged_into_id=kept)

    make_launched(actor, now)
    _drain(now)

    assert Message.objects.get(customer_id=kept).reason == "global_control"


def test_d8_who_was_held_out_may_be_in_the_next_run(actor, now):
    make_channel()
    people = make_people(60)
    inside, outside = _split(people, _group(now))
    run = make_launched(actor, now)
    _drain(now)

    calendar = SimpleNamespace(again=Again.NEVER_TWICE)
    barred = earlier_runs.barring(run.campaign, calendar, date=now + timedelta(days=1))

    assert set(barred.values_list("customer_id", flat=True)) == outside
    assert not inside & set(barred.values_list("customer_id", flat=True))


def test_d8_deciding_asks_nothing_more_for_a_group(actor, now):
    make_channel()
    make_people(5)
    run = make_launched(actor, now)
    counts = []
    for _round in range(2):
        plan = message_plan.plan_of(run, now=now)
        with CaptureQueriesContext(connection) as captured:
            contact_facts.load_recipients(messages=Q(dispatch=run), plan=plan, now=now)
        counts.append(len(captured))
        _group(now)
    assert counts[0] == counts[1]


def test_d8_a_choice_holds_from_the_next_period_and_is_audited(actor, now):
    chosen = global_control.choose(
        actor=actor, share=Decimal("0.05"), length=PeriodLength.QUARTER, reason=WHY, now=now
    )

    assert chosen.valid_from > _day(now)
    assert period_at(choices_made.choices(), _day(now)) is None
    assert period_at(choices_made.choices(), chosen.valid_from).share == Decimal("0.05")
    entry = AuditEntry.objects.get(action="global_control.chosen")
    assert (entry.object_id, entry.reason) == (str(chosen.pk), WHY)
    assert entry.facts == {
        "share": "0.05",
        "period_length": "quarter",
        "valid_from": chosen.valid_from.isoformat(),
    }


@pytest.mark.parametrize(
    ("share", "reason"), [("0.21", WHY), ("-0.01", WHY), ("0.1", "because"), ("0.1", " " * 20)]
)
def test_d8_a_choice_says_enough_and_is_no_more_than_a_fifth(actor, now, share, reason):
    with pytest.raises(GlobalControlRefused):
        global_control.choose(
            actor=actor,
            share=Decimal(share),
            length=PeriodLength.MONTH,
            reason=reason,
            now=now,
        )
    assert not GlobalControlChoice.objects.exists()


def test_d8_nobody_chooses_without_the_right(django_user_model, now):
    someone = user_actor(django_user_model.objects.create(username="someone"))
    with pytest.raises(PermissionRefused):
        global_control.choose(
            actor=someone, share=Decimal("0.1"), length=PeriodLength.MONTH, reason=WHY, now=now
        )
