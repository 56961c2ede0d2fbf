"""The statements that make customers of staged rows: complete, and by indexes."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.domain.imports.mapping import TEXT_FIELDS
from customers.domain.values.attribute import AttributeType
from customers.services.imports.steps.trust import DEFAULTS
from loancrm.kernel.database import named_sql
from tests.integration.customers.import_rows import Load, loader, person
from tests.planner import tables_read_through

CREATE = named_sql._text("customers", "imports/create_customers", "postgresql")


def test_every_text_of_a_customer_is_written() -> None:
    asked = re.findall(r"COALESCE\(content->'texts'->>'(\w+)', (?:''|%\((\w+)\)s)\)", CREATE)
    assert [name for name, _default in asked] == list(TEXT_FIELDS)
    assert {name for name, default in asked if default} == set(DEFAULTS)
    for name in DEFAULTS:
        assert f"'{name}',\n" in CREATE


def test_every_type_of_attribute_is_written() -> None:
    assert set(re.findall(r"WHEN item->>1 = '(\w+)'", CREATE)) == set(AttributeType)


@pytest.mark.sql
@pytest.mark.django_db
def test_no_large_table_is_read_through(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite rows go through Python")
    load: Load = loader(tmp_path)
    with CaptureQueriesContext(connection) as asked:
        for _time in range(2):
            load([person(n) for n in range(20)])
    statements = [each["sql"] for each in asked.captured_queries if "waiting AS M" in each["sql"]]
    assert len(statements) >= 2
    for sql in statements:
        assert tables_read_through(sql) == set()
