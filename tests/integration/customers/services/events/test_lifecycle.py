import random
from datetime import UTC, datetime, timedelta

import pytest

from customers.domain.events.event import ReportedEvent
from customers.models import Customer, Event, StageEntry
from customers.services.events import lifecycle
from customers.services.events import log as events
from customers.services.segments import versions
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

START = datetime(2025, 3, 1, tzinfo=UTC)
MONTHS_DAYS = 365


def _event(person, name, day):
    at = START + timedelta(days=day, hours=12)
    return ReportedEvent(
        source="bank",
        external_id=person,
        name=name,
        occurred_at=at,
        dedup_key=f"{person}-{name}-{day}",
    )


def _story(rng, person):
    """What one borrower does in a year, in order."""
    day, told = rng.randrange(1, 60), []
    while day < MONTHS_DAYS:
        told.append(_event(person, "application_submitted", day))
        day += rng.randrange(1, 9)
        if rng.random() < 0.3:
            told.append(_event(person, "application_declined", day))
            day += rng.randrange(5, 60)
            continue
        told.append(_event(person, "application_approved", day))
        day += rng.randrange(1, 9)
        told.append(_event(person, "loan_disbursed", day))
        day += rng.randrange(10, 120)
        told.append(_event(person, "loan_settled", day))
        day += rng.randrange(5, 250)
    return [event for event in told if (event.occurred_at - START).days < MONTHS_DAYS]


def _oracle(told):
    """The path by walking the story forward a step at a time, as a clerk would."""
    path, settled_at = ["lead"], None
    for event in [*told, None]:
        at = event.occurred_at if event else START + timedelta(days=MONTHS_DAYS)
        if path[-1] == "repaid" and at - settled_at >= timedelta(days=90):
            path.append("dormant")
        if event is None:
            break
        is_borrower = settled_at is not None
        match event.name:
            case "application_submitted" if not is_borrower and path[-1] == "lead":
                path.append("applicant")
            case "application_approved" if not is_borrower:
                path.append("approved")
            case "loan_disbursed":
                path.append("won_back" if path[-1] == "dormant" else "active")
            case "loan_settled":
                path.append("repaid")
                settled_at = at
    return path


def _stored_paths(people):
    return {
        name: list(
            StageEntry.objects.filter(customer=person)
            .order_by("entered_at")
            .values_list("stage", flat=True)
        )
        for name, person in people.items()
    }


def _rows():
    stays = StageEntry.objects.order_by("customer_id", "entered_at")
    log = Event.objects.filter(source=lifecycle.STAGE_SOURCE).order_by("dedup_key")
    return (
        list(stays.values_list("customer_id", "stage", "entered_at", "left_at")),
        list(log.values_list("customer_id", "type__name", "subject", "occurred_at")),
    )


@pytest.mark.sql
@pytest.mark.django_db
def test_b5_a_replay_of_twelve_months_equals_the_oracle_in_any_order(actor):
    rng = random.Random(5)
    names = [f"c{number}" for number in range(30)]
    people = make_linked(names)
    Customer.objects.update(created_at=START)
    stories = {name: _story(rng, name) for name in names}
    told = sorted((e for story in stories.values() for e in story), key=lambda e: e.occurred_at)

    for month in range(1, 13):
        now = min(START + timedelta(days=month * 31), START + timedelta(days=MONTHS_DAYS))
        since = START + timedelta(days=(month - 1) * 31)
        part = [e for e in told if since <= e.occurred_at < now]
        events.append_events(events=part, now=now)
        lifecycle.refresh_due(actor=actor, now=now)

    paths = _stored_paths(people)
    assert paths == {name: _oracle(stories[name]) for name in names}
    assert {"won_back", "dormant", "repaid"} <= {stage for path in paths.values() for stage in path}
    present = dict(Customer.objects.values_list("external_id", "lifecycle_stage"))
    assert present == {name: path[-1] for name, path in paths.items()}

    replayed = _rows()
    Event.objects.all().delete()
    StageEntry.objects.all().delete()
    rng.shuffle(told)
    end = START + timedelta(days=MONTHS_DAYS)
    for start in range(0, len(told), 37):
        events.append_events(events=told[start : start + 37], now=end)
    assert _rows() == replayed


