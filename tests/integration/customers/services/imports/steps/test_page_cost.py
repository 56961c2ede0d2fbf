"""What a further page of a file costs beside its rows."""

from collections import Counter
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.customers.import_rows import loader, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TABLES = ("kernel_work", "kernel_audithead", "kernel_auditentry")


def cost(folder: Path, serials: range) -> Counter[str]:
    """The statements about the run itself and the audit trail, while new people are imported."""
    with CaptureQueriesContext(connection) as asked:
        assert loader(folder)([person(serial) for serial in serials]).created == len(serials)
    return Counter(
        table
        for each in asked.captured_queries
        for table in TABLES
        if f'"{table}"' in each["sql"].partition("WHERE")[0]
    )


def test_a_page_writes_about_its_run_once_and_asks_once(tmp_path: Path) -> None:
    cost(tmp_path, range(10))
    short = cost(tmp_path, range(100, 2_100))
    long = cost(tmp_path, range(3_000, 7_000))
    long.subtract(short)
    # Two pages more to be read. PostgreSQL applies both in one window, SQLite in two pages.
    pages = 2 + (1 if connection.vendor == "postgresql" else 2)
    applied = pages - 2
    assert long["kernel_work"] == 2 * pages
    # Lock and change of the head; the entry.
    assert (long["kernel_audithead"], long["kernel_auditentry"]) == (2 * applied, applied)
