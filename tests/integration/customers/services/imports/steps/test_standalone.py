"""Rows that share nothing with another row: applied several pages at a time."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from customers.models import (
    AttributeValue,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    ImportBatch,
    ImportRow,
    SurvivorshipRule,
)
from customers.services.imports.steps import apply, check, new_customers, stage, standalone
from loancrm.kernel.auditing import audit
from loancrm.kernel.security import crypto
from tests.integration.customers.import_rows import MAPPING, Load, counts, loader, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(apply, "APPLY_BATCH", 7)
    monkeypatch.setattr(standalone, "WINDOW_LINES", 7)
    return loader(tmp_path)


def people(count: int) -> list[dict[str, str]]:
    """Most stand alone; every tenth shares the phone of the one before, but nothing else."""
    return [
        person(n, name=f"李{chr(0x5000 + n)}", born="", phone=f"139{n - (n % 10 == 9):08d}")
        for n in range(count)
    ]


def test_pages_side_by_side_leave_what_one_after_the_other_leaves(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for workers in (1, 3 if connection.vendor == "postgresql" else 1):
        Customer.objects.all().delete()
        monkeypatch.setattr(standalone, "_connections", lambda n=workers: n)
        report = load(people(100))
        again = load(people(100))
        points = ContactPoint.objects.filter(is_primary=True).count()
        found.append((counts(report), report.by_reason, counts(again), points))
    assert found[0] == found[1]
    assert found[0] == ((100, 0, 0, 0, 0), {"contact_shared": 10}, (0, 0, 100, 0, 0), 90)
    assert IdentityLink.objects.values("customer").distinct().count() == 100
    assert not ImportRow.objects.filter(content__isnull=False).exists()
    assert audit.verify().is_intact


def test_where_one_page_fails_all_stop_and_the_rest_can_be_done_later(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    monkeypatch.setattr(standalone, "_connections", lambda: 2)
    create, calls, lock = new_customers.bulk_insert, [0], threading.Lock()

    def fail(**named: Any) -> int:
        with lock:
            calls[0] += 1
            is_third = calls[0] == 3
        if is_third:
            raise RuntimeError("broken")
        return create(**named)

    with monkeypatch.context() as patch:
        patch.setattr(new_customers, "bulk_insert", fail)
        with pytest.raises(RuntimeError, match="broken"):
            load(people(100))
    batch = ImportBatch.objects.get()
    done = Customer.objects.count()
    assert (batch.state, batch.created_count) == ("failed", done)
    assert 0 < done < 60
    report = load(people(100))
    assert (report.created, report.unchanged) == (100 - done, done)


def test_a_window_is_tried_again_when_somebody_else_was_faster(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    create, calls = new_customers.bulk_insert, []

    def create_and_be_overtaken(**named: Any) -> int:
        calls.append(create(**named))
        if len(calls) == 1:
            raise IntegrityError("somebody else created one of them")
        return calls[-1]

    monkeypatch.setattr(new_customers, "bulk_insert", create_and_be_overtaken)
    assert counts(load(people(5))) == (5, 0, 0, 0, 0)
    assert (calls, Customer.objects.count()) == ([5, 5], 5)


def test_the_database_makes_the_same_people_as_the_program(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What PostgreSQL makes of a standalone row is what `apply_all` makes of it."""
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite the program makes all of them")
    rows = [
        person(n, sms="Y" if n % 2 else "N", born="" if n % 3 else "1990-01-02") for n in range(9)
    ]
    rows += [person(9, phone="010-62345678"), person(10, name=""), person(11, id="", sms="")]
    mapping = replace(MAPPING, constants={"language": "en", "time_zone": Customer().time_zone})
    found = []
    for skips in (False, True):
        Customer.objects.all().delete()
        if skips:
            monkeypatch.setattr(new_customers, "bulk_insert", lambda **_named: 0)
        report = load(rows, mapping=mapping)
        stored = [
            everything_about(customer) for customer in Customer.objects.order_by("name_index")
        ]
        found.append((counts(report), report.by_reason, sorted(stored, key=repr)))
    assert found[0] == found[1]
    assert found[0][0] == (12, 0, 0, 0, 0)


