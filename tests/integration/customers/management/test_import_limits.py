"""Limits on the command line, the cards of a source, and the benchmark of imports."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.benchmarks import imports as import_benchmark
from customers.models import Customer, ImportBatch
from customers.selectors.imports import quality
from loancrm.kernel.errors import LoanCrmError
from tests.integration.customers.import_rows import NOW, loader, person

CONTENT = "client_id;birth_number;district_id\n1;706213;18\n2;450204;1\n3;x;1\n"


@pytest.mark.django_db(transaction=True)
def test_a8_a_limit_on_the_command_line_stops_the_file(tmp_path: Path) -> None:
    path = tmp_path / "client.csv"
    path.write_text(CONTENT, encoding="utf-8")
    arguments = ["import_customers", str(path), "--mapping", "berka_clients"]
    with pytest.raises((CommandError, LoanCrmError)):
        call_command(*arguments, "--limit", "date_invalid=0.1")
    assert not Customer.objects.exists()
    assert ImportBatch.objects.get().exceeded[0]["count"] == 1
    with pytest.raises(CommandError):
        call_command(*arguments, "--limit", "nonsense=0.1")


@pytest.mark.django_db
def test_a8_a_source_has_its_cards_over_time(tmp_path: Path) -> None:
    load = loader(tmp_path)
    load([person(1), person(2, phone="12")])
    load([person(3), person(3, id="A4"), person(4, id="A5", email="x")])
    later, first = quality.source_history(source="test", limit=5)
    # Nine columns but the id's; blank: card, email and sms in both rows.
    assert first.shares == ((10, 16), (9, 10), (2, 2), (2, 2), (0, 0))
    assert later.shares[:3] == ((16, 24), (15, 16), (2, 3))
    assert first.created_at == NOW


@pytest.mark.django_db(transaction=True)
def test_the_benchmark_measures_the_same_rows_three_times(tmp_path: Path, settings: object) -> None:
    settings.LOANCRM_VAR_DIR = tmp_path  # type: ignore[attr-defined]
    report = import_benchmark.run(scale=0.0002, rounds=1)
    assert (report.figures["created"], report.figures["unchanged_again"]) == (200, 200)
    assert not report.to_json()["met"]
