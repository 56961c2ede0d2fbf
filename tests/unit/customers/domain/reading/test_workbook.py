"""Workbooks that are damaged or meant to do harm."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from customers.domain.reading import file_limits
from customers.domain.reading.tabular import TabularError, open_table
from customers.domain.values.quality import Code

DTD = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'


def saved(folder: Path) -> Path:
    book = Workbook()
    assert book.active is not None
    book.active.append(["id", "name"])
    book.active.append([1, "a"])
    path = folder / "people.xlsx"
    book.save(path)
    return path


def changed(path: Path, part: str, content: bytes) -> Path:
    """Write a workbook anew with one of its parts replaced."""
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return target


def refusal(path: Path) -> str:
    with pytest.raises(TabularError) as caught, open_table(path) as table:
        list(table)
    return caught.value.code


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_e3_a_document_type_definition_is_a_clear_refusal(tmp_path: Path, part: str) -> None:
    path = saved(tmp_path)
    with zipfile.ZipFile(path) as archive:
        text = archive.read(part)
    body = text.partition(b"?>")[2] if text.startswith(b"<?xml") else text
    assert refusal(changed(path, part, DTD + body)) == "xml_unsafe"


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_a_part_that_is_no_xml_is_a_clear_refusal(tmp_path: Path, part: str) -> None:
    assert refusal(changed(saved(tmp_path), part, b"<a")) in {"not_a_table", "file_damaged"}


def test_e2_an_archive_that_unpacks_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    monkeypatch.setattr(file_limits, "MAX_UNPACKED_BYTES", 1_000)
    assert refusal(path) == "file_too_large"


def test_e2_a_row_beyond_the_last_one_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    far = sheet.replace(b'r="2"', b'r="99999999"').replace(b'"A2"', b'"A99999999"')
    assert refusal(changed(path, "xl/worksheets/sheet1.xml", far)) in {
        *("rows_too_many", "file_damaged"),
    }


def test_e2_a_far_cell_refuses_its_row_and_costs_no_more(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    page.append(["name"])
    page.append(["a"])
    page.cell(row=3, column=16_384, value="far")
    page.append(["b"])
    path = tmp_path / "far.xlsx"
    book.save(path)
    with open_table(path) as table:
        found = [(row.line, row.flaw) for row in table]
    assert (3, Code.ROW_TOO_LONG) in found
    assert {line for line, code in found if code is None} >= {2, 4}
