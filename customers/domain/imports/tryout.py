"""What a mapping would make of some rows, without keeping anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.person_row import PersonRow
from customers.domain.reading.tabular import TabularRow
from customers.domain.values.quality import QualityFinding, QualitySeverity


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One row as it would be read."""

    line: int
    person: PersonRow
    findings: tuple[QualityFinding, ...]

    @property
    def is_rejected(self) -> bool:
        """Return whether the row would go to quarantine."""
        return any(item.severity is QualitySeverity.ROW_REJECTED for item in self.findings)


@dataclass(frozen=True, slots=True)
class TryOut:
    """The rows, and the findings counted by code."""

    rows: tuple[TriedRow, ...]
    by_reason: Mapping[str, int]

    @property
    def rejected(self) -> int:
        """Return how many rows would go to quarantine."""
        return sum(row.is_rejected for row in self.rows)

    @property
    def clean(self) -> int:
        """Return how many rows have nothing to complain about."""
        return sum(not row.findings for row in self.rows)


def try_out(
    mapping: FileMapping,
    rows: Sequence[Mapping[str, str]],
    *,
    lines: Sequence[int],
    today: date,
    zone: tzinfo,
) -> TryOut:
    """Read rows by a mapping; who the people are is not looked up."""
    reader = RowReader(mapping, today=today, zone=zone)
    tried = tuple(
        TriedRow(line, *reader.read(TabularRow(line, row)))
        for line, row in zip(lines, rows, strict=True)
    )
    codes = Counter(finding.code.value for row in tried for finding in row.findings)
    return TryOut(tried, dict(codes))
