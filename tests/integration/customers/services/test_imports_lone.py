"""Rows that share nothing with another row: applied several pages at a time."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

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
from customers.services import imports_apply, imports_lone
from loancrm.kernel import audit
from tests.integration.customers.import_rows import MAPPING, Load, counts, loader, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(imports_apply, "APPLY_BATCH", 7)
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
        monkeypatch.setattr(imports_lone, "_connections", lambda n=workers: n)
        report = load(people(100))
        again = load(people(100))
        points = ContactPoint.objects.filter(is_primary=True).count()
        found.append((counts(report), report.by_reason, counts(again), points))
    assert found[0] == found[1]
    assert found[0] == ((100, 0, 0, 0, 0), {"contact_shared": 10}, (0, 0, 100, 0, 0), 90)
    assert IdentityLink.objects.values("customer").distinct().count() == 100
    assert not ImportRow.objects.filter(payload_sealed__isnull=False).exists()
    assert audit.verify().is_intact


def test_where_one_page_fails_all_stop_and_the_rest_can_be_done_later(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    monkeypatch.setattr(imports_lone, "_connections", lambda: 2)
    resolve, calls, lock = imports_apply.resolve_people, [0], threading.Lock()

    def fail(*args: Any, **named: Any) -> Any:
        with lock:
            calls[0] += 1
            is_third = calls[0] == 3
        if is_third:
            raise RuntimeError("broken")
        return resolve(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(imports_apply, "resolve_people", fail)
        with pytest.raises(RuntimeError, match="broken"):
            load(people(100))
    batch = ImportBatch.objects.get()
    done = Customer.objects.count()
    assert (batch.state, batch.created_count) == ("failed", done)
    assert 0 < done < 60
    report = load(people(100))
    assert (report.created, report.unchanged) == (100 - done, done)


def test_s68_rows_side_by_side_say_whose_their_values_are(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    SurvivorshipRule.objects.create(field="*", prefer="source", sources=["core", "crm"])
    workers = 3 if connection.vendor == "postgresql" else 1
    monkeypatch.setattr(imports_lone, "_connections", lambda: workers)
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
        assert imports_lone._connections() == 1