@pytest.mark.sql
@pytest.mark.django_db
def test_b5_stage_entries_and_exits_are_events_that_segments_use(actor):
    people = make_linked(["asleep", "awake", "new"])
    Customer.objects.update(created_at=START)
    told = [
        _event("asleep", "loan_disbursed", 1),
        _event("asleep", "loan_settled", 50),
        _event("awake", "loan_disbursed", 1),
        _event("awake", "loan_settled", 150),
    ]
    now = START + timedelta(days=160)
    events.append_events(events=told, now=now)

    def chosen(event, stage, days):
        rule = {
            "combinator": "and",
            "rules": [
                {
                    "field": "event",
                    "operator": "=",
                    "value": {
                        "event": event,
                        "aggregate": "count",
                        "operator": ">=",
                        "value": 1,
                        "within_days": days,
                        "where": [{"property": "subject", "operator": "=", "value": stage}],
                    },
                }
            ],
        }
        return set(versions.audience_queryset(rule, now=now).values_list("external_id", flat=True))

    assert chosen("stage_entered", "dormant", 30) == {"asleep"}
    assert chosen("stage_entered", "dormant", 5) == set()
    assert chosen("stage_left", "active", 30) == {"awake"}
    assert chosen("stage_left", "lead", 365) == {"asleep", "awake"}
    assert people["new"].events.count() == 0


@pytest.mark.sql
@pytest.mark.django_db
def test_a_fact_that_arrives_late_rewrites_the_history_and_its_events(actor):
    people = make_linked(["c1"])
    Customer.objects.update(created_at=START)
    now = START + timedelta(days=200)
    events.append_events(events=[_event("c1", "loan_disbursed", 100)], now=now)
    assert _stored_paths(people) == {"c1": ["lead", "active"]}

    late = [_event("c1", "application_submitted", 3), _event("c1", "application_approved", 5)]
    events.append_events(events=late, now=now)

    assert _stored_paths(people) == {"c1": ["lead", "applicant", "approved", "active"]}
    log = Event.objects.filter(source=lifecycle.STAGE_SOURCE, type__name="stage_left")
    assert list(log.order_by("occurred_at").values_list("subject", flat=True)) == [
        "lead",
        "applicant",
        "approved",
    ]


@pytest.mark.django_db
def test_time_alone_makes_dormant_and_churned_and_is_audited(actor):
    make_linked(["c1", "c2"])
    Customer.objects.update(created_at=START)
    told = [_event("c1", "loan_disbursed", 1), _event("c1", "loan_settled", 20)]
    events.append_events(events=told, now=START + timedelta(days=30))

    def stage_after(days):
        changed = lifecycle.refresh_due(actor=actor, now=START + timedelta(days=days))
        return changed, Customer.objects.get(external_id="c1").lifecycle_stage

    assert stage_after(110) == (0, "repaid")
    assert stage_after(111) == (1, "dormant")
    assert stage_after(112) == (0, "dormant")
    assert stage_after(386) == (1, "churned")
    entry = AuditEntry.objects.filter(action="lifecycle.refresh").latest("pk")
    assert entry.facts == {"customers": 1, "changed": 1}


@pytest.mark.django_db
def test_everybody_is_derived_anew_from_what_was_loaded_past_the_services(actor):
    people = make_linked(["c1"])
    Customer.objects.update(created_at=START, lifecycle_stage="churned")

    assert lifecycle.refresh_everybody(actor=actor, now=START + timedelta(days=9)) == 1
    assert _stored_paths(people) == {"c1": ["lead"]}
    assert Customer.objects.get().lifecycle_stage == "lead"
