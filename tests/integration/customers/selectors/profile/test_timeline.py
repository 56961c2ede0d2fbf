"""b2: one timeline over all tables, paged by place, in a fixed number of queries."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.domain.timeline import TimelineFilter, TimelineKind, decoded
from customers.models import (
    Application,
    ConsentRecord,
    Event,
    EventType,
    IdentityLink,
    Loan,
    Merge,
    Score,
    StageEntry,
)
from customers.selectors.profile import timeline, timeline_rows
from tests import planner
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
EVERYTHING = TimelineFilter()


def _events(person, count, *, name="app_login", step=timedelta(minutes=7), **fields):
    kind = EventType.objects.get_or_create(name=name)[0]
    Event.objects.bulk_create(
        Event(
            **{
                "customer": person,
                "type": kind,
                "occurred_at": NOW - n * step,
                "received_at": NOW,
                "source": "web",
                "dedup_key": f"{person.pk}-{name}-{n}",
            }
            | fields
        )
        for n in range(count)
    )


def _all(person, wanted=EVERYTHING, size=3):
    found, cursor = [], None
    while True:
        after = decoded(cursor) if cursor else None
        page = timeline.page(person.pk, wanted=wanted, after=after, zone=ZONE, size=size)
        found += page.entries
        cursor = page.older
        if cursor is None:
            return found


@pytest.fixture
def storied():
    """A person with one row of everything, several of them at one moment."""
    person, other = make_people(2)
    application = Application.objects.create(
        source="core", external_id="A1", customer=person, amount=9000, channel="app",
        status="approved", submitted_at=NOW - timedelta(days=90),
        decided_at=NOW - timedelta(days=89),
    )  # fmt: skip
    Loan.objects.create(
        source="core", external_id="L1", customer=person, application=application,
        principal_amount=9000, term_months=12, disbursed_on=date(2025, 12, 6),
        settled_on=date(2026, 3, 1),
    )  # fmt: skip
    StageEntry.objects.create(
        customer=person, stage="applicant", entered_at=NOW - timedelta(days=90)
    )
    ConsentRecord.objects.create(
        customer=person, channel="sms", purpose="marketing", is_granted=True, source="form",
        policy_version="2026-01", at=NOW - timedelta(days=90), recorded_at=NOW,
    )  # fmt: skip
    Score.objects.create(
        customer=person, model_name="rfm", version="rfm-1", value=545,
        scored_at=NOW - timedelta(days=2),
    )  # fmt: skip
    IdentityLink.objects.create(
        source="core", external_id="C1", customer=person, matched_by="phone",
        created_at=NOW - timedelta(days=100),
    )  # fmt: skip
    Merge.objects.create(kept=person, other=other, merged_by="x", merged_at=NOW - timedelta(days=1))
    _events(person, 4, occurred_at=NOW - timedelta(days=90))
    return person


def test_b2_everything_stands_in_one_timeline_newest_first(storied):
    found = _all(storied)

    assert [entry.name for entry in found] == [
        "record_merged",
        "score_given",
        "loan_settled",
        "loan_disbursed",
        "application_approved",
        "stage_entered",
        "application_submitted",
        *["app_login"] * 4,
        "consent_granted",
        "record_linked",
    ]
    assert {entry.kind for entry in found} == set(TimelineKind) - {
        TimelineKind.MESSAGE,
        TimelineKind.ALERT,
    }


@pytest.mark.parametrize("size", [1, 2, 4, 5, 13, 50])
def test_b2_pages_of_any_size_hold_everything_once(storied, size):
    _events(storied, 20, name="page_viewed", step=timedelta(0))

    found = _all(storied, size=size)

    assert len({entry.position for entry in found}) == len(found) == 33
    assert [e.position.order for e in found] == sorted(e.position.order for e in found)


def test_an_entry_that_arrives_between_two_pages_moves_nothing(storied):
    first = timeline.page(storied.pk, wanted=EVERYTHING, after=None, zone=ZONE, size=5)
    _events(storied, 3, name="call_made", occurred_at=NOW)
    second = timeline.page(
        storied.pk, wanted=EVERYTHING, after=decoded(first.older), zone=ZONE, size=5
    )

    names = [entry.name for entry in (*first.entries, *second.entries)]
    assert names[4:7] == ["application_approved", "stage_entered", "application_submitted"]


def test_filters_by_kind_channel_and_period(storied):
    _events(storied, 2, name="link_clicked", channel="sms")
    loans = TimelineFilter(kinds=frozenset({TimelineKind.LOAN}))
    by_sms = TimelineFilter(channel="sms")
    march = TimelineFilter(
        start=datetime(2026, 3, 1, tzinfo=ZONE), end=datetime(2026, 3, 3, tzinfo=ZONE)
    )

    assert [entry.name for entry in _all(storied, loans)] == ["loan_settled", "loan_disbursed"]
    assert [entry.name for entry in _all(storied, by_sms)] == [
        "link_clicked", "link_clicked", "consent_granted",
    ]  # fmt: skip
    assert [entry.name for entry in _all(storied, march)] == ["score_given", "loan_settled"]


def test_an_event_that_a_row_of_the_same_day_tells_is_not_told_twice(storied):
    at = {"occurred_at": NOW - timedelta(days=90, hours=-3)}
    _events(storied, 1, name="application_submitted", **at)
    _events(storied, 1, name="loan_disbursed", occurred_at=datetime(2025, 12, 6, 9, tzinfo=ZONE))
    _events(storied, 1, name="stage_left", source="lifecycle")
    _events(storied, 1, name="loan_settled", occurred_at=datetime(2024, 1, 1, tzinfo=ZONE))

    names = [(entry.kind, entry.name) for entry in _all(storied)]

    assert names.count((TimelineKind.EVENT, "loan_settled")) == 1
    for gone in ("application_submitted", "loan_disbursed", "stage_left"):
        assert (TimelineKind.EVENT, gone) not in names


def test_nobody_elses_entries_are_shown(storied):
    _events(make_people(1, prefix="q")[0], 5, name="complaint_made")

    assert "complaint_made" not in {entry.name for entry in _all(storied)}


def test_b2_ten_thousand_events_cost_one_query_a_table_on_every_page():
    person = make_people(1)[0]
    _events(person, 10_000)
    # An event that rows of another table tell of, too: the names of those are asked for once.
    _events(person, 1, name="application_submitted")
    tables = len(timeline.sources())
    middle = next(s for s in timeline_rows.SOURCES if s.kind is TimelineKind.EVENT)
    cursors = [None]
    key = Event.objects.order_by("-occurred_at")[5_000]
    cursors.append(middle._position(key, ZONE))

    for after in cursors:
        with CaptureQueriesContext(connection) as caught:
            page = timeline.page(person.pk, wanted=EVERYTHING, after=after, zone=ZONE)
        assert len(caught) == tables + 1
        assert len(page.entries) == timeline.PAGE
    events_only = TimelineFilter(kinds=frozenset({TimelineKind.EVENT}))
    with CaptureQueriesContext(connection) as caught:
        timeline.page(person.pk, wanted=events_only, after=cursors[1], zone=ZONE)
    assert len(caught) == 3


def test_b2_a_page_of_ten_thousand_events_starts_in_the_index():
    people = make_people(3)
    for person in people:
        _events(person, 10_000)
    planner.learn(Event)
    source = next(s for s in timeline_rows.SOURCES if s.kind is TimelineKind.EVENT)
    at = Event.objects.filter(customer=people[0]).order_by("-occurred_at")[5_000]
    after = source._position(at, ZONE)

    plan = source.queryset(people[0].pk, EVERYTHING, after=after, zone=ZONE)[:31].explain()

    assert "event_customer_time" in plan
    lines = [line for line in plan.splitlines() if "event_customer_time" in line]
    assert "Seq Scan on customers_event " not in plan
    if connection.vendor == "postgresql":
        assert "occurred_at <=" in plan[plan.index("event_customer_time") :].split("Filter")[0]
    else:
        assert any("customer_id=? AND occurred_at<?" in line for line in lines)


def test_every_source_has_a_rank_of_its_own():
    ranks = [source.rank for source in timeline.sources()]

    assert len(set(ranks)) == len(ranks) == 13
