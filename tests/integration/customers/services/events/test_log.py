import csv
import json
import random
from datetime import timedelta

import pytest

from customers.domain.events.event import ReportedEvent
from customers.models import Customer, Event, EventType, IdentityLink, StageEntry
from customers.services.events import from_file
from customers.services.events import log as events
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

NAMES = ("app_login", "application_submitted", "application_approved", "loan_disbursed")


def _event(number, now, **changes):
    values = {
        "source": "bank",
        "external_id": f"c{number % 7}",
        "name": NAMES[number % len(NAMES)],
        "occurred_at": now - timedelta(minutes=number),
        "dedup_key": f"e{number}",
    }
    return ReportedEvent(**{**values, **changes})


def _state():
    log = Event.objects.order_by("dedup_key").values_list(
        "customer__external_id", "type__name", "occurred_at", "dedup_key"
    )
    stages = Customer.objects.order_by("external_id").values_list("external_id", "lifecycle_stage")
    return list(log), list(stages)


@pytest.mark.sql
@pytest.mark.django_db
def test_a13_ten_thousand_events_shuffled_and_repeated_give_the_same_state(actor, now):
    make_linked(f"c{number}" for number in range(7))
    reported = [_event(number, now) for number in range(10_000)]
    events.append_events(events=reported, now=now)
    expected = _state()
    Event.objects.all().delete()
    Customer.objects.update(lifecycle_stage="lead")

    rng = random.Random(7)
    shuffled = [*reported, *rng.sample(reported, 1500)]
    rng.shuffle(shuffled)
    results = [
        events.append_events(events=shuffled[start : start + 1150], now=now)
        for start in range(0, len(shuffled), 1150)
    ]

    assert _state() == expected
    assert sum(result.created for result in results) == 10_000
    assert sum(result.duplicates for result in results) == 1500
    assert {stage for _, stage in expected[1]} == {"active"}


def _steps(now):
    """The steps of two borrowers as systems tell them: web, calls, replies, application, loan."""
    told = (
        (300, "page_viewed"), (299, "call_made"), (298, "application_started"),
        (297, "application_submitted"), (290, "application_approved"), (289, "loan_disbursed"),
        (200, "app_login"), (150, "repayment_made"), (40, "loan_settled"), (39, "opted_out"),
    )  # fmt: skip
    return [
        ReportedEvent(
            source="bank",
            external_id=who,
            name=name,
            occurred_at=now - timedelta(days=days + shift),
            dedup_key=f"{who}-{name}",
        )
        for shift, who in enumerate(("c1", "c2"))
        for days, name in told
    ]


def _everything():
    """Log, stages, stays and derived events, without keys that only say in which order it came."""
    stays = StageEntry.objects.order_by("customer__external_id", "entered_at")
    derived = Event.objects.order_by("customer__external_id", "occurred_at", "type__name")
    return (
        _state()[1],
        list(stays.values_list("customer__external_id", "stage", "entered_at", "left_at")),
        list(derived.values_list("customer__external_id", "type__name", "occurred_at", "subject")),
    )


@pytest.mark.sql
@pytest.mark.django_db
def test_s13_the_same_batch_again_changes_nothing(actor, now):
    make_linked(["c1", "c2"])
    first = events.append_events(events=_steps(now), now=now)
    before, rows = _everything(), list(Event.objects.order_by("pk").values())

    again = events.append_events(events=_steps(now), now=now + timedelta(hours=1))

    assert (first.created, first.duplicates) == (20, 0)
    assert (again.created, again.duplicates, again.rejected) == (0, 20, 0)
    assert _everything() == before
    assert list(Event.objects.order_by("pk").values()) == rows


@pytest.mark.sql
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_s13_events_out_of_order_and_late_give_the_same_state(actor, now, seed):
    make_linked(["c1", "c2"])
    steps = _steps(now)
    events.append_events(events=steps, now=now)
    expected = _everything()
    Event.objects.all().delete()
    StageEntry.objects.all().delete()
    Customer.objects.update(lifecycle_stage="lead")

    rng = random.Random(seed)
    rng.shuffle(steps)
    cut = rng.randint(1, 19)
    # The rest arrives a day late, one by one.
    events.append_events(events=steps[:cut], now=now)
    for late in steps[cut:]:
        events.append_events(events=[late], now=now + timedelta(days=1))

    assert _everything() == expected
    assert [stage for _who, stage in expected[0]] == ["repaid", "repaid"]


