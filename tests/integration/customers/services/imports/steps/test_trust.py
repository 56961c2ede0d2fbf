"""Trust in sources, field by field: which file may overwrite what another one said."""

from itertools import permutations
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from customers.models import Customer, ImportBatch, ImportChange, SurvivorshipRule
from customers.services.imports import undo
from customers.services.imports.runs import begin_run
from loancrm.kernel.access import system_actor
from tests.integration.customers.import_rows import NOW, Load, counts, loader, opened, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CARD = "11010519491231002X"
SOURCES = ("core", "crm", "form")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def rank(field: str = "*", *sources: str) -> SurvivorshipRule:
    listed = list(sources or SOURCES)
    return SurvivorshipRule.objects.create(field=field, prefer="source", sources=listed)


def golden() -> dict[str, object]:
    customer = Customer.objects.get()
    picture = opened(customer)
    picture["plain"] = (customer.city, customer.birth_date, customer.gender)
    return picture


ROWS = {
    "core": person(1, id="1", card=CARD, name="李平", city="", income="3000", phone="13800000007"),
    "crm": person(1, id="2", card=CARD, name="李萍", city="西安", income="", phone="13800000008"),
    "form": person(1, id="3", card=CARD, name="李坪", city="北京", income="9", phone="13800000007"),
}


@pytest.mark.parametrize("order", list(permutations(SOURCES)), ids="-".join)
def test_s68_the_same_files_in_any_order_give_the_same_customer(
    load: Load, order: tuple[str, ...]
) -> None:
    rank()
    for source in order:
        load([ROWS[source]], source=source)
    found = golden()
    assert found["name"] == "李平"
    assert found["plain"][0] == "西安"
    assert [value for name, value, *_ in found["values"]] == [3000]
    assert found["points"] == [
        ("phone", "+8613800000007", True),
        ("phone", "+8613800000008", False),
    ]
    customer = Customer.objects.get()
    said_by = {name: customer.field_sources.get(name, customer.source) for name in ("name", "city")}
    assert said_by == {"name": "core", "city": "crm"}
    assert customer.attribute_values.get().source == "core"
    # Sent again, nothing moves any more.
    for source in order:
        assert counts(load([ROWS[source]], source=source)) == (0, 0, 1, 0, 0)
    assert golden() == found


def test_s68_what_was_not_taken_is_reported(load: Load) -> None:
    rank("city")
    load([person(1, city="西安")], source="core")
    report = load([person(1, id="9", city="北京", income="2000")], source="crm")
    assert report.by_reason == {"source_outranked": 1}
    assert counts(report) == (0, 1, 0, 0, 0)
    customer = Customer.objects.get()
    assert customer.city == "西安"
    assert [value for _, value, *_ in opened(customer)["values"]] == [2000]


def test_s68_without_a_rule_the_newest_file_wins_and_its_source_is_remembered(load: Load) -> None:
    load([person(1, city="西安")], source="core")
    load([person(1, id="9", city="北京")], source="crm")
    customer = Customer.objects.get()
    assert (customer.city, customer.source, customer.field_sources) == (
        "北京",
        "core",
        {"city": "crm"},
    )
    load([person(1, city="武汉")], source="core")
    customer.refresh_from_db()
    assert (customer.city, customer.field_sources) == ("武汉", {})


def test_s68_a_field_follows_its_own_rule_before_the_general_one(load: Load) -> None:
    rank()
    rank("city", "form", "core")
    load([ROWS["core"] | {"city": "上海"}], source="core")
    load([ROWS["form"]], source="form")
    found = golden()
    assert (found["plain"][0], found["name"]) == ("北京", "李平")


def test_a7_an_undo_gives_values_back_to_their_sources(load: Load) -> None:
    rank()
    load([ROWS["form"]], source="form")
    load([ROWS["crm"]], source="crm")
    before = golden()
    sources = Customer.objects.get().field_sources
    batch_id = load([ROWS["core"]], source="core").batch_id
    assert ImportChange.objects.filter(batch_id=batch_id, kind="trusted").exists()
    batch = ImportBatch.objects.get(pk=batch_id)
    actor = system_actor("test")
    undo.begin_undo(actor=actor, batch=batch, reason="test", now=NOW)
    run = begin_run(batch.pk, now=NOW)
    assert run
    report = undo.run_undo(actor=actor, batch=batch, run=run)
    assert report.kept == 0
    assert golden() == before
    assert Customer.objects.get().field_sources == sources


def test_a_rule_names_a_field_that_exists() -> None:
    for field in ("*", "city", "contact.phone", "attribute.income"):
        SurvivorshipRule(field=field).full_clean()
    with pytest.raises(ValidationError, match="birth_date"):
        SurvivorshipRule(field="town").full_clean()
