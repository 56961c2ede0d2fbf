"""The figures of a running import and its rejects file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Final

from customers.domain.quality import REASONS, Finding

REJECTS_HEADER: Final = ("line", "column", "code", "severity", "reason_zh", "reason_en")


@dataclass(slots=True)
class Tally:
    """Counts of rows by what became of them, and of findings by code.

    `rows = created + updated + unchanged + rejected + merged` holds once the import is done.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    merged: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    _writer: Any = None

    def read_row(self, line: int, findings: Iterable[Finding]) -> None:
        """Count one row that was read, with what was noticed in it."""
        self.rows += 1
        for finding in findings:
            self.note(line, finding)

    def note(self, line: int, finding: Finding) -> None:
        """Count one finding and write it to the rejects file."""
        self.by_reason[finding.code.value] += 1
        if self._writer is not None:
            reason = REASONS[finding.code]
            self._writer.writerow(
                (line, finding.column, finding.code.value, finding.severity.value, *astuple(reason))
            )

    @contextmanager
    def rejects_file(self, path: Path | None) -> Iterator[None]:
        """Write every finding to a CSV file (UTF-8 with BOM, which spreadsheets need) meanwhile."""
        if path is None:
            yield
            return
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            self._writer = csv.writer(stream)
            self._writer.writerow(REJECTS_HEADER)
            try:
                yield
            finally:
                self._writer = None
