"""Work on customers, killed after any of its commits and done again, ends as one clean run."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.domain.loans.rows import LoanKind
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    EventType,
    ImportBatch,
    Relationship,
    RelationshipRun,
)
from customers.services import relationships
from customers.services.events import from_file, lifecycle
from customers.services.imports import from_file as imports
from customers.services.imports import jobs, undo
from customers.services.imports.from_file import ImportOrder
from customers.services.imports.jobs import Upload
from customers.services.imports.steps import apply, stage, standalone
from customers.services.loans import from_file as loans
from loancrm.kernel.models import RequestedAction, Work
from loancrm.kernel.work import service
from tests.factories.links import make_linked
from tests.integration.customers.import_rows import MAPPING, NOW, person, write_csv
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
TODAY = NOW.date()


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a7_events_of_a_file_are_the_same_after_a_kill_at_any_commit(actor, monkeypatch, tmp_path):
    monkeypatch.setattr(from_file, "_BATCH", 2)
    path = table(
        tmp_path / "events.csv",
        [
            {"external_id": who, "event": event, "occurred_at": f"2026-02-0{day}T10:00:00+08:00"}
            for day, event in enumerate(("application_submitted", "loan_disbursed", "visit"), 1)
            for who in ("c1", "c2", "nobody")
        ],
    )
    assert_kills_leave_no_trace(
        lambda: make_linked(["c1", "c2"]),
        lambda: from_file.import_events(actor=actor, path=path, source="bank", now=NOW),
        commits=6,
    )


def test_a7_loans_of_files_are_the_same_after_a_kill_at_any_commit(actor, monkeypatch, tmp_path):
    monkeypatch.setattr(loans, "_BATCH", 2)
    names = ("L1", "L2", "L3")
    files = {
        LoanKind.LOANS: [
            {
                "external_id": name,
                "customer_id": f"c{number}",
                "principal_amount": "300",
                "term_months": "2",
                "disbursed_on": "2025-11-15",
            }
            for number, name in enumerate(names, 1)
        ],
        LoanKind.INSTALMENTS: [
            {"loan_id": name, "number": number, "due_on": due, "principal_amount": "150"}
            for name in names
            for number, due in enumerate(("2025-12-15", "2026-01-15"), 1)
        ],
        LoanKind.REPAYMENTS: [
            {"external_id": f"p{name}", "loan_id": name, "paid_on": "2026-01-10", "amount": "300"}
            for name in names[:2]
        ],
    }
    paths = {kind: table(tmp_path / f"{kind}.csv", rows) for kind, rows in files.items()}

    def work():
        for kind, path in paths.items():
            loans.import_loans(actor=actor, path=path, kind=kind, source="bank", now=NOW)
        loans.refresh_loan_states(actor=actor, now=NOW, as_of=date(2026, 6, 1))

    assert_kills_leave_no_trace(lambda: make_linked(["c1", "c2", "c3"]), work, commits=10)


def test_a7_stages_of_everybody_are_the_same_after_a_kill_at_any_commit(actor, monkeypatch):
    monkeypatch.setattr(lifecycle, "_BATCH", 2)

    def prepare():
        people = make_linked([f"c{number}" for number in range(5)])
        kind = EventType.objects.create(name="loan_disbursed")
        for number, one in enumerate(people.values()):
            Event.objects.create(
                customer=one,
                type=kind,
                occurred_at=NOW - timedelta(days=400 * number),
                received_at=NOW,
                source="bank",
                dedup_key=str(number),
            )

    assert_kills_leave_no_trace(
        prepare, lambda: lifecycle.refresh_everybody(actor=actor, now=NOW), commits=4
    )
    later = NOW + timedelta(days=2000)
    assert_kills_leave_no_trace(
        lambda: (prepare(), lifecycle.refresh_everybody(actor=actor, now=NOW)),
        lambda: lifecycle.refresh_due(actor=actor, now=later),
        commits=1,
    )


def give(person: Customer, name: str, text: str, at: datetime) -> None:
    definition, _new = AttributeDefinition.objects.get_or_create(
        name=name, defaults={"value_type": "text"}
    )
    AttributeValue.objects.update_or_create(
        customer=person,
        definition=definition,
        defaults={"text": text, "source": "bank", "updated_at": at},
    )


@pytest.mark.parametrize("is_full", [False, True])
def test_a7_ties_and_their_features_are_the_same_after_a_kill_at_any_commit(
    actor, monkeypatch, is_full
):
    """Whoever stays behind at a device that somebody left has other features, too."""
    monkeypatch.setattr(relationships, "_BATCH", 2)
    later = NOW + timedelta(days=1)

    def prepare():
        people = list(make_linked([f"c{number}" for number in range(6)]).values())
        for one in people[:4]:
            give(one, "device_id", "old phone", NOW)
        give(people[5], "referred_by", "c4", NOW)
        relationships.derive(actor=actor, now=NOW)
        assert Relationship.objects.count() == 1
        give(people[0], "device_id", "new phone", later)
        give(people[5], "referred_by", "c3", later)

    assert_kills_leave_no_trace(
        prepare,
        lambda: relationships.derive(actor=actor, now=later, is_full=is_full),
        commits=8,
        # The past of a feature that is removed ends at the database's clock.
        ignored={"customers.RelationshipRun", "customers.PastAttribute.ended_at"},
    )
    assert RelationshipRun.objects.filter(finished_at__isnull=False).count() == 2


@pytest.fixture
def small_pages(monkeypatch):
    """Several commits in every step; nobody else takes the jobs; one connection that can be cut."""
    monkeypatch.setattr(service, "enqueue", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(standalone, "_connections", lambda: 1)
    monkeypatch.setattr(stage, "STAGE_BATCH", 4)
    monkeypatch.setattr(apply, "APPLY_BATCH", 3)
    monkeypatch.setattr(standalone, "WINDOW_LINES", 4)
    monkeypatch.setattr(undo, "_PAGE", 3)


KNOWN_ROWS = [person(serial) for serial in (1, 2, 3)]
ROWS = [
    person(1),
    person(2, phone="13900000002", sms="yes"),
    person(3, city="上海"),
    *(person(serial, sms="yes") for serial in range(4, 9)),
    person(9, phone="123"),
    person(4),
    person(10, phone="13800000005"),
    person(11),
]


def load_before(actor, folder):
    path = write_csv(folder / "before.csv", KNOWN_ROWS)
    order = ImportOrder(path=path, mapping=MAPPING)
    imports.import_customers(actor=actor, order=order, now=NOW, today=TODAY)


LATER = NOW + timedelta(hours=1)


def submit(actor, folder, **options):
    content = write_csv(folder / "rows.csv", ROWS).read_bytes()
    blocks = [content[start : start + 200] for start in range(0, len(content), 200)]
    upload = Upload("rows.csv", blocks, mapping=MAPPING, **options)
    return jobs.submit(actor=actor, upload=upload, now=LATER)


def work_off():
    jobs.clear_up(now=LATER)
    for batch_id in ImportBatch.objects.filter(work__is_background=True).values_list(
        "pk", flat=True
    ):
        jobs.run_import(batch_id=batch_id, now=LATER, today=TODAY)


# How often an import was begun, and how far it was, is gone when it is done.
@pytest.mark.parametrize("is_dry_run", [False, True])
def test_a7_an_import_in_the_background_is_the_same_after_a_kill_at_any_commit(
    actor, small_pages, tmp_path, is_dry_run
):
    def prepare():
        if not is_dry_run:
            load_before(actor, tmp_path)
        submit(actor, tmp_path, is_dry_run=is_dry_run)

    assert_kills_leave_no_trace(prepare, work_off, commits=15)
    assert ImportBatch.objects.latest("pk").state == "done"


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_a7_an_import_by_command_is_the_same_after_a_kill_at_any_commit(
    actor, small_pages, tmp_path, is_dry_run
):
    path = write_csv(tmp_path / "rows.csv", ROWS)
    order = ImportOrder(path=path, mapping=MAPPING, is_dry_run=is_dry_run)

    def work():
        jobs.clear_up(now=LATER)
        imports.import_customers(actor=actor, order=order, now=LATER, today=TODAY)

    # A batch is a call: the one that was killed is there as well, with its figures. Of checks none.
    batches = (
        set()
        if is_dry_run
        else {
            f"customers.{name}"
            for name in ("ImportBatch", "ImportFinding", "ImportRow", "RejectedRow")
        }
        | {"kernel.Work"}
    )
    named = {"customers.ConsentRecord.evidence", "customers.ImportChange.batch"}
    assert_kills_leave_no_trace(
        lambda: is_dry_run or load_before(actor, tmp_path),
        work,
        commits=12,
        ignored=batches | named,
    )


def test_a7_an_undo_of_an_import_is_the_same_after_a_kill_at_any_commit(
    actor, small_pages, tmp_path
):
    def prepare():
        load_before(actor, tmp_path)
        batch = submit(actor, tmp_path)
        work_off()
        jobs.undo(actor=actor, batch_id=batch.pk, reason="wrong file", now=LATER)

    assert_kills_leave_no_trace(prepare, work_off, commits=8)
    assert ImportBatch.objects.latest("pk").state == "undone"


def test_a7_a_cancelled_import_is_the_same_after_a_kill_at_any_commit(actor, small_pages, tmp_path):
    def prepare():
        submit(actor, tmp_path)
        Work.objects.update(requested_action=RequestedAction.CANCEL)

    assert_kills_leave_no_trace(prepare, work_off, commits=2)
    assert ImportBatch.objects.latest("pk").state == "cancelled"
