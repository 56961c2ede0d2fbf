"""The real bank-marketing file: planted faults, duplicates, and a second run."""

import csv
import json
from collections import Counter, defaultdict
from io import StringIO
from itertools import combinations
from pathlib import Path

import pytest
from django.core.management import call_command

from customers.models import ConsentState, ContactPoint, Customer, IdentityLink, ImportRow
from loancrm.kernel.auditing import audit

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
KEYS = {
    *("rows", "created", "updated", "unchanged", "rejected", "merged", "by_reason", "seconds"),
}
COUNTS = ("created", "updated", "unchanged", "rejected", "merged")


def run_import(path: Path, rejects: Path | None = None) -> dict:
    out = StringIO()
    options = {"rejects": rejects} if rejects else {}
    call_command(
        "import_customers", str(path), "--mapping", "campaign_bank", "--json", stdout=out, **options
    )
    report = json.loads(out.getvalue())
    assert report.keys() == KEYS
    assert report["rows"] == sum(report[key] for key in COUNTS)
    return report


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def pairs(groups: dict[object, set[str]]) -> set[tuple[str, str]]:
    return {pair for group in groups.values() for pair in combinations(sorted(group), 2)}


def test_every_planted_fault_is_found_and_nothing_else(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "campaign_bank"
    truth = {row["external_id"]: row for row in rows_of(folder / "truth.csv")}
    planted = Counter(fault for row in truth.values() for fault in row["fault"].split("+") if fault)
    rejects = tmp_path / "rejects.csv"

    report = run_import(folder / "customers.csv", rejects)

    assert report["by_reason"] == dict(planted)
    assert (report["rows"], report["created"], report["merged"]) == (4258, 4119, 139)
    assert report["rejected"] == report["updated"] == report["unchanged"] == 0
    # Line 1 is the header; no cell of this file spans lines.
    by_line = {
        line: row["external_id"]
        for line, row in enumerate(rows_of(folder / "customers.csv"), start=2)
    }
    found = defaultdict(set)
    for row in rows_of(rejects):
        found[by_line[int(row["line"])]].add(row["code"])
        assert row["reason_zh"]
        assert row["reason_en"]
    wanted = {key: set(row["fault"].split("+")) for key, row in truth.items() if row["fault"]}
    assert found == wanted


def test_duplicates_end_in_the_person_they_belong_to(shared_data: Path) -> None:
    folder = shared_data / "campaign_bank"
    run_import(folder / "customers.csv")
    people, customers = defaultdict(set), defaultdict(set)
    for row in rows_of(folder / "truth.csv"):
        people[row["person"]].add(row["external_id"])
    for link in IdentityLink.objects.all():
        customers[link.customer_id].add(link.external_id)
    assert Customer.objects.count() == len(people) == len(customers) == 4119
    # Equal sets of pairs: precision and recall are both 1.
    assert pairs(customers) == pairs(people)


def test_second_run_changes_nothing(shared_data: Path) -> None:
    path = shared_data / "campaign_bank/customers.csv"
    first = run_import(path)
    before = list(Customer.objects.order_by("pk").values_list())
    consents = list(ConsentState.objects.order_by("pk").values_list())
    points = ContactPoint.objects.count()

    second = run_import(path)

    assert second["created"] == second["updated"] == 0
    assert (second["unchanged"], second["merged"]) == (4119, 139)
    assert second["by_reason"] == first["by_reason"]
    assert list(Customer.objects.order_by("pk").values_list()) == before
    assert list(ConsentState.objects.order_by("pk").values_list()) == consents
    assert ContactPoint.objects.count() == points
    assert audit.verify().is_intact


def test_applied_rows_keep_no_second_copy_of_personal_data(shared_data: Path) -> None:
    run_import(shared_data / "campaign_bank/customers.csv")
    assert ImportRow.objects.count() == 4258
    assert not ImportRow.objects.filter(content__isnull=False).exists()


def test_clients_of_the_berka_bank_come_in_with_translated_codes(shared_data: Path) -> None:
    out = StringIO()
    path = shared_data / "berka_bank/client.csv"
    call_command("import_customers", str(path), "--mapping", "berka_clients", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert (report["rows"], report["created"], report["by_reason"]) == (5369, 5369, {})
    client = Customer.objects.get(external_id="1")
    assert (client.birth_date.isoformat(), client.gender) == ("1970-12-13", "female")
    assert (client.province, client.city, client.language) == ("south Bohemia", "Pisek", "en")
