"""Rows that say what they said last time are recognised, with the outcome of reading them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from customers.domain.imports.importing import RowReader
from customers.models import ContactPoint, Customer, IdentityLink, ImportBatch, ImportRow
from customers.services.imports.steps import stage
from tests.integration.customers.import_rows import MAPPING, Load, card, counts, loader, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
Rows = list[dict[str, str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def yesterday() -> Rows:
    rows = [person(n, card=card(n), born="", sms="Y") for n in range(12)]
    rows[3] |= {"phone": "123"}
    rows[4] |= {"id": "", "email": "four@example.com"}
    rows[5] |= {"city": "-", "income": ""}
    return [*rows, rows[6] | {"id": "B6"}, rows[7] | {"city": "北京"}, rows[8]]


CHANGES: dict[str, Rows] = {
    "nothing": [],
    "a new person": [person(50)],
    "an id twice": [person(0, card=card(0), born="", city="北京")],
    "a known person under a new id": [person(1, card=card(1), born="", id="N1", income="7")],
    "a known phone with another name": [person(51, phone="13800000002")],
    "a known address": [person(52, name="李平" + chr(0x4E00 + 4), email="four@example.com")],
    "a withdrawal": [person(2, card=card(2), born="", sms="N")],
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_outcome_is_that_of_reading_every_row(
    load: Load, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    found = []
    for recognises in (True, False):
        ImportBatch.objects.all().delete()
        Customer.objects.all().delete()
        load(yesterday())
        if not recognises:
            monkeypatch.setattr(stage, "known_rows", lambda **_named: {})
        first, second = load([*yesterday(), *CHANGES[change]]), load(yesterday())
        found.append([outcome(first), outcome(second), *stored()])
    assert found[0] == found[1]


def outcome(report: Any) -> tuple[Any, ...]:
    batch = ImportBatch.objects.get(pk=report.batch_id)
    lines = batch.staged_rows.order_by("line").values_list("line", "state", "leader_line")
    return counts(report), report.by_reason, batch.quality, batch.unchanged_count, list(lines)


def stored() -> list[list[Any]]:
    people = Customer.objects.order_by("name_index", "national_id_index")
    names = {pk: number for number, pk in enumerate(people.values_list("pk", flat=True))}
    links = IdentityLink.objects.order_by("external_id").values_list("external_id", "customer_id")
    points = ContactPoint.objects.order_by("kind", "value_index", "customer__name_index")
    return [
        list(people.values_list("name_index", "city", "consent_states__is_granted")),
        [(name, names[owner]) for name, owner in links],
        [
            (index, is_primary, names[owner])
            for index, is_primary, owner in points.values_list(
                "value_index", "is_primary", "customer_id"
            )
        ],
    ]


def test_a5_only_changed_rows_are_read_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [person(n) for n in range(30)]
    load(rows)
    rows[9] |= {"city": "北京"}
    lines, read = [], RowReader.read

    def count(reader: RowReader, row: Any) -> Any:
        lines.append(row.line)
        return read(reader, row)

    monkeypatch.setattr(RowReader, "read", count)
    report = load(rows)
    assert (lines, counts(report)) == ([11], (0, 1, 29, 0, 0))
    assert not ImportRow.objects.filter(content__isnull=False).exists()


def test_what_a_mapping_reads_otherwise_is_read_again(load: Load) -> None:
    rows = [person(n, city="") for n in range(5)]
    load(rows)
    report = load(rows, mapping=replace(MAPPING, constants={"city": "上海"}))
    assert counts(report) == (0, 5, 0, 0, 0)


def test_an_undone_change_is_made_again(load: Load) -> None:
    load([person(1)])
    IdentityLink.objects.update(row_digest="")
    Customer.objects.update(city="")
    assert counts(load([person(1)])) == (0, 1, 0, 0, 0)
    assert Customer.objects.get().city == "西安"
