"""The figures of a running import and its rejects file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Final

from customers.domain.values.quality import REASONS, QualityFinding
from customers.services.sources.balance import require_balance
from loancrm.kernel.database.whole_files import whole_file

REJECTS_HEADER: Final = ("line", "column", "code", "severity", "reason_zh", "reason_en")
_COUNTS: Final = ("rows", "created", "updated", "unchanged", "rejected", "merged")


@dataclass(slots=True)
class ImportCounts:
    """Counts of rows by what became of them, and of findings by code.

    `rows = created + updated + unchanged + rejected + merged` holds once the import is done.
    `row_codes` counts each row once a code, however many of its cells have it.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    merged: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    row_codes: Counter[str] = field(default_factory=Counter)
    _writer: Any = None

    def note_row(self, line: int, findings: Iterable[QualityFinding]) -> None:
        """Count what was noticed in one row that was read."""
        codes = set()
        for finding in findings:
            self.note(line, finding)
            codes.add(finding.code.value)
        self.row_codes.update(codes)

    def note(self, line: int, finding: QualityFinding) -> None:
        """Count one finding and write it to the rejects file."""
        self.by_reason[finding.code.value] += 1
        if self._writer is not None:
            reason = REASONS[finding.code]
            self._writer.writerow(
                (line, finding.column, finding.code.value, finding.severity.value, *astuple(reason))
            )

    def columns(self) -> dict[str, int]:
        """Return the row counts in the columns of a batch."""
        names = ("row_count", *(f"{name}_count" for name in _COUNTS[1:]))
        return {column: getattr(self, name) for column, name in zip(names, _COUNTS, strict=True)}

    def require_balance(self) -> None:
        """Refuse an end at which some rows have become nothing, or two things.

        Raises:
            RowsUnbalanced: They have.
        """
        require_balance(self.rows, **{name: getattr(self, name) for name in _COUNTS[1:]})

    def silent_copy(self) -> ImportCounts:
        """Return a copy that counts on without writing rejects."""
        return ImportCounts.from_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        rows = {name: getattr(self, name) for name in _COUNTS}
        return {**rows, "by_reason": dict(self.by_reason), "row_codes": dict(self.row_codes)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ImportCounts:
        """Return the counts that `as_json` wrote."""
        counts = cls()
        counts.restore(content)
        return counts

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take the counts that `as_json` wrote; a rejects file goes on."""
        for name in _COUNTS:
            setattr(self, name, int(content.get(name, 0)))
        self.by_reason = Counter(content.get("by_reason", {}))
        self.row_codes = Counter(content.get("row_codes", {}))

    @contextmanager
    def rejects_file(self, path: Path | None, *, whole_after: type[Exception]) -> Iterator[None]:
        """Write every finding to a CSV file (UTF-8 with BOM, which spreadsheets need) meanwhile.

        It takes its place at the end; an import that breaks off leaves the file as it was.

        Args:
            whole_after: Ends an import after which every finding is known; the file says why.
        """
        if path is None:
            yield
            return
        stopped: Exception | None = None
        with (
            whole_file(path) as unfinished,
            unfinished.open("w", encoding="utf-8-sig", newline="") as stream,
        ):
            self._writer = csv.writer(stream)
            self._writer.writerow(REJECTS_HEADER)
            try:
                yield
            except whole_after as error:
                stopped = error
            finally:
                self._writer = None
        if stopped is not None:
            raise stopped
