import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.domain.exports import LABELS, ExportColumn, csv_lines, read_columns, safe_cell


def test_columns_come_once_each_in_the_order_of_the_file():
    assert read_columns(["city", "name", "city"]) == (ExportColumn.NAME, ExportColumn.CITY)
    with pytest.raises(ValueError, match="password"):
        read_columns(["name", "password"])
    assert set(LABELS) == set(ExportColumn)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_begins_like_a_formula(start):
    assert safe_cell(f"{start}cmd|' /C calc'!A0").startswith(f"'{start}")
    assert safe_cell(f"上海{start}") == f"上海{start}"


@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), max_size=4))
def test_what_is_written_is_read_back_cell_by_cell(rows):
    text = csv_lines(rows)
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [[safe_cell(cell) for cell in row] for row in rows]