def everything_about(customer: Customer) -> dict[str, Any]:
    """Return what is stored, sealed values opened, without keys that are made at random."""
    vault = crypto.vault()
    # `changed_at` is the moment of each write, which is another one in the second round.
    drop = {"id", "public_id", "name_sealed", "national_id_sealed", "changed_at"}
    found = {k: v for k, v in columns_of(customer).items() if k not in drop}
    for column, sealed in (
        ("name", customer.name_sealed),
        ("national_id", customer.national_id_sealed),
    ):
        name = getattr(Customer, f"{column.upper()}_COLUMN")
        found[column] = vault.open(name, customer.public_id, sealed) if sealed else None
    found["contacts"] = [
        (
            vault.open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed),
            *(point.kind, point.value_index, point.is_primary, point.is_virtual_range),
            *(point.status, point.source, point.created_at),
        )
        for point in customer.contact_points.order_by("kind", "value_index")
    ]
    related = (customer.attribute_values, customer.consent_records, customer.consent_states)
    for rows in (*related, customer.identity_links):
        own = [columns_of(row) for row in rows.order_by("pk")]
        for row in own:
            row.pop("id"), row.pop("customer_id")
            row["evidence"] = str(row.get("evidence", "")).rpartition(":")[2]
        found[rows.model.__name__] = own
    return found


def columns_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_s68_rows_side_by_side_say_whose_their_values_are(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    SurvivorshipRule.objects.create(field="*", prefer="source", sources=["core", "crm"])
    workers = 3 if connection.vendor == "postgresql" else 1
    monkeypatch.setattr(standalone, "_connections", lambda: workers)
    mapping = replace(MAPPING, constants={"language": Customer().language})
    rows = [person(n, sms="Y") for n in range(30)]
    assert counts(load(rows, source="core", mapping=mapping)) == (30, 0, 0, 0, 0)
    assert {tuple(sources.items()) for sources in sources_of_fields()} == {(("language", "core"),)}
    assert set(AttributeValue.objects.values_list("source", flat=True)) == {"core"}
    assert set(ContactPoint.objects.values_list("source", flat=True)) == {"core"}
    assert set(ConsentState.objects.values_list("source", "is_granted")) == {("core", True)}
    # What a less trusted source says of the same people is left to the rows in file order.
    report = load([row | {"city": "北京", "id": f"B{row['id']}"} for row in rows], source="crm")
    assert (counts(report), report.by_reason) == ((0, 0, 30, 0, 0), {"source_outranked": 30})
    assert set(Customer.objects.values_list("city", flat=True)) == {"西安"}


def sources_of_fields() -> list[dict[str, str]]:
    return list(Customer.objects.values_list("field_sources", flat=True))


def test_a_callers_open_transaction_is_shared_with_no_other_connection() -> None:
    with transaction.atomic():
        assert standalone._connections() == 1


def test_rows_checked_by_several_processes_are_those_checked_by_one(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's rows are checked by one process")
    rows = [*people(40), person(41, phone="12"), {**person(42), "id": "", "phone": "", "name": ""}]
    monkeypatch.setattr(stage, "STAGE_BATCH", 5)
    found = []
    for count in (1, 3):
        ImportBatch.objects.all().delete()
        Customer.objects.all().delete()
        monkeypatch.setattr(check, "MANY_ROWS", 0)
        monkeypatch.setattr(check, "process_count", lambda n=count: n)
        report = load(rows, rejects=tmp_path / f"rejects{count}.csv")
        batch = ImportBatch.objects.get()
        names = list(Customer.objects.order_by("name_index").values_list("name_index", "city"))
        rejects = (tmp_path / f"rejects{count}.csv").read_text(encoding="utf-8")
        found.append((counts(report), report.by_reason, batch.quality, names, rejects))
    assert found[0] == found[1]
    assert found[0][0] == (41, 0, 0, 1, 0)