@pytest.mark.sql
@pytest.mark.django_db
def test_every_event_gets_its_own_outcome(actor, now):
    people = make_linked(["c1", "c2"])
    AuditEntry.objects.all().delete()
    batch = [
        _event(1, now),
        _event(1, now),
        _event(2, now, external_id="nobody"),
        _event(3, now, external_id="", customer_id=people["c2"].pk, name="bonus_paid"),
    ]

    result = events.append_events(events=batch, now=now)

    assert result.outcomes == ("created", "duplicate", "rejected", "created")
    assert result.problems == {2: "person_unknown"}
    assert result.by_reason == {"person_unknown": 1}
    assert EventType.objects.filter(name="bonus_paid").count() == 1
    assert people["c2"].events.get().received_at == now
    counts = (result.rows, result.created, result.duplicates, result.rejected)
    assert counts == (4, 2, 1, 1)


@pytest.mark.django_db
def test_merged_records_are_one_person(actor, now):
    people = make_linked(["c1", "c2"])
    Customer.objects.filter(pk=people["c2"].pk).update(merged_into=people["c1"])

    events.append_events(events=[_event(2, now)], now=now)

    assert Event.objects.get(source="bank").customer_id == people["c1"].pk


def _csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


ROWS = [
    {"external_id": "c1", "event": "app_login", "occurred_at": "2026-03-01 08:00", "event_id": "1"},
    {"external_id": "c1", "event": "app_login", "occurred_at": "2026-03-01 08:00", "event_id": "1"},
    {"external_id": "c9", "event": "app_login", "occurred_at": "2026-03-01 08:00", "event_id": "2"},
    {"external_id": "c1", "event": "app_login", "occurred_at": "soon", "event_id": "3"},
    {"external_id": "c1", "event": "app_login", "occurred_at": "2027-01-01", "event_id": "4"},
]


@pytest.mark.sql
@pytest.mark.django_db
def test_a_file_is_taken_in_with_every_row_accounted_for(actor, now, tmp_path):
    make_linked(["c1"])
    make_linked(["x1"], source="other")
    path = _csv(tmp_path / "events.csv", ROWS)

    first = from_file.import_events(actor=actor, path=path, now=now)
    again = from_file.import_events(actor=actor, path=path, now=now)

    assert (first.rows, first.created, first.duplicates, first.rejected) == (5, 1, 1, 3)
    assert first.by_reason == {"person_unknown": 1, "time_in_future": 1, "time_invalid": 1}
    assert first.source == "bank"
    assert (again.created, again.duplicates, again.rejected) == (0, 2, 3)
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_json_lines_and_a_mapping_are_read(actor, now, tmp_path):
    make_linked(["c1"])
    path = tmp_path / "events.jsonl"
    path.write_text('{"who": "c1", "at": "2026-03-01T00:00:00Z", "amount": 5}\n\n')
    mapping = tmp_path / "map.json"
    mapping.write_text(
        json.dumps(
            {
                "source": "bank",
                "columns": {"external_id": "who", "occurred_at": "at"},
                "constants": {"event": "app_login"},
            }
        )
    )

    result = from_file.import_events(
        actor=actor,
        path=path,
        now=now,
        column_map=from_file.load_mapping(str(mapping), kind="events"),
    )

    assert (result.created, result.rejected) == (1, 0)
    assert Event.objects.get().amount == 5


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["", "{not json", "[1]"])
def test_an_unreadable_file_is_refused(actor, now, tmp_path, content):
    path = tmp_path / ("empty.csv" if not content else "bad.jsonl")
    path.write_text(content)

    with pytest.raises(from_file.RowsRefused) as caught:
        from_file.import_events(actor=actor, path=path, now=now)

    assert caught.value.code == "rows_refused"
    assert IdentityLink.objects.count() == 0


@pytest.mark.django_db
def test_an_unknown_mapping_is_refused():
    with pytest.raises(from_file.RowsRefused):
        from_file.load_mapping("no_such", kind="events")


@pytest.mark.sql
@pytest.mark.django_db
def test_queries_do_not_grow_with_the_batch(actor, now, django_assert_max_num_queries):
    make_linked(f"c{number}" for number in range(7))
    reported = [_event(number, now) for number in range(500)]

    # Rows go in by as many INSERTs as SQLite's limit on parameters needs; all else is fixed.
    with django_assert_max_num_queries(40):
        events.append_events(events=reported, now=now)
