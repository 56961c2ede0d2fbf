"""Entering and leaving a segment as events: who writes them, who reads them, and no circle."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from customers.models import Customer, Event, SegmentMember
from customers.selectors.segments.references import SegmentRuleInvalid
from customers.services.segments import changes, versions
from customers.services.segments import members as segment_members
from customers.services.segments import refresh as segment_refresh

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def all_of(*rules):
    return {"combinator": "and", "rules": list(rules)}


def in_city(city):
    return all_of({"field": "city", "operator": "=", "value": city})


def entered(slug, name="segment_entered", operator="=", **value):
    where = [{"property": "subject", "operator": operator, "value": slug}]
    return {
        "field": "event",
        "operator": "=",
        "value": {"event": name, "where": where, **value},
    }


@pytest.fixture
def people(now):
    before = now - timedelta(days=1)
    return [
        Customer.objects.create(city=city, created_at=before, updated_at=before)
        for city in ("上海", "上海", "北京")
    ]


@pytest.fixture
def create(actor, now):
    def create_one(slug, rule):
        return versions.create_segment(actor=actor, slug=slug, name=f"名{slug}", rule=rule, now=now)

    return create_one


@pytest.fixture
def refresh(actor):
    def refresh_at(segment, at):
        segment.refresh_from_db()
        return segment_refresh.refresh_segment(actor=actor, segment=segment, now=at)

    return refresh_at


def move(person, city, at):
    Customer.objects.filter(pk=person.pk).update(city=city, updated_at=at)


def events():
    rows = Event.objects.filter(source="segments").order_by("pk")
    return list(rows.values_list("customer_id", "type__name", "subject", "occurred_at"))


def test_every_stay_that_a_later_build_begins_or_ends_is_one_event(people, create, refresh, now):
    segment = create("city", in_city("上海"))
    refresh(segment, now)
    refresh(segment, now + HOUR)
    # Who was in it before anybody looked did not enter it: a stay, and no event.
    assert SegmentMember.objects.filter(segment=segment, entered_at=now).count() == 2
    assert events() == []

    move(people[0], "北京", now)
    move(people[2], "上海", now)
    refresh(segment, now + 2 * HOUR)
    assert sorted(events()) == sorted(
        [
            (people[0].pk, "segment_left", "city", now + 2 * HOUR),
            (people[2].pk, "segment_entered", "city", now + 2 * HOUR),
        ]
    )
    assert SegmentMember.objects.count() == 3


def test_the_first_build_that_succeeds_tells_of_nobody_and_a_new_rule_of_everybody_it_moves(
    people, create, refresh, actor, now, monkeypatch
):
    segment = create("city", in_city("上海"))
    with monkeypatch.context() as patched:
        patched.setattr(segment_members, "write_difference", _broken)
        with pytest.raises(segment_refresh.SegmentBuildFailed):
            refresh(segment, now)
    refresh(segment, now + HOUR)
    assert events() == []

    versions.publish_version(actor=actor, segment=segment, rule=in_city("北京"), now=now + 2 * HOUR)
    refresh(segment, now + 2 * HOUR)
    assert sorted(row[:2] for row in events()) == [
        (people[0].pk, "segment_left"),
        (people[1].pk, "segment_left"),
        (people[2].pk, "segment_entered"),
    ]


def _broken(**options):
    raise DatabaseError("disk full")


def test_a_single_changed_customer_and_a_list_write_them_too(people, create, refresh, actor, now):
    segment = create("city", in_city("上海"))
    refresh(segment, now)
    changes.apply_changes(actor=actor, now=now)
    move(people[0], "北京", now + SECOND)
    changes.apply_changes(actor=actor, now=now + 2 * SECOND)
    assert events()[-1] == (people[0].pk, "segment_left", "city", now + 2 * SECOND)

    for keys in ([people[0].pk], [people[1].pk]):
        versions.replace_members(
            actor=actor, slug="vip", name="VIP", customer_ids=keys, source="file", now=now + HOUR
        )
    assert [(row[0], row[1]) for row in events() if row[2] == "vip"] == [
        (people[0].pk, "segment_entered"),
        (people[0].pk, "segment_left"),
        (people[1].pk, "segment_entered"),
    ]


def test_a_rule_asks_who_entered_or_left_and_follows_within_the_next_round(
    people, create, refresh, actor, now
):
    city = create("city", in_city("上海"))
    refresh(city, now)
    newcomers = create("new", all_of(entered("city", within_days=7), {
        "combinator": "and", "not": True, "rules": [entered("city", "segment_left")]}))  # fmt: skip
    refresh(newcomers, now)
    changes.apply_changes(actor=actor, now=now)
    assert newcomers.current_version.rule["rules"][0]["value"]["where"][0]["value"] == "city"

    def members():
        rows = SegmentMember.objects.filter(segment=newcomers, left_at__isnull=True)
        return sorted(rows.values_list("customer_id", flat=True))

    assert members() == []
    move(people[2], "上海", now + SECOND)
    changes.apply_changes(actor=actor, now=now + 2 * SECOND)
    done = changes.apply_changes(actor=actor, now=now + 4 * SECOND)
    assert done.entered_count == 1
    assert members() == [people[2].pk]
    move(people[2], "北京", now + 5 * SECOND)
    changes.apply_changes(actor=actor, now=now + 6 * SECOND)
    done = changes.apply_changes(actor=actor, now=now + 8 * SECOND)
    assert done.left_count == 1
    assert members() == []
    # Its own event of leaving wakes nobody: the rounds come to rest.
    rest = [changes.apply_changes(actor=actor, now=now + at * SECOND) for at in (9, 10, 12)]
    assert [(step.entered_count, step.left_count) for step in rest] == [(0, 0)] * 3


def codes(refused):
    return [problem.code.value for problem in refused.value.problems]


def test_a_segment_never_asks_for_its_own_events_however_it_gets_there(people, create, actor, now):
    city = create("city", in_city("上海"))
    create("asks", all_of(entered("city")))
    create("through", all_of({"field": "segment", "operator": "=", "value": "asks"}))
    for rule in (
        all_of(entered("city")),
        all_of(entered(["city", "asks"], operator="in")),
        all_of({"field": "segment", "operator": "=", "value": "asks"}),
        all_of(entered("through", "segment_left")),
    ):
        with pytest.raises(SegmentRuleInvalid) as refused:
            versions.publish_version(actor=actor, segment=city, rule=rule, now=now)
        assert codes(refused) == ["segment_cycle"]
    assert city.versions.count() == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([], ["segment_event_unnamed"]),
        ([{"property": "channel", "operator": "=", "value": "x"}], ["segment_event_unnamed"]),
        (
            [{"property": "subject", "operator": "contains", "value": "c"}],
            ["segment_event_unnamed"],
        ),
        ([{"property": "subject", "operator": "=", "value": "nobody"}], ["unknown_segment"]),
    ],
)
def test_an_event_of_a_segment_says_of_which(people, create, where, expected):
    create("city", in_city("上海"))
    rule = {"field": "event", "operator": "=", "value": {"event": "segment_left", "where": where}}
    with pytest.raises(SegmentRuleInvalid) as refused:
        create("asks", all_of(rule))
    assert codes(refused) == expected


def test_c5_a_segment_of_which_another_reads_the_events_is_not_deleted(people, create, actor, now):
    city = create("city", in_city("上海"))
    create("asks", all_of(entered("city")))
    with pytest.raises(versions.SegmentInUse) as refused:
        versions.delete_segment(actor=actor, segment=city, now=now)
    assert refused.value.facts["users"] == ["asks"]
