"""Refused rows: corrected, run again, wiped; the balance of a file holds all the while."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.states import ImportMode
from customers.models import Customer, ImportBatch, ImportRow, RejectedRow
from customers.selectors.imports.quality import balance
from customers.services.imports import jobs
from customers.services.imports import repair as imports_repair
from customers.services.imports.repair import Repair, RepairRefused, RepairReport
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.work import service
from tests.integration.customers.import_rows import (
    MAPPING,
    NOW,
    Load,
    Row,
    card,
    loader,
    opened,
    person,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
LATER = NOW + timedelta(days=1)
ACTOR = system_actor("test")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def nobody(serial: int, **changes: str) -> Row:
    """A row that nothing identifies: no id, no number, a wrong phone."""
    return person(serial, id="", phone="139", **changes)


def repaired(report_of: Load, rows: list[Row], **order: object) -> ImportBatch:
    batch_id = report_of(rows, **order).batch_id
    return ImportBatch.objects.get(pk=batch_id)


def run(batch: ImportBatch, **repair: object) -> RepairReport:
    report = imports_repair.run_again(
        actor=ACTOR, repair=Repair(batch.pk, **repair), now=LATER, today=LATER.date()
    )
    holds(batch)
    return report


def holds(batch: ImportBatch) -> None:
    batch.refresh_from_db()
    found = balance(batch)
    parts = (found.rows_ok, found.rows_fixed, found.rows_quarantined, found.rows_open)
    assert found.rows_in == sum(parts)
    assert batch.state == "done"
    parts = (
        batch.created_count,
        batch.updated_count,
        batch.unchanged_count,
        batch.merged_count,
        batch.rejected_count,
    )
    assert batch.row_count == sum(parts)
    assert batch.rejected_count == RejectedRow.objects.filter(batch=batch).count()


def test_s4_a_corrected_row_is_imported_like_any_other(load: Load) -> None:
    batch = repaired(load, [person(1), nobody(2), nobody(3)])
    holds(batch)
    row = RejectedRow.objects.get(line=3)
    shown = imports_repair.open_row(actor=ACTOR, row_id=row.pk, now=LATER, today=LATER.date())
    assert shown.cells["phone"] == "139"
    assert shown.shown == ("phone",)
    assert [finding.code for finding in shown.findings] == ["phone_invalid", "identity_missing"]
    assert run(batch, lines=[3], corrections={3: {"phone": "13900000003"}}) == RepairReport(1, 1, 0)
    assert (batch.created_count, batch.rejected_count) == (2, 1)
    assert batch.by_reason == {"phone_invalid": 1, "identity_missing": 1}
    assert balance(batch).rows_fixed == 1
    customer = Customer.objects.latest("id")
    assert opened(customer)["points"] == [("phone", "+8613900000003", True)]
    assert customer.source == "test"
    facts = AuditEntry.objects.get(action="customers.import_repair").facts
    assert facts["corrected_lines"] == [3]
    assert "13900000003" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))
    assert AuditEntry.objects.filter(action="customers.rejected_row_opened").count() == 1


def test_s4_a_correction_that_is_still_wrong_stays_with_its_new_reason(load: Load) -> None:
    batch = repaired(load, [nobody(1)])
    assert run(batch, corrections={2: {"phone": "", "email": "x@"}}) == RepairReport(1, 0, 1)
    assert batch.by_reason == {"email_invalid": 1, "identity_missing": 1}
    row = RejectedRow.objects.get()
    shown = imports_repair.open_row(actor=ACTOR, row_id=row.pk, now=LATER, today=LATER.date())
    assert (shown.cells["phone"], shown.cells["email"]) == ("", "x@")
    assert run(batch, corrections={2: {"email": "x@example.com"}}).accepted == 1
    assert (batch.by_reason, batch.created_count) == ({}, 1)


def test_s4_all_rows_run_again_by_a_changed_mapping(load: Load) -> None:
    rows = [person(1), *(nobody(n, email=f"c{n}@example.com") for n in range(2, 8))]
    columns = {"name": "customer.name", "phone": "contact.phone"}
    narrow = parse_mapping({"name": "test", "id_column": "id", "columns": columns})
    batch = repaired(load, rows, mapping=narrow)
    assert batch.rejected_count == 6
    assert run(batch).accepted == 0
    assert run(batch, mapping=MAPPING, limit=4) == RepairReport(4, 4, 0)
    assert run(batch, mapping=MAPPING) == RepairReport(2, 2, 0)
    assert (batch.created_count, batch.rejected_count) == (7, 0)
    assert batch.mapping["name"] == "test"
    assert batch.by_reason == {"phone_invalid": 6}


def test_s4_rows_of_one_person_are_put_together_when_they_run_again(load: Load) -> None:
    batch = repaired(load, [person(1), nobody(2), nobody(2), nobody(1)])
    fixed = {
        3: {"phone": "13900000002"},
        4: {"phone": "13900000002"},
        5: {"phone": "13800000001"},
    }
    assert run(batch, corrections=fixed).accepted == 3
    assert (batch.created_count, batch.merged_count, batch.rejected_count) == (2, 2, 0)
    assert balance(batch).rows_fixed == 3
    assert Customer.objects.count() == 2


def test_s4_a_repaired_row_that_equals_an_applied_one_is_its_second_row(load: Load) -> None:
    batch = repaired(load, [person(1, id=""), nobody(1)])
    assert run(batch, corrections={3: person(1, id="")}).accepted == 1
    assert (batch.created_count, batch.unchanged_count, batch.merged_count) == (1, 0, 1)


def test_s4_a_row_that_was_read_and_refused_later_is_shown_by_field(load: Load) -> None:
    load([person(1, card="11010519491231002X")])
    batch = repaired(load, [person(1, card=card(5), born="", city="北京", sms="Y")])
    row = RejectedRow.objects.get(batch=batch)
    assert row.code == "identity_conflict"
    shown = imports_repair.open_row(actor=ACTOR, row_id=row.pk, now=LATER, today=LATER.date())
    assert shown.cells["customer.city"] == "北京"
    assert shown.cells["consent.sms.marketing"] == "1"
    assert [finding.code for finding in shown.findings] == ["identity_conflict"]
    assert run(batch).still_rejected == 0
    assert (batch.rejected_count, batch.by_reason) == (1, {"identity_conflict": 1})
    run(batch, corrections={2: {"id_column": "A7"}})
    assert (batch.created_count, batch.rejected_count) == (1, 0)
    customer = Customer.objects.get(external_id="A7")
    assert opened(customer)["consents"] == [("sms", "marketing", True)]
    assert customer.city == "北京"


def test_s4_a_shifted_row_needs_a_person(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "shifted.csv"
    path.write_text("id,name,phone\n7,李,平,13800000001\n", encoding="utf-8")
    columns = {"name": "customer.name", "phone": "contact.phone"}
    mapping = parse_mapping({"name": "test", "id_column": "id", "columns": columns})
    order = jobs.Upload("shifted.csv", [path.read_bytes()], mapping)
    batch = jobs.submit(actor=ACTOR, upload=order, now=NOW)
    assert run(batch).accepted == 0
    fixed = {2: {"name": "李平", "phone": "13800000001"}}
    assert run(batch, corrections=fixed).accepted == 1
    assert opened(Customer.objects.get())["name"] == "李平"


def test_s4_the_mode_of_the_import_still_holds(load: Load) -> None:
    load([person(1)])
    batch = repaired(load, [person(1, city="北京"), nobody(2)], mode=ImportMode.INSERT)
    assert batch.by_reason["exists_already"] == 1
    run(batch, corrections={3: {"phone": "13900000002"}})
    assert (batch.created_count, batch.rejected_count) == (1, 1)


def test_a3_repaired_rows_wait_for_a_worker_that_dies(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = repaired(load, [person(1), nobody(2)])
    with monkeypatch.context() as patch:
        patch.setattr(service, "enqueue", lambda *_a, **_k: None)
        imports_repair.run_again(
            actor=ACTOR,
            repair=Repair(batch.pk, corrections={3: {"phone": "13900000002"}}),
            now=LATER,
            today=LATER.date(),
        )
    batch.refresh_from_db()
    found = balance(batch)
    assert batch.state == "applying"
    assert (found.rows_in, found.rows_ok, found.rows_quarantined, found.rows_open) == (2, 1, 0, 1)
    with pytest.raises(RepairRefused):
        run(batch)
    service.wake()
    holds(batch)
    assert batch.created_count == 2


def test_a7_repaired_rows_are_undone_with_their_import(load: Load) -> None:
    batch = repaired(load, [person(1), nobody(2)])
    run(batch, corrections={3: {"phone": "13900000002"}})
    jobs.undo(actor=ACTOR, batch_id=batch.pk, reason="test", now=LATER)
    assert not Customer.objects.exists()
    with pytest.raises(RepairRefused):
        imports_repair.run_again(
            actor=ACTOR, repair=Repair(batch.pk), now=LATER, today=LATER.date()
        )


def test_the_values_of_refused_rows_are_wiped_in_time(load: Load) -> None:
    batch = repaired(load, [nobody(1)])
    row = RejectedRow.objects.get()
    jobs.clear_up(now=NOW + timedelta(days=89))
    assert RejectedRow.objects.filter(cells_sealed__isnull=False).exists()
    jobs.clear_up(now=NOW + timedelta(days=91))
    assert not RejectedRow.objects.filter(cells_sealed__isnull=False).exists()
    with pytest.raises(RepairRefused):
        imports_repair.open_row(actor=ACTOR, row_id=row.pk, now=LATER, today=LATER.date())
    assert run(batch) == RepairReport(0, 0, 0)


def test_who_may_not_import_repairs_nothing(load: Load, django_user_model: type) -> None:
    batch = repaired(load, [nobody(1)])
    actor = user_actor(django_user_model.objects.create_user("guest"))
    row = RejectedRow.objects.get()
    with pytest.raises(PermissionRefused):
        imports_repair.open_row(actor=actor, row_id=row.pk, now=LATER, today=LATER.date())
    with pytest.raises(PermissionRefused):
        imports_repair.run_again(
            actor=actor, repair=Repair(batch.pk), now=LATER, today=LATER.date()
        )


def test_a_repair_takes_a_fixed_number_of_queries(
    load: Load, django_assert_max_num_queries: object
) -> None:
    batch = repaired(load, [nobody(n, email=f"c{n}@example.com") for n in range(60)], mapping=(
        parse_mapping({"name": "test", "columns": {"phone": "contact.phone"}})
    ))  # fmt: skip
    with django_assert_max_num_queries(95):
        run(batch, mapping=MAPPING)
    assert ImportRow.objects.filter(is_repaired=True).count() == 60


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=8))
def test_s4_rows_in_are_rows_ok_fixed_and_quarantined(
    load: Load, plan: list[tuple[int, bool, bool]]
) -> None:
    Customer.objects.all().delete()
    ImportBatch.objects.all().delete()
    rows = [person(n) if good else nobody(n) for n, good, _ in plan]
    batch = repaired(load, rows)
    holds(batch)
    fixed = {
        line: {"phone": f"1390000{n:04d}"} if mends else {"phone": "1"}
        for line, (n, good, mends) in enumerate(plan, start=2)
        if not good
    }
    run(batch, corrections=fixed)
    assert balance(batch).rows_fixed == sum(mends for _, good, mends in plan if not good)
