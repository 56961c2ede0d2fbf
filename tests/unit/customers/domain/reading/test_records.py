import gzip

import pytest

from customers.domain.reading.records import ColumnMap, open_records
from customers.domain.reading.tabular import TabularError


def _rows(path, column_map=None):
    with open_records(path, column_map) as records:
        return list(records.rows)


def test_a_table_and_json_lines_give_the_same_rows(tmp_path):
    (tmp_path / "a.csv").write_text("who,at\nc1,2026-01-01\n")
    (tmp_path / "a.jsonl").write_text('{"who": "c1", "at": "2026-01-01"}\n')
    with gzip.open(tmp_path / "a.csv.gz", "wt") as stream:
        stream.write("who,at\nc1,2026-01-01\n")

    table = _rows(tmp_path / "a.csv")

    assert table == [{"who": "c1", "at": "2026-01-01"}]
    assert table == _rows(tmp_path / "a.jsonl") == _rows(tmp_path / "a.csv.gz")


def test_columns_are_renamed_and_empty_cells_take_the_constant(tmp_path):
    (tmp_path / "a.csv").write_text("who,event\nc1,\nc2,login\n")
    names = ColumnMap.from_json('{"columns": {"external_id": "who"}, "constants": {"event": "x"}}')

    rows = _rows(tmp_path / "a.csv", names)

    assert [(row["external_id"], row["event"]) for row in rows] == [("c1", "x"), ("c2", "login")]


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"column": {}}', '{"columns": []}', '{"constants": "x"}']
)
def test_a_wrong_mapping_is_refused(text):
    with pytest.raises(TabularError) as caught:
        ColumnMap.from_json(text)

    assert caught.value.code == "mapping_invalid"


def test_a_line_that_is_no_object_has_a_flaw_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_text('{"a": 1}\nno\n{"a": 3}\n')

    rows = _rows(path)

    assert [(row.line, row.flaw) for row in rows] == [(1, ""), (2, "row_malformed"), (3, "")]
    assert (rows[0]["a"], rows[2]["a"]) == ("1", "3")


def test_e1_rows_with_an_open_quote_or_more_cells_than_columns_have_a_flaw(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('who,at\nc1,"2026-01-01\nc2,2026-01-02,x\nc3,2026-01-03\n')

    rows = _rows(path)

    assert [(row.line, row.flaw) for row in rows] == [
        (2, "quote_unclosed"),
        (3, "cells_misaligned"),
        (4, ""),
    ]
