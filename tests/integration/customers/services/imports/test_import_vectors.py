"""Known good and bad values, each imported as a row of a file of its own kind."""

import csv
from pathlib import Path

import pytest

from customers.domain.imports.mapping import parse_mapping
from customers.models import ContactPoint, Customer
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder, ImportReport
from loancrm.kernel.access import system_actor
from loancrm.kernel.security import crypto
from tests.integration.customers.import_rows import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def load(folder: Path, target: str, values: list[str]) -> ImportReport:
    """Import one column, every value once and each row with an id."""
    path = folder / "values.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "value"])
        writer.writerows([f"V{number}", value] for number, value in enumerate(values))
    columns = {"value": target}
    return from_file.import_customers(
        actor=system_actor("test"),
        order=ImportOrder(
            path=path,
            mapping=parse_mapping({"name": "vectors", "id_column": "id", "columns": columns}),
        ),
        now=NOW,
        today=NOW.date(),
    )


def vectors(shared_data: Path, name: str) -> list[dict[str, str]]:
    with (shared_data / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a9_identity_numbers_with_their_check_digits(shared_data: Path, tmp_path: Path) -> None:
    rows = vectors(shared_data, "vectors_cn_id/cn_id.csv")
    values = list(dict.fromkeys(row["input"] for row in rows))
    good = {row["input"] for row in rows if row["valid"] == "True"}
    report = load(tmp_path, "customer.national_id", values)
    refused = sum(count for code, count in report.by_reason.items() if code.startswith("id_"))
    assert refused == len(values) - len(good)
    assert any(number.endswith("X") for number in good)
    vault = crypto.vault()
    stored = {
        row.external_id: vault.open(
            Customer.NATIONAL_ID_COLUMN, row.public_id, row.national_id_sealed
        )
        for row in Customer.objects.filter(national_id_index__isnull=False)
    }
    by_number: dict[str, str] = {}
    for row in rows:
        if row["valid"] == "True" and row["birth"]:
            by_number[row["input"].upper()] = row["birth"]
    born = {
        stored[external_id]: day.isoformat()
        for external_id, day in Customer.objects.values_list("external_id", "birth_date")
        if external_id in stored
    }
    assert {number: born[number] for number in by_number if number in born} == {
        number: day for number, day in by_number.items() if number in born
    }
    assert len(born) > len(good) * 0.9


def test_a9_mobile_numbers_of_every_range(shared_data: Path, tmp_path: Path) -> None:
    rows = vectors(shared_data, "vectors_phone/phone_cn.csv")
    rows = [row for row in rows if row["variant"] != "excel_float"]
    values = [row["input"] for row in rows]
    good = {row["e164"] for row in rows if row["valid_mobile"] == "True"}
    bad = sum(row["valid_mobile"] != "True" for row in rows)
    report = load(tmp_path, "contact.phone", values)
    refused = sum(count for code, count in report.by_reason.items() if code.startswith("phone_"))
    assert refused == bad
    vault = crypto.vault()
    stored = {
        vault.open(ContactPoint.VALUE_COLUMN, point.row_key, point.value_sealed)
        for point in ContactPoint.objects.all()
    }
    assert stored == good


@pytest.mark.parametrize(
    ("target", "value", "code"),
    [
        ("customer.birth_date", "2026-02-30", "date_invalid"),
        ("customer.birth_date", "03/07/2001", "date_ambiguous"),
        ("customer.birth_date", "2027-01-01", "birth_future"),
        ("customer.birth_date", "2001年7月3日", ""),
        ("contact.phone", "1.38E+10", "phone_digits_lost"),
        ("customer.national_id", "110105194912310021", "id_checksum"),
        ("customer.national_id", "11010519491231002x", ""),
    ],
)
def test_a9_dates_and_digits(tmp_path: Path, target: str, value: str, code: str) -> None:
    report = load(tmp_path, target, [value])
    assert report.by_reason == ({code: 1} if code else {})
    assert report.created == 1


def test_a9_duplicates_inside_the_file_are_counted(tmp_path: Path) -> None:
    values = ["11010519491231002X", "11010519491231002x", "440524198001010013"]
    report = load(tmp_path, "customer.national_id", values)
    assert (report.rows, report.merged, report.by_reason["duplicate"]) == (3, 1, 1)
