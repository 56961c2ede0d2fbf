from datetime import timedelta

import pytest

from customers.models import (
    ConsentRecord,
    Customer,
    Event,
    EventType,
    Loan,
    Score,
    SegmentBuild,
    SegmentMember,
)
from customers.selectors.segments import history
from customers.services.segments import changes, refresh, rounds, versions
from loancrm.kernel.changes import feed
from loancrm.kernel.database import leases
from loancrm.kernel.models import ChangeCursor

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TWO_LOGINS = {
    "combinator": "and",
    "rules": [
        {"field": "event", "operator": "=", "value": {"event": "app_login", "value": 2}},
        {"field": "city", "operator": "=", "value": "上海"},
    ],
}


@pytest.fixture
def people(now):
    before = now - timedelta(days=1)
    return [
        Customer.objects.create(
            city="上海", created_at=before, updated_at=before, external_id=str(number)
        )
        for number in range(3)
    ]


@pytest.fixture
def login(people):
    return EventType.objects.create(name="app_login")


@pytest.fixture
def record(people, login):
    def record_one(person, at, key, kind=login):
        return Event.objects.create(
            customer=person, type=kind, occurred_at=at, received_at=at, source="t", dedup_key=key
        )

    return record_one


@pytest.fixture
def segment(people, login, record, actor, now):
    record(people[0], now - MINUTE, "a1")
    record(people[1], now - MINUTE, "b1")
    record(people[1], now - MINUTE, "b2")
    # Known since somebody entered or left for the first time ever.
    EventType.objects.create(name="segment_entered")
    EventType.objects.create(name="segment_left")
    found = versions.create_segment(actor=actor, slug="busy", name="活跃", rule=TWO_LOGINS, now=now)
    refresh.refresh_segment(actor=actor, segment=found, now=now)
    changes.apply_changes(actor=actor, now=now)
    return found


def members(segment, at):
    found = history.members_at(segment=segment, at=at)
    return sorted(found.values_list("external_id", flat=True))


def test_c8_a_changed_customer_is_in_or_out_without_a_build_of_the_whole(
    segment, people, record, actor, now, django_assert_max_num_queries
):
    assert members(segment, now) == ["1"]
    record(people[0], now + SECOND, "a2")
    Customer.objects.filter(pk=people[1].pk).update(city="北京", updated_at=now + SECOND)

    with django_assert_max_num_queries(50):
        done = changes.apply_changes(actor=actor, now=now + 2 * SECOND)

    assert (done.customer_count, done.entered_count, done.left_count) == (2, 1, 1)
    assert members(segment, now + SECOND) == ["1"]
    assert members(segment, now + 2 * SECOND) == ["0"]
    build = SegmentBuild.objects.get()
    assert (build.built_at, build.member_count) == (now, 1)
    stay = SegmentMember.objects.get(customer=people[0])
    assert stay.source == "change:1"


def test_what_was_seen_is_not_looked_at_again_and_quiet_rounds_are_cheap(
    segment, people, record, actor, now, django_assert_max_num_queries
):
    record(people[0], now + SECOND, "a2")
    first = changes.apply_changes(actor=actor, now=now + 2 * SECOND)
    # This round finds the events of entering that the first one wrote; no rule asks for them.
    second = changes.apply_changes(actor=actor, now=now + 4 * SECOND)
    with django_assert_max_num_queries(8):
        third = changes.apply_changes(actor=actor, now=now + 6 * SECOND)
    last = changes.apply_changes(actor=actor, now=now + 2 * MINUTE)
    assert [step.customer_count for step in (first, second, third, last)] == [1, 0, 0, 0]


def test_a_row_that_commits_late_with_a_smaller_key_is_still_found(
    segment, people, record, actor, now
):
    late = record(people[0], now, "late")
    key = late.pk
    late.delete()
    record(people[2], now, "c1")
    changes.apply_changes(actor=actor, now=now + SECOND)

    late.pk = key
    late.save(force_insert=True)
    record(people[2], now, "c2")
    done = changes.apply_changes(actor=actor, now=now + 3 * SECOND)

    assert done.customer_count == 2
    assert members(segment, now + 3 * SECOND) == ["0", "1", "2"]


