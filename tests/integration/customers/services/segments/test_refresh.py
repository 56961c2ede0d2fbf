from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from customers.domain.segments.states import BuildState
from customers.jobs import IMPORT
from customers.models import (
    AttributeDefinition,
    Customer,
    ImportBatch,
    Segment,
    SegmentBuild,
    SegmentMember,
)
from customers.selectors.segments import history, overlap
from customers.services.segments import members, versions
from customers.services.segments import refresh as segment_refresh
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import Work

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

HOUR = timedelta(hours=1)


def rule(field, operator="=", value=None):
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def in_city(city):
    return rule("city", "=", city)


@pytest.fixture
def people(now):
    return [
        Customer.objects.create(city=city, created_at=now, updated_at=now, external_id=str(n))
        for n, city in enumerate(("上海", "上海", "北京"))
    ]


@pytest.fixture
def segment(people, actor, now):
    return versions.create_segment(
        actor=actor, slug="city", name="城市", rule=in_city("上海"), now=now
    )


@pytest.fixture
def refresh(actor):
    def refresh_at(segment, at):
        segment.refresh_from_db()
        return segment_refresh.refresh_segment(actor=actor, segment=segment, now=at)

    return refresh_at


def members_at(segment, at):
    found = history.members_at(segment=segment, at=at)
    return sorted(found.values_list("external_id", flat=True))


def move(person, city, at):
    Customer.objects.filter(pk=person.pk).update(city=city, updated_at=at)


def test_a_refresh_writes_only_who_enters_and_who_leaves(segment, people, refresh, now):
    first = refresh(segment, now)
    assert (first.entered_count, first.left_count, first.member_count) == (2, 0, 2)
    kept = set(SegmentMember.objects.values_list("pk", flat=True))
    again = refresh(segment, now + HOUR)
    assert (again.entered_count, again.left_count, again.member_count) == (0, 0, 2)
    assert set(SegmentMember.objects.values_list("pk", flat=True)) == kept

    move(people[0], "北京", now)
    move(people[2], "上海", now)
    moved = refresh(segment, now + 2 * HOUR)

    assert (moved.entered_count, moved.left_count, moved.member_count) == (1, 1, 2)
    assert SegmentMember.objects.count() == 3
    segment.refresh_from_db()
    assert (segment.last_count, segment.last_counted_at) == (2, now + 2 * HOUR)


def test_c9_membership_at_any_past_day_with_why_it_began_and_ended(
    segment, people, refresh, actor, now
):
    refresh(segment, now)
    move(people[0], "北京", now)
    refresh(segment, now + timedelta(days=3))
    versions.publish_version(
        actor=actor, segment=segment, rule=in_city("北京"), now=now + timedelta(days=5)
    )
    refresh(segment, now + timedelta(days=5))

    by_day = {day: members_at(segment, now + timedelta(days=day)) for day in (-1, 0, 2, 3, 4, 5, 9)}

    assert by_day == {
        -1: [],
        0: ["0", "1"],
        2: ["0", "1"],
        3: ["1"],
        4: ["1"],
        5: ["0", "2"],
        9: ["0", "2"],
    }
    newest, oldest = history.stays_of(customer_id=people[0].pk)
    assert (oldest.entered_at, oldest.entered_why) == (now, "rule:1")
    assert (oldest.left_at, oldest.left_why) == (now + timedelta(days=3), "time:1")
    assert (newest.entered_at, newest.entered_why) == (now + timedelta(days=5), "rule:2")
    assert (newest.left_at, newest.left_why) == (None, "")


def test_c10_a_failed_build_is_visible_keeps_the_members_and_is_healed_by_the_retry(
    segment, people, refresh, actor, now, monkeypatch
):
    refresh(segment, now)
    before = list(SegmentMember.objects.order_by("pk").values())
    move(people[2], "上海", now)

    whole = members.write_difference

    def break_after_writing(**options):
        whole(**options)
        raise DatabaseError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(members, "write_difference", break_after_writing)
        with pytest.raises(segment_refresh.SegmentBuildFailed):
            refresh(segment, now + HOUR)

    build = SegmentBuild.objects.get()
    assert (build.state, build.error_code, build.attempts) == ("failed", "database_error", 1)
    assert (build.failed_at, build.built_at) == (now + HOUR, now)
    assert build.due_at == now + HOUR + timedelta(minutes=1)
    assert list(SegmentMember.objects.order_by("pk").values()) == before

    done = segment_refresh.refresh_due(
        actor=actor, read_clock=lambda: build.due_at, slice_seconds=60
    )

    assert (done.built_count, done.failed_count) == (1, 0)
    build.refresh_from_db()
    assert (build.state, build.error_code, build.attempts) == (BuildState.BUILT, "", 0)
    assert members_at(segment, build.built_at) == ["0", "1", "2"]


