"""Made-up rows for import tests, and what they became."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from customers.domain.imports.mapping import parse_mapping
from customers.domain.values.national_id import check_digit
from customers.models import ContactPoint, Customer
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder, ImportReport
from loancrm.kernel.access import system_actor
from loancrm.kernel.security import crypto

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
COLUMNS = ("id", "name", "card", "born", "phone", "email", "city", "income", "sms")
MAPPING = parse_mapping(
    {
        "name": "test",
        "id_column": "id",
        "columns": {
            "name": {"to": "customer.name", "expected": True},
            "card": "customer.national_id",
            "born": "customer.birth_date",
            "phone": "contact.phone",
            "email": "contact.email",
            "city": "customer.city",
            "income": {"to": "attribute.income", "type": "number"},
            "sms": "consent.sms.marketing",
        },
    }
)
Row = dict[str, str]
Load = Callable[..., ImportReport]


def card(serial: int) -> str:
    body = f"44052419{80 + serial % 20}0101{serial % 1000:03d}"
    return body + check_digit(body)


def person(serial: int, **changes: str) -> Row:
    row = {
        "id": f"A{serial}",
        "name": f"李平{chr(0x4E00 + serial)}",
        "card": "",
        "born": "1990-05-08",
        "phone": f"138{serial:08d}",
        "email": "",
        "city": "西安",
        "income": "1000",
        "sms": "",
    }
    return row | changes


def write_csv(path: Path, rows: list[Row], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (
        report.created,
        report.updated,
        report.unchanged,
        report.rejected,
        report.merged,
    )


def opened(customer: Customer) -> dict[str, object]:
    vault = crypto.vault()
    name = (
        vault.open(Customer.NAME_COLUMN, customer.public_id, customer.name_sealed)
        if customer.name_sealed
        else ""
    )
    number = (
        vault.open(Customer.NATIONAL_ID_COLUMN, customer.public_id, customer.national_id_sealed)
        if customer.national_id_sealed
        else ""
    )
    points = sorted(
        (p.kind, vault.open(ContactPoint.VALUE_COLUMN, p.row_key, p.value_sealed), p.is_primary)
        for p in customer.contact_points.all()
    )
    values = sorted(
        customer.attribute_values.values_list("definition__name", "number", "text", "day", "flag")
    )
    consents = sorted(customer.consent_states.values_list("channel", "purpose", "is_granted"))
    plain = (customer.external_id, customer.birth_date, customer.gender, customer.city)
    return {
        "plain": plain,
        "name": name,
        "number": number,
        "points": points,
        "values": values,
        "consents": consents,
    }


def loader(folder: Path) -> Load:
    """A function that imports rows and checks that the counts add up."""

    def run(rows: list[Row], now: datetime = NOW, **order: Any) -> ImportReport:
        path = write_csv(folder / "people.csv", rows)
        report = from_file.import_customers(
            actor=system_actor("test"),
            order=ImportOrder(path=path, **({"mapping": MAPPING} | order)),
            now=now,
            today=now.date(),
        )
        parts = (report.created, report.updated, report.unchanged, report.rejected, report.merged)
        assert report.rows == sum(parts)
        return report

    return run