def test_events_no_rule_asks_about_change_nobody(segment, people, record, actor, now):
    other = EventType.objects.create(name="message_sent")
    record(people[0], now + SECOND, "m1", other)
    done = changes.apply_changes(actor=actor, now=now + 2 * SECOND)
    assert done.customer_count == 0


def test_an_event_of_a_moment_after_the_rounds_now_counts_in_the_next(
    segment, people, record, actor, now
):
    record(people[0], now + 2 * SECOND, "a2")
    early = changes.apply_changes(actor=actor, now=now + SECOND)
    after = changes.apply_changes(actor=actor, now=now + 3 * SECOND)
    assert (early.entered_count, after.entered_count) == (0, 1)


def test_consents_and_loans_are_followed_too(segment, people, actor, now):
    ConsentRecord.objects.create(
        customer=people[0],
        channel="sms",
        purpose="marketing",
        is_granted=True,
        source="t",
        at=now,
        recorded_at=now,
    )
    Loan.objects.create(
        customer=people[2],
        source="t",
        external_id="1",
        principal_amount=1,
        term_months=1,
        disbursed_on=now.date(),
    )
    done = changes.apply_changes(actor=actor, now=now + SECOND)
    assert done.customer_count == 2


def test_a_retired_score_and_a_loan_updated_in_place_are_followed(segment, people, actor, now):
    score = Score.objects.create(
        customer=people[0], model_name="risk", version="1", value=1, scored_at=now
    )
    loan = Loan.objects.create(
        customer=people[2],
        source="t",
        external_id="1",
        principal_amount=1,
        term_months=1,
        disbursed_on=now.date(),
    )
    changes.apply_changes(actor=actor, now=now + SECOND)
    for second, change in enumerate(
        (
            lambda: Score.objects.filter(pk=score.pk).update(is_latest=False),
            lambda: Loan.objects.filter(pk=loan.pk).update(dpd_days=3),
        ),
        start=2,
    ):
        change()
        done = changes.apply_changes(actor=actor, now=now + second * SECOND)
        assert done.customer_count == 1


def test_too_many_changes_ask_for_builds_but_not_more_often_than_every_few_minutes(
    segment, people, record, actor, now, monkeypatch
):
    monkeypatch.setattr(feed, "MAX_ROWS", 2)
    for number in range(3):
        record(people[0], now + SECOND, f"many{number}")

    done = changes.apply_changes(actor=actor, now=now + 2 * SECOND)

    assert not done.is_complete
    assert SegmentBuild.objects.get().due_at == now + 5 * MINUTE
    newest = Event.objects.order_by("-pk").first().pk
    cursor = ChangeCursor.objects.get(consumer="segments", table="events")
    assert cursor.seen == {feed.SKIPPED: newest}


def test_a_segment_with_a_new_rule_waits_for_its_build(segment, people, record, actor, now):
    rule = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "北京"}]}
    versions.publish_version(actor=actor, segment=segment, rule=rule, now=now)
    record(people[0], now + SECOND, "a2")
    done = changes.apply_changes(actor=actor, now=now + 2 * SECOND)
    assert (done.entered_count, done.left_count) == (0, 0)
    assert members(segment, now + 2 * SECOND) == ["1"]


def test_rounds_are_one_workers_at_a_time(segment, actor, now):
    assert leases.claim(name="segment builds", holder="b", seconds=60)
    assert not rounds.build_round(actor=actor, holder="a", read_clock=lambda: now)
    leases.release(name="segment builds", holder="b")
    assert rounds.build_round(actor=actor, holder="a", read_clock=lambda: now)
    assert rounds.change_round(actor=actor, holder="a", now=now)
