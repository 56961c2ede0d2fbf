"""Reading Parquet files: the same rows as the CSV of them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from customers.domain.reading.tabular import TableKind, TabularError, open_table
from customers.domain.values.quality import Code


def write(path: Path, columns: dict[str, object], **options: object) -> Path:
    parquet.write_table(pa.table(columns), path, **options)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with open_table(path) as table:
        return [dict(row.values) for row in table]


def test_typed_cells_become_the_texts_that_a_person_would_write(tmp_path: Path) -> None:
    path = write(
        tmp_path / "people.parquet",
        {
            "id": pa.array([1, 2], pa.int64()),
            "姓名": ["雷𠮷芳", None],
            "kind": pa.array(["a", "b"]).dictionary_encode(),
            "born": [date(1990, 5, 8), None],
            "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None]),
            "sum": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "share": [0.5, 2.0],
            "ok": [True, False],
            "raw": pa.array(["甲".encode(), b""], pa.binary()),
            "tags": [["x", "y"], []],
        },
    )
    with open_table(path) as table:
        assert (table.kind, table.encoding, table.row_estimate) == (
            TableKind.PARQUET,
            "parquet",
            2,
        )
        found = [(row.line, dict(row.values)) for row in table]
    assert found == [
        (
            2,
            {
                "id": "1",
                "姓名": "雷𠮷芳",
                "kind": "a",
                "born": "1990-05-08",
                "at": "2026-01-02T03:04:05+00:00",
                "sum": "1.50",
                "share": "0.5",
                "ok": "TRUE",
                "raw": "甲",
                "tags": '["x", "y"]',
            },
        ),
        (
            3,
            {
                "id": "2",
                "姓名": "",
                "kind": "b",
                "born": "",
                "at": "",
                "sum": "",
                "share": "2",
                "ok": "FALSE",
                "raw": "",
                "tags": "[]",
            },
        ),
    ]


def test_rows_are_the_same_however_they_are_grouped(tmp_path: Path) -> None:
    columns = {"n": [str(n) for n in range(5_001)]}
    one = rows_of(write(tmp_path / "one.parquet", columns))
    many = rows_of(write(tmp_path / "many.parquet", columns, row_group_size=7))
    assert one == many
    assert [row["n"] for row in one] == columns["n"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "people.parquet", {"a": ["x"] * 100})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TabularError) as caught, open_table(path):
        pass
    assert caught.value.code == "not_a_table"


def test_e3_a_cell_that_is_no_text_refuses_its_row_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.parquet",
        {
            "a": pa.array([b"x", b"\xff\xff", b"z", b"n\x00l", b"w" * 140_000], pa.binary()),
            "b": ["1", "2", "3", "4", "5"],
        },
    )
    with open_table(path) as table:
        rows = [(row.line, row.flaw, row.values["b"]) for row in table]
    assert rows == [
        (2, None, "1"),
        (3, Code.TEXT_UNREADABLE, "2"),
        (4, None, "3"),
        (5, Code.TEXT_BINARY, "4"),
        (6, Code.CELL_TOO_LONG, "5"),
    ]


def test_e2_a_file_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {f"c{number}": ["x"] for number in range(2_001)})
    with pytest.raises(TabularError) as caught, open_table(path):
        pass
    assert (caught.value.code, caught.value.facts) == ("columns_too_many", {"most": 2_000})


def test_columns_need_names(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"": ["x"]})
    with pytest.raises(TabularError) as caught, open_table(path):
        pass
    assert caught.value.code == "header_missing"
