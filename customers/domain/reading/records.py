"""Rows of a table file or of a JSON-lines file, one at a time, with columns renamed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from customers.domain.reading.tabular import Table, TabularError, TabularRow, open_table
from customers.domain.values.quality import Code


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How the columns of a file are called by loancrm.

    Attributes:
        columns: {our name: name in the file}; columns that are not named keep their name.
        constants: {our name: text} for what the file does not say; used where the cell is empty.
        encoding: Of a text file; found out where it is certain when empty.
    """

    source: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""

    @classmethod
    def from_json(cls, text: str) -> "ColumnMap":
        """Return the map of a JSON object with the keys source, columns, constants and encoding.

        Raises:
            TabularError: `mapping_invalid`.
        """
        try:
            content = json.loads(text)
            known = {"source", "columns", "constants", "encoding"}
            if not isinstance(content, dict) or not content.keys() <= known:
                raise TabularError("mapping_invalid")
            return cls(
                source=str(content.get("source", "")),
                columns=_text_map(content.get("columns", {})),
                constants=_text_map(content.get("constants", {})),
                encoding=str(content.get("encoding", "")),
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


class Record(dict[str, Any]):
    """One row under our names; a row with a `flaw` is to be refused for that reason."""

    __slots__ = ("flaw", "line")

    def __init__(self, content: Mapping[str, Any], *, line: int = 0, flaw: str = "") -> None:
        """Keep the row, where it stands, and what is wrong with it as a whole."""
        super().__init__(content)
        self.line = line
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of an open file; iterate once.

    Attributes:
        joined_lines: Where rows begin that were read from several lines, once they were yielded.
    """

    row_estimate: int
    rows: Iterator[Record]
    joined_lines: list[int] = field(default_factory=list)


@contextmanager
def open_records(path: Path, column_map: ColumnMap | None = None) -> Iterator[Records]:
    """Open CSV (also .gz), XLSX, JSON lines or Parquet for reading row by row.

    Raises:
        TabularError: The file is not a table.
        OSError: The file cannot be opened.
    """
    names = column_map or ColumnMap()
    with open_table(path, encoding=names.encoding) as table:
        joined: list[int] = []
        yield Records(table.row_estimate, _records(table, names, joined), joined)


def _records(table: Table, names: ColumnMap, joined: list[int]) -> Iterator[Record]:
    for row in table:
        if row.is_joined:
            joined.append(row.line)
        yield _record(row, names)


def _record(row: TabularRow, names: ColumnMap) -> Record:
    flaw = row.flaw or (Code.CELLS_MISALIGNED if row.surplus else "")
    return Record(names.apply(row.values), line=row.line, flaw=str(flaw))


def _text_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TabularError("mapping_invalid")
    return {str(key): str(text) for key, text in value.items()}