def test_a_rule_that_no_longer_fits_fails_alone_and_pauses_longer_each_time(
    segment, people, actor, now
):
    definition = AttributeDefinition.objects.create(name="plan", value_type="text")
    versions.create_segment(
        actor=actor, slug="plan", name="plan", rule=rule("attribute.plan", "=", "a"), now=now
    )
    definition.delete()

    first = segment_refresh.refresh_due(actor=actor, read_clock=lambda: now, slice_seconds=60)
    broken = SegmentBuild.objects.get(segment__slug="plan")
    second = segment_refresh.refresh_due(
        actor=actor, read_clock=lambda: broken.due_at, slice_seconds=60
    )
    again = SegmentBuild.objects.get(segment__slug="plan")

    assert (first.built_count, first.failed_count) == (1, 1)
    assert (second.built_count, second.failed_count) == (0, 1)
    assert broken.error_code == "segment_rule_invalid"
    assert again.due_at - broken.due_at == timedelta(minutes=2)


def test_due_are_new_segments_changed_rules_and_those_not_built_for_an_hour(
    segment, actor, refresh, now
):
    def due(at):
        return [found.slug for found in segment_refresh.due_segments(now=at)]

    assert due(now) == ["city"]
    refresh(segment, now)
    assert due(now + HOUR - timedelta(seconds=1)) == []
    assert due(now + HOUR) == ["city"]
    versions.publish_version(
        actor=actor, segment=segment, rule=in_city("北京"), now=now + timedelta(minutes=1)
    )
    assert due(now + timedelta(minutes=1)) == ["city"]


def test_an_import_finished_by_a_clock_ahead_does_not_let_every_round_build_anew(
    segment, actor, refresh, now
):
    def due(at):
        return [found.slug for found in segment_refresh.due_segments(now=at)]

    refresh(segment, now)
    for number, finished_at in enumerate((now + timedelta(minutes=30), now + timedelta(minutes=1))):
        work = Work.objects.create(kind=IMPORT, created_at=now, finished_at=finished_at)
        ImportBatch.objects.create(work=work, source="t", file_name=str(number), created_at=now)
    for minute, slugs in ((0, []), (2, ["city"])):
        assert due(now + timedelta(minutes=minute)) == slugs
    refresh(segment, now + timedelta(minutes=2))
    assert due(now + timedelta(minutes=3)) == []
    assert due(now + timedelta(minutes=30)) == ["city"]


def test_a_rule_nobody_can_satisfy_empties_the_segment(segment, actor, refresh, now):
    refresh(segment, now)
    versions.publish_version(
        actor=actor, segment=segment, rule=rule("age", "<", -5), now=now + HOUR
    )
    emptied = refresh(segment, now + HOUR)
    assert (emptied.entered_count, emptied.left_count, emptied.member_count) == (0, 2, 0)


def test_refreshing_needs_the_permission_to_change_segments_and_a_rule(segment, actor, now):
    reader = user_actor(User.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        segment_refresh.refresh_segment(actor=reader, segment=segment, now=now)
    listed = versions.replace_members(
        actor=actor, slug="list", name="list", customer_ids=[], source="file", now=now
    )
    with pytest.raises(segment_refresh.SegmentNotBuildable):
        segment_refresh.refresh_segment(actor=actor, segment=listed, now=now)
    assert not SegmentBuild.objects.exists()
    assert Segment.objects.count() == 2


def test_c6_a_frozen_list_stays_as_it_was(segment, people, actor, now):
    frozen = versions.freeze_segment(
        actor=actor, segment=segment, slug="city-frozen", name="frozen", now=now
    )
    move(people[0], "北京", now)
    move(people[2], "上海", now)
    moving = versions.audience_of(segment, now=now).values_list("external_id", flat=True)
    still = versions.audience_of(frozen, now=now).values_list("external_id", flat=True)
    assert (sorted(moving), sorted(still)) == (["1", "2"], ["0", "1"])
    assert frozen.kind == "static"
    with pytest.raises(versions.SegmentNameTaken):
        versions.freeze_segment(
            actor=actor, segment=segment, slug="city-frozen", name="again", now=now
        )


def test_a_change_of_a_list_makes_the_segments_due_that_refer_to_it(people, actor, refresh, now):
    def listed(persons, at):
        keys = [person.pk for person in persons]
        return versions.replace_members(
            actor=actor, slug="list", name="list", customer_ids=keys, source="file", now=at
        )

    listed(people[:1], now)
    for slug, other in (("direct", "list"), ("indirect", "direct")):
        found = versions.create_segment(
            actor=actor, slug=slug, name=slug, rule=rule("segment", "=", other), now=now
        )
        refresh(found, now)
    listed(people[1:], now + timedelta(minutes=5))
    due = segment_refresh.due_segments(now=now + timedelta(minutes=5))
    assert sorted(found.slug for found in due) == ["direct", "indirect"]


def test_the_overlap_of_two_segments_adds_up(segment, people, actor, now):
    rules = {
        "combinator": "or",
        "rules": [
            {"field": "external_id", "operator": "=", "value": "1"},
            {"field": "city", "operator": "=", "value": "北京"},
        ],
    }
    other = versions.create_segment(actor=actor, slug="o", name="o", rule=rules, now=now)
    found = overlap.overlap(segment, other, now=now, zone=ZoneInfo("Asia/Shanghai"))
    assert (found.first_count, found.second_count, found.both_count) == (2, 2, 1)
    assert (found.first_only_count, found.second_only_count, found.share) == (1, 1, 1 / 3)
