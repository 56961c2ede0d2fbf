"""Importing customers: who is the same person, and which contact is whose."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from customers.domain.linkage.resolution import pairwise_quality
from customers.models import (
    ContactPoint,
    Customer,
    IdentityLink,
    MergeDecision,
    RejectedRow,
)
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder, ImportReport
from customers.services.imports.steps import apply
from loancrm.kernel.access import system_actor
from loancrm.kernel.auditing import audit
from tests.integration.customers.import_rows import (
    MAPPING,
    NOW,
    Load,
    card,
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


def test_a10_people_are_found_across_files_and_sources(load: Load) -> None:
    load([person(1, card=card(1)), person(2, email="b@example.com"), person(3)])
    rows = [
        person(1, id="X1", card=card(1), phone="", name=""),
        person(2, id="X2", phone="", email="B@EXAMPLE.COM"),
        person(3, id="X3", city=""),
        person(4, id="X4"),
    ]
    report = load(rows, source="crm")
    assert counts(report) == (1, 0, 3, 0, 0)
    assert Customer.objects.count() == 4
    links = dict(IdentityLink.objects.filter(source="crm").values_list("external_id", "matched_by"))
    assert links == {
        "X1": "national_id",
        "X2": "email",
        "X3": "phone",
        "X4": "external_id",
    }


def _planted(rng: random.Random, entities: int) -> list[tuple[str, dict[str, str]]]:
    """Rows of made-up people as chains: each row shares one exact key with the one before.

    Neighbours share a phone with others of another name and birth date, and several people a name.
    """
    rows = []
    for serial in range(entities):
        keys = {
            "card": card(serial),
            "phone": f"139{serial:08d}",
            "email": f"e{serial}@example.com",
        }
        born = f"19{80 + serial % 20}-01-01"
        blank = dict.fromkeys((*keys, "born"), "")
        held = [name for name in keys if rng.random() < 0.5] or ["phone"]
        for _record in range(rng.randint(1, 5)):
            shared = rng.choice(held)
            held = sorted({shared, *(name for name in keys if rng.random() < 0.4)})
            values = {name: keys[name] for name in held}
            if "card" not in held:
                values["born"] = born
            name = f"王{chr(0x4E00 + serial // 3)}"
            number = len(rows) + 1
            rows.append((f"e{serial}", person(number, name=name, **(blank | values))))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_a10_a_planted_graph_of_exact_keys_is_resolved_without_an_error(
    load: Load, seed: int
) -> None:
    rng = random.Random(seed)
    rows = _planted(rng, 120)
    rng.shuffle(rows)

    load([row for _entity, row in rows])

    owners = dict(IdentityLink.objects.values_list("external_id", "customer_id"))
    found = [owners[row["id"]] for _entity, row in rows]
    quality = pairwise_quality(found, [entity for entity, _row in rows])
    assert quality.true > 100
    assert (quality.precision, quality.recall, quality.f1) == (1.0, 1.0, 1.0)
    assert Customer.objects.count() == 120


def test_a10_two_national_ids_never_merge_and_a_phone_stays_with_its_owner(load: Load) -> None:
    rows = [person(1, card=card(1), born=""), person(1, id="A2", card=card(2), born="")]
    report = load(rows)
    assert counts(report) == (2, 0, 0, 0, 0)
    assert report.by_reason == {"contact_shared": 1}
    points = ContactPoint.objects.order_by("pk").values_list("customer__external_id", "is_primary")
    assert list(points) == [("A1", True), ("A2", False)]
    assert counts(load(rows)) == (0, 0, 2, 0, 0)


def test_a10_a_recycled_phone_is_another_person(load: Load) -> None:
    load([person(1)])
    report = load([person(1, id="A2", name="王芳", born="1999-01-01")])
    assert counts(report) == (1, 0, 0, 0, 0)
    assert Customer.objects.count() == 2


def test_a_source_id_with_another_national_id_is_rejected(load: Load) -> None:
    rows = [person(1, card=card(1), born=""), person(1, card=card(2), born="", phone="")]
    first = load(rows)
    assert counts(first) == (1, 0, 0, 1, 0)
    assert first.by_reason == {"identity_conflict": 1}
    assert counts(load(rows)) == (0, 0, 1, 1, 0)
    assert RejectedRow.objects.filter(code="identity_conflict").count() == 2


def test_a_row_that_fits_two_customers_proposes_a_merge(load: Load) -> None:
    load([person(1, card=card(1), born="", phone=""), person(2, name="", born="")])
    row = person(2, id="X1", name="", card=card(1), born="")
    report = load([row], source="crm")
    assert counts(report) == (0, 1, 0, 0, 0)
    assert report.by_reason == {"contact_shared": 1, "name_missing": 1}
    first, second = Customer.objects.order_by("pk")
    decision = MergeDecision.objects.get()
    assert (decision.kept_id, decision.other_id) == (first.pk, second.pk)
    assert decision.state == "proposed"
    assert Customer.objects.count() == 2


def test_a_new_number_becomes_primary_and_the_old_one_is_kept(load: Load) -> None:
    load([person(1)])
    load([person(1, phone="13900000001")])
    assert opened(Customer.objects.get())["points"] == [
        ("phone", "+8613800000001", False),
        ("phone", "+8613900000001", True),
    ]


def test_a_landline_is_never_the_number_for_messages(load: Load) -> None:
    report = load([person(1, phone="010-62345678")])
    assert report.by_reason == {}
    assert not ContactPoint.objects.get().is_primary


def test_a_page_is_tried_again_when_somebody_else_was_faster(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    find = apply.find_people

    def find_and_be_overtaken(**kwargs: Any) -> Any:
        found = find(**kwargs)
        calls.append(found)
        if len(calls) == 1:
            index = kwargs["probes"][0].likeness.national_id
            Customer.objects.create(national_id_index=index, created_at=NOW, updated_at=NOW)
        return found

    monkeypatch.setattr(apply, "find_people", find_and_be_overtaken)
    report = load([person(1, card=card(1), born=""), person(1, card=card(1), born="")])
    assert (len(calls), counts(report)) == (2, (1, 0, 0, 0, 1))
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_f41_two_imports_of_the_same_people_at_once_lose_and_double_nobody(
    tmp_path: Path,
) -> None:
    people = [person(n, card=card(n) if n < 20 else "", born="") for n in range(300)]
    files = {
        "forth": write_csv(tmp_path / "forth.csv", people),
        "back": write_csv(tmp_path / "back.csv", people[::-1]),
    }

    def run(source: str) -> ImportReport:
        try:
            return from_file.import_customers(
                actor=system_actor("test"),
                order=ImportOrder(path=files[source], mapping=MAPPING, source=source),
                now=NOW,
                today=NOW.date(),
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, files))
    assert sum(report.created for report in reports) == 300
    assert Customer.objects.count() == 300
    assert IdentityLink.objects.values("customer").distinct().count() == 300
    assert audit.verify().is_intact


def test_two_ids_of_one_customer_are_one_unchanged_and_one_merged_row(load: Load) -> None:
    rows = [person(1, phone="", card=card(1)), person(2, phone="", card="")]
    load(rows)
    kept, other = Customer.objects.order_by("pk")
    IdentityLink.objects.filter(customer=other).update(customer=kept)
    assert counts(load(rows)) == (0, 0, 1, 0, 1)
    IdentityLink.objects.filter(external_id="A2").update(customer=other)
    Customer.objects.filter(pk=other.pk).update(merged_into=kept)
    assert counts(load(rows)) == (0, 0, 1, 0, 1)
