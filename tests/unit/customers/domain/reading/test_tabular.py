"""Reading CSV and XLSX files as text rows."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from customers.domain.reading.encodings import text_facts
from customers.domain.reading.tabular import TableKind, TabularError, cell_text, open_table

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "id,姓名,phone\n1,雷𠮷芳,13800138000\n2,李平,\n"
ROWS = [
    {"id": "1", "姓名": "雷𠮷芳", "phone": "13800138000"},
    {"id": "2", "姓名": "李平", "phone": ""},
]


def rows_of(path: Path) -> list[dict[str, str]]:
    with open_table(path) as table:
        return [dict(row.values) for row in table]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_same_text_in_any_supported_encoding_gives_the_same_rows(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(TEXT.encode(encoding))
    assert rows_of(path) == ROWS


def test_gzip_is_unpacked_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "people.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert rows_of(path) == ROWS


def test_xlsx_gives_the_same_rows_as_csv(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (
        ["id", "姓名", "phone"],
        [1, "雷𠮷芳", 13800138000],
        [2, "李平", None],
        [None, None, None],
    ):
        sheet.append(cells)
    path = tmp_path / "people.xlsx"
    book.save(path)
    with open_table(path) as table:
        assert table.kind is TableKind.XLSX
        found = [(row.line, dict(row.values)) for row in table]
    assert found == [(2, ROWS[0]), (3, ROWS[1])]


def test_encoding_is_found_from_the_last_line_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    names = "李雷韩梅张伟王芳赵磊陈静"
    path.write_bytes(b"id,name\n" + b"1,a\n" * 400_000 + f"2,{names}\n".encode("gb18030"))
    assert text_facts(path) == ("gb18030", 400_002, 0)


def test_binary_content_is_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x00\x01\x02\n")
    with pytest.raises(TabularError) as caught, open_table(path):
        pass
    assert caught.value.code == "not_a_table"


def test_line_numbers_count_physical_lines_through_quoted_breaks(tmp_path: Path) -> None:
    path = tmp_path / "breaks.csv"
    path.write_text('id,note\n1,"two\nlines"\n\n2,x\n', encoding="utf-8")
    with open_table(path) as table:
        assert [(row.line, row.values["note"]) for row in table] == [(2, "two\nlines"), (5, "x")]


def test_rows_of_empty_cells_are_left_out_and_short_rows_filled(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b,c\n,,\n1\n1,2,3,4\n", encoding="utf-8")
    with open_table(path) as table:
        found = [(row.line, dict(row.values), row.surplus) for row in table]
    assert found == [(3, {"a": "1", "b": "", "c": ""}, 0), (4, {"a": "1", "b": "2", "c": "3"}, 1)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiter_is_taken_from_the_header(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(f"a{mark}b\n1{mark}2\n", encoding="utf-8")
    assert rows_of(path) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "header_missing"),
        ("a,b,a\n1,2,3\n", "column_duplicate"),
        (",,\n1,2,3\n", "header_missing"),
    ],
)
def test_bad_headers_are_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TabularError) as caught, open_table(path):
        pass
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("00123", "00123"),
        (True, "TRUE"),
        (13800138000.0, "13800138000"),
        (1.5, "1.5"),
        (420402198207186113.0, "4.20402198207186E+17"),
        (420402198207186113, "420402198207186113"),
        (datetime(2001, 7, 3), "2001-07-03"),  # noqa: DTZ001 - spreadsheets know no zone
        (date(2001, 7, 3), "2001-07-03"),
    ],
)
def test_spreadsheet_values_become_the_text_a_person_typed(value: object, text: str) -> None:
    assert cell_text(value) == text
