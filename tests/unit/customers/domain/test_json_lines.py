"""Files with one JSON object a line."""

import json
from pathlib import Path

import pytest

from customers.domain.tabular import TableKind, TabularError, open_table


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.jsonl"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
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


@pytest.mark.parametrize("bad", ['{"a": ', "[1]", "5", "{" * 100_000])
def test_a_broken_line_is_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(TabularError) as caught, open_table(write(tmp_path, f'{{"a": 1}}\n{bad}\n')):
        pass
    assert (caught.value.code, caught.value.line) == ("row_malformed", 2)
