"""Importing customers: encodings, modes, blanks, consents, refusals."""

import csv
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from customers.domain.imports.states import ImportMode
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    ImportBatch,
    ImportRow,
    RejectedRow,
)
from customers.services.imports import from_file
from customers.services.imports.counts import ImportCounts
from customers.services.imports.from_file import ImportOrder
from customers.services.imports.pipeline import GateClosed
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from tests.integration.customers.import_rows import (
    COLUMNS,
    MAPPING,
    NOW,
    Load,
    counts,
    loader,
    opened,
    person,
    write_csv,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def test_one_row_becomes_a_whole_customer(load: Load) -> None:
    report = load([person(1, card="11010519491231002X", email="A@example.com", sms="Y")])
    assert counts(report) == (1, 0, 0, 0, 0)
    assert report.by_reason == {"birth_conflict": 1}
    customer = Customer.objects.get()
    assert opened(customer) == {
        "plain": ("A1", date(1949, 12, 31), "female", "西安"),
        "name": "李平丁",
        "number": "11010519491231002X",
        "points": [("email", "a@example.com", True), ("phone", "+8613800000001", True)],
        "values": [("income", 1000, None, None, None)],
        "consents": [("sms", "marketing", True)],
    }
    assert (customer.created_at, customer.source) == (NOW, "test")
    record = ConsentRecord.objects.get()
    assert record.evidence == f"import:{report.batch_id}:2"


def test_nothing_that_identifies_a_person_is_stored_in_clear(load: Load) -> None:
    load([person(1, card="11010519491231002X", email="secret@example.com"), person(2, phone="1")])
    secrets = ("李平", "11010519491231002", "13800000001", "secret@example.com")
    for model in (Customer, ContactPoint, IdentityLink, ImportRow, RejectedRow, AuditEntry):
        for row in model.objects.values():
            text = " ".join(
                bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else
                str(value) for value in row.values()
            )  # fmt: skip
            assert not any(secret in text for secret in secrets)


@pytest.mark.parametrize("form", ["utf-8-sig", "gb18030", "xlsx", "parquet"])
def test_a2_any_encoding_of_1000_rows_gives_identical_customers(
    load: Load, tmp_path: Path, form: str
) -> None:
    rows = [person(n, email=f"c{n}@example.com", sms="Y" if n % 2 else "N") for n in range(1000)]
    load(rows, source="plain")
    expected = [opened(row) for row in Customer.objects.order_by("pk")]
    Customer.objects.all().delete()
    path = tmp_path / f"people.{form if form in {'xlsx', 'parquet'} else 'csv'}"
    if form == "parquet":
        columns = {name: [row[name] or None for row in rows] for name in COLUMNS}
        numbers = pa.array([int(text) for text in columns.pop("income")], pa.int64())
        parquet.write_table(pa.table({**columns, "income": numbers}), path, row_group_size=300)
    elif form == "xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(COLUMNS)
        for row in rows:
            cells = [row[name] for name in COLUMNS]
            sheet.append([int(c) if c.isdigit() else c for c in cells])
        book.save(path)
    else:
        write_csv(path, rows, form)
    report = from_file.import_customers(
        actor=system_actor("test"),
        order=ImportOrder(path=path, mapping=MAPPING, source="other"),
        now=NOW,
        today=NOW.date(),
    )
    assert (report.created, report.by_reason) == (1000, {})
    assert [opened(row) for row in Customer.objects.order_by("pk")] == expected


def test_a5_same_file_twice_changes_nothing(load: Load) -> None:
    rows = [person(n) for n in range(5)]
    load(rows)
    later = NOW + timedelta(days=1)
    assert counts(load(rows, now=later)) == (0, 0, 5, 0, 0)
    assert not Customer.objects.filter(updated_at=later).exists()
    assert not AttributeValue.objects.filter(updated_at=later).exists()


def test_a5_a_file_without_ids_twice_changes_nothing(load: Load) -> None:
    rows = [person(n, id="") for n in range(3)] + [person(0, id="", name="", born="")]
    first = load(rows)
    assert counts(first) == (3, 0, 0, 0, 1)
    second = load(rows)
    assert counts(second) == (0, 0, 3, 0, 1)
    assert second.by_reason == first.by_reason


def test_a5_changed_cells_update_and_blanks_never_erase(load: Load) -> None:
    load([person(1, email="a@example.com"), person(2)])
    later = NOW + timedelta(days=1)
    blank = dict.fromkeys(("name", "born", "phone", "email", "income"), "")
    report = load([person(1, city="北京", **blank), person(2)], now=later)
    assert counts(report) == (0, 1, 1, 0, 0)
    customer = Customer.objects.get(external_id="A1")
    found = opened(customer)
    assert found["plain"] == ("A1", date(1990, 5, 8), "unknown", "北京")
    assert found["name"] == "李平丁"
    assert len(found["points"]) == 2
    assert found["values"] == [("income", 1000, None, None, None)]
    assert customer.updated_at == later


@pytest.mark.parametrize(
    ("mode", "expected", "reason"),
    [
        (ImportMode.INSERT, (1, 0, 0, 1, 0), "exists_already"),
        (ImportMode.UPDATE, (0, 1, 0, 1, 0), "not_found"),
        (ImportMode.UPSERT, (1, 1, 0, 0, 0), ""),
    ],
)
def test_a5_modes(load: Load, mode: ImportMode, expected: tuple[int, ...], reason: str) -> None:
    load([person(1)])
    report = load([person(1, city="北京"), person(2)], mode=mode)
    assert counts(report) == expected
    assert report.by_reason == ({reason: 1} if reason else {})
    city = Customer.objects.get(external_id="A1").city
    assert city == ("西安" if mode is ImportMode.INSERT else "北京")
    assert RejectedRow.objects.count() == report.rejected


def test_a6_an_import_never_lifts_an_opt_out(load: Load) -> None:
    load([person(1, sms="Y"), person(2, sms="N")])
    ConsentState.objects.update(is_granted=False, changed_at=NOW)
    records = ConsentRecord.objects.count()
    report = load([person(1, sms="Y", city="北京"), person(2, sms="Y")])
    assert report.by_reason == {"consent_conflict": 2}
    assert not ConsentState.objects.filter(is_granted=True).exists()
    assert ConsentRecord.objects.count() == records


def test_a6_an_import_can_withdraw(load: Load) -> None:
    load([person(1, sms="Y")])
    later = NOW + timedelta(days=1)
    report = load([person(1, sms="N")], now=later)
    assert counts(report) == (0, 1, 0, 0, 0)
    state = ConsentState.objects.get()
    assert (state.is_granted, state.changed_at) == (False, later)
    assert list(ConsentRecord.objects.order_by("pk").values_list("is_granted", flat=True)) == [
        True,
        False,
    ]


def test_a6_one_refusal_among_duplicates_beats_every_grant(load: Load) -> None:
    load([person(1, sms="Y"), person(1, id="A2", sms="N")])
    assert ConsentState.objects.get().is_granted is False


def test_a4_an_import_that_breaks_off_leaves_the_rejects_file_as_it_was(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejects = tmp_path / "rejects.csv"
    rejects.write_text("of last month", encoding="utf-8")

    def die(*_args: object, **_options: object) -> None:
        # Some were found and written by then.
        assert rejects.read_text(encoding="utf-8") == "of last month"
        raise KeyboardInterrupt

    rows = [person(n, phone="1", email="x@") for n in range(20)]
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(ImportCounts, "require_balance", die)
        load(rows, rejects=rejects)
    assert [one.name for one in tmp_path.glob("*rejects*")] == ["rejects.csv"]
    assert rejects.read_text(encoding="utf-8") == "of last month"


def test_a4_an_import_that_its_limits_stop_says_why_in_the_rejects_file(
    load: Load, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    rows = [person(n, phone="1") for n in range(20)]
    with pytest.raises(GateClosed):
        load(rows, rejects=rejects, limits={"phone_invalid": 0.1})
    assert rejects.read_text(encoding="utf-8-sig").count("phone_invalid") == 20


def test_a4_rejects_file_names_line_column_code_and_reason(load: Load, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    rows = [person(n) for n in range(300)]
    for n in range(0, 200, 2):
        rows[n] = person(n, phone="1", email="x@" if n % 4 else "")
    rows.append(person(900, id="", phone="1"))
    report = load(rows, rejects=rejects)
    with rejects.open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(int(r["line"]), r["column"], r["code"]) for r in found] == [
        (n + 2, column, code)
        for n in [*range(0, 200, 2), 300]
        for column, code in (
            [("phone", "phone_invalid")]
            + ([("email", "email_invalid")] if n % 4 and n != 300 else [])
            + ([("", "identity_missing")] if n == 300 else [])
        )
    ]
    assert found[0]["reason_zh"] == "电话号码无效"
    assert found[0]["reason_en"] == "not a valid telephone number"
    assert found[-1]["severity"] == "row_rejected"
    assert (report.rejected, report.created) == (1, 300)
    quarantined = RejectedRow.objects.get()
    vault = crypto.vault()
    cells = vault.open(RejectedRow.CELLS_COLUMN, quarantined.row_key, quarantined.cells_sealed)
    assert '"phone":"1"' in cells


def test_dry_run_tells_the_same_and_keeps_nothing(load: Load) -> None:
    rows = [person(1), person(1, id="A2"), person(3, phone="12")]
    dry = load(rows, is_dry_run=True)
    for model in (Customer, ContactPoint, IdentityLink, ImportBatch, ImportRow, AuditEntry):
        assert not model.objects.exists()
    assert not AttributeDefinition.objects.exists()
    wet = load(rows)
    assert counts(dry) == counts(wet) == (2, 0, 0, 0, 1)
    assert dry.by_reason == wet.by_reason


def test_e3_missing_columns_are_named_and_stored_as_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("id,name\n1,x\n", encoding="utf-8")
    with pytest.raises(from_file.ColumnsMissing) as caught:
        from_file.import_customers(
            actor=system_actor("test"),
            order=ImportOrder(path=path, mapping=MAPPING),
            now=NOW,
            today=NOW.date(),
        )
    assert caught.value.facts["columns"] == [
        *("card", "born", "phone", "email", "city", "income", "sms"),
    ]
    (batch,) = ImportBatch.objects.all()
    assert (batch.state, batch.row_count) == ("failed", 0)
    assert "card, born, phone" in batch.work.last_error
    assert not Customer.objects.exists()


def test_a_file_that_is_no_table_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(b"id,name\n1,\xff\xff\n")
    with pytest.raises(from_file.FileRefused) as caught:
        from_file.import_customers(
            actor=system_actor("test"),
            order=ImportOrder(path=path, mapping=MAPPING),
            now=NOW,
            today=NOW.date(),
        )
    assert caught.value.facts["reason"] == "encoding_unsure"
    assert caught.value.facts["candidates"] == "windows-1252"
    (batch,) = ImportBatch.objects.all()
    assert (batch.state, batch.work.last_error) == ("failed", caught.value.message)
    assert not Customer.objects.exists()


def test_an_attribute_keeps_its_type(load: Load) -> None:
    AttributeDefinition.objects.create(name="income", value_type="text")
    with pytest.raises(from_file.AttributeTypeConflict):
        load([person(1)])
    assert not Customer.objects.exists()


def test_without_permission_nothing_happens(tmp_path: Path, django_user_model: Any) -> None:
    path = write_csv(tmp_path / "people.csv", [person(1)])
    user = django_user_model.objects.create_user("mallory")
    with pytest.raises(PermissionRefused):
        from_file.import_customers(
            actor=user_actor(user),
            order=ImportOrder(path=path, mapping=MAPPING),
            now=NOW,
            today=NOW.date(),
        )
    assert not ImportBatch.objects.exists()
    assert not Customer.objects.exists()


def test_batch_keeps_counts_quality_and_an_audit_entry(load: Load) -> None:
    report = load([person(n, phone="1" if n < 7 else f"138{n:08d}") for n in range(100)])
    batch = ImportBatch.objects.get(pk=report.batch_id)
    assert (batch.state, batch.row_count, batch.created_count) == ("done", 100, 100)
    assert batch.quality["validity"]["phone"] == {
        "numerator": 93,
        "denominator": 100,
        "rate": 0.93,
    }
    assert AuditEntry.objects.filter(action="customers.import").count() == 1


def test_columns_that_nobody_mapped_are_named(load: Load) -> None:
    mapping = replace(MAPPING, columns=MAPPING.columns[:-1])
    assert load([person(1)], mapping=mapping).unmapped_columns == ("sms",)


def test_queries_grow_with_pages_not_with_rows(
    load: Load, django_assert_max_num_queries: Any
) -> None:
    load([person(900)])
    with django_assert_max_num_queries(85):
        load([person(n) for n in range(800)])


def test_mappings_are_found_by_name_or_file(tmp_path: Path) -> None:
    assert from_file.load_mapping("campaign_bank").source == "campaign_bank"
    own = tmp_path / "own.json"
    own.write_text('{"name": "own", "columns": {"a": "customer.salary"}}', encoding="utf-8")
    for name, facts in [
        (str(own), {"path": "columns.a.to", "problem": "unknown_target"}),
        ("no_such", {"name": "no_such"}),
    ]:
        with pytest.raises(from_file.MappingRefused) as caught:
            from_file.load_mapping(name)
        assert caught.value.facts == facts
