"""Rows of a table file or of a JSON-lines file, one at a time, with columns renamed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from customers.domain.tabular import TabularError, open_table

_JSON_SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How the columns of a file are called by loancrm.

    Attributes:
        columns: {our name: name in the file}; columns that are not named keep their name.
        constants: {our name: text} for what the file does not say; used where the cell is empty.
    """

    source: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> "ColumnMap":
        """Return the map of a JSON object with the keys source, columns and constants.

        Raises:
            TabularError: `mapping_invalid`.
        """
        try:
            content = json.loads(text)
            known = {"source", "columns", "constants"}
            if not isinstance(content, dict) or not content.keys() <= known:
                raise TabularError("mapping_invalid")
            return cls(
                source=str(content.get("source", "")),
                columns=_text_map(content.get("columns", {})),
                constants=_text_map(content.get("constants", {})),
            )
        except json.JSONDecodeError as err:
            raise TabularError("mapping_invalid", line=err.lineno) from err

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row under our names."""
        renamed = dict(row)
        for ours, theirs in self.columns.items():
            renamed[ours] = row.get(theirs)
        for ours, text in self.constants.items():
            if renamed.get(ours) in {None, ""}:
                renamed[ours] = text
        return renamed


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of an open file; iterate once."""

    row_estimate: int
    rows: Iterator[Mapping[str, Any]]


@contextmanager
def open_records(path: Path, column_map: ColumnMap | None = None) -> Iterator[Records]:
    """Open CSV (also .gz), XLSX or JSON lines (.jsonl, .ndjson) for reading row by row.

    Raises:
        TabularError: The file is not a table, or a line is not a JSON object.
        OSError: The file cannot be opened.
    """
    names = column_map or ColumnMap()
    if path.suffix.lower() in _JSON_SUFFIXES:
        with path.open(encoding="utf-8-sig") as stream:
            yield Records(0, (names.apply(row) for row in _json_rows(stream)))
        return
    with open_table(path) as table:
        yield Records(table.row_estimate, (names.apply(row.values) for row in table))


def _json_rows(stream: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    for line, text in enumerate(stream, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as err:
            raise TabularError("row_malformed", line=line) from err
        if not isinstance(row, dict):
            raise TabularError("row_malformed", line=line)
        yield row


def _text_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TabularError("mapping_invalid")
    return {str(key): str(text) for key, text in value.items()}
