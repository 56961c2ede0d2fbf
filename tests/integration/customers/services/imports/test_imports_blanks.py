"""What a blank cell does: by default nothing, and what a mapping lets it erase."""

from datetime import date
from pathlib import Path

import pytest

from customers.domain.imports.mapping import FileMapping, parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.domain.imports.states import ImportMode
from customers.models import Customer, ImportBatch, SurvivorshipRule
from customers.services.imports import undo
from customers.services.imports.runs import begin_run
from loancrm.kernel.access import system_actor
from tests.integration.customers.import_rows import NOW, Load, counts, loader, opened, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
BLANKS = {"city": "", "born": "", "income": ""}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def mapping(blank: str) -> FileMapping:
    return parse_mapping(
        {
            "name": "test",
            "id_column": "id",
            "columns": {
                "name": "customer.name",
                "phone": "contact.phone",
                "born": {"to": "customer.birth_date", "blank": blank},
                "city": {"to": "customer.city", "blank": blank, "dictionary": {"未知": ""},
                         "others": "keep"},
                "income": {"to": "attribute.income", "type": "number", "blank": blank},
            },
        }
    )  # fmt: skip


def stored() -> tuple[object, ...]:
    customer = Customer.objects.get(external_id="A1")
    values = [value for _, value, *_ in opened(customer)["values"]]
    return (customer.city, customer.birth_date, values)


FULL = ("西安", date(1990, 5, 8), [1000])
BARE = ("", None, [])


@pytest.mark.parametrize(
    ("mode", "blank", "expected", "is_changed"),
    [
        (ImportMode.INSERT, "keep", FULL, False),
        (ImportMode.INSERT, "erase", FULL, False),
        (ImportMode.UPDATE, "keep", FULL, False),
        (ImportMode.UPDATE, "erase", BARE, True),
        (ImportMode.UPSERT, "keep", FULL, False),
        (ImportMode.UPSERT, "erase", BARE, True),
    ],
)
def test_a5_modes_and_blanks(
    load: Load, mode: ImportMode, blank: str, expected: tuple[object, ...], is_changed: bool
) -> None:
    load([person(1)])
    report = load([person(1, **BLANKS)], mode=mode, mapping=mapping(blank))
    assert stored() == expected
    assert report.updated == int(is_changed)
    again = load([person(1, **BLANKS)], mode=mode, mapping=mapping(blank))
    assert (again.created, again.updated) == (0, 0)


def test_a5_a_word_for_nothing_erases_and_a_wrong_cell_does_not(load: Load) -> None:
    load([person(1)])
    load([person(1, city="未知", born="yesterday", income="much")], mapping=mapping("erase"))
    assert stored() == ("", date(1990, 5, 8), [1000])


def test_a5_a_blank_of_one_row_does_not_erase_what_another_row_says(load: Load) -> None:
    load([person(1)])
    rows = [person(1, **BLANKS), person(1, id="A2", city="北京", born="", income="7")]
    load(rows, mapping=mapping("erase"))
    assert stored() == ("北京", None, [7])


def test_a7_what_a_blank_erased_comes_back(load: Load) -> None:
    load([person(1)])
    batch_id = load([person(1, **BLANKS)], mapping=mapping("erase")).batch_id
    assert stored() == BARE
    batch = ImportBatch.objects.get(pk=batch_id)
    actor = system_actor("test")
    undo.begin_undo(actor=actor, batch=batch, reason="test", now=NOW)
    run = begin_run(batch.pk, now=NOW)
    assert run
    report = undo.run_undo(actor=actor, batch=batch, run=run)
    assert (report.restored, report.kept) == (3, 0)
    assert stored() == FULL


def test_s68_a_blank_of_a_less_trusted_source_erases_nothing(load: Load) -> None:
    SurvivorshipRule.objects.create(field="*", prefer="source", sources=["core", "form"])
    load([person(1)], source="core")
    report = load([person(1, id="9", **BLANKS)], source="form", mapping=mapping("erase"))
    assert stored() == FULL
    assert counts(report) == (0, 0, 1, 0, 0)
    assert report.by_reason == {"source_outranked": 1}


@pytest.mark.parametrize("target", ["customer.name", "contact.phone", "consent.sms.marketing",
                                    "customer.national_id", "customer.language"])  # fmt: skip
def test_what_identifies_a_person_cannot_be_erased_by_a_blank(target: str) -> None:
    columns = {"x": {"to": target, "blank": "erase"}}
    with pytest.raises(MappingError, match=r"columns\.x\.blank: wrong_value"):
        parse_mapping({"name": "test", "columns": columns})
