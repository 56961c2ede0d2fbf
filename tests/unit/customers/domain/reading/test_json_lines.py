"""Files with one JSON object a line."""

import json
from pathlib import Path

import pytest

from customers.domain.reading.tabular import TableKind, TabularError, open_table
from customers.domain.values.quality import Code


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.jsonl"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_lines_become_rows_with_all_keys(tmp_path: Path, encoding: str) -> None:
    text = (
        '{"名": "李", "n": 12345678901234567890}\n\n{"n": 1.50, "ok": true, "x": null, "l": [1]}\n'
    )
    with open_table(write(tmp_path, text, encoding)) as table:
        assert (table.kind, table.columns) == (TableKind.JSONL, ("名", "n", "ok", "x", "l"))
        assert table.row_estimate == 2
        rows = [(row.line, dict(row.values)) for row in table]
    assert rows == [
        (1, {"名": "李", "n": "12345678901234567890", "ok": "", "x": "", "l": ""}),
        (3, {"名": "", "n": "1.50", "ok": "TRUE", "x": "", "l": json.dumps(["1"])}),
    ]


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        ('{"a": ', Code.ROW_MALFORMED),
        ("[1]", Code.ROW_MALFORMED),
        ("5", Code.ROW_MALFORMED),
        ("{" * 100_000, Code.ROW_MALFORMED),
        ('{"a": ' + "[" * 30 + "]" * 30 + "}", Code.ROW_MALFORMED),
        ('{"a": "\\u0000"}', Code.TEXT_BINARY),
        ('{"a": "\\ud800"}', Code.TEXT_BINARY),
        ('{"\\ud800": 1}', Code.ROW_MALFORMED),
        ('{"a": "' + "x" * 140_000 + '"}', Code.CELL_TOO_LONG),
        ('{"a": "' + "x" * 1_100_000 + '"}', Code.ROW_TOO_LONG),
    ],
    ids=range(10),
)
def test_e3_a_broken_line_is_refused_by_itself(tmp_path: Path, bad: str, flaw: Code) -> None:
    text = f'{{"a": 1}}\n{bad}\n{{"a": 3}}\n'
    with open_table(write(tmp_path, text)) as table:
        rows = [(row.line, row.flaw, row.values["a"][:3]) for row in table]
    assert [(line, found) for line, found, _a in rows] == [(1, None), (2, flaw), (3, None)]
    assert (rows[0][2], rows[2][2]) == ("1", "3")


@pytest.mark.parametrize("text", ["{\n", '[\n{"a": 1}\n]\n', "[1]\n", '{"a":\n1}\n'])
def test_a_file_whose_first_line_is_no_object_is_no_table(tmp_path: Path, text: str) -> None:
    with pytest.raises(TabularError) as caught, open_table(write(tmp_path, text)):
        pass
    assert (caught.value.code, caught.value.line) == ("not_a_table", 1)


def test_e2_too_many_keys_are_refused_with_how_many_are_allowed(tmp_path: Path) -> None:
    text = json.dumps({f"k{number}": number for number in range(3_000)})
    with pytest.raises(TabularError) as caught, open_table(write(tmp_path, text)):
        pass
    assert (caught.value.code, caught.value.facts) == ("columns_too_many", {"most": 2_000})
