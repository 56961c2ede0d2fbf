"""In which lines of a file what was noticed: kept with the import, so that a person can look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from customers.domain.imports.cell_masks import masked
from customers.domain.imports.column_guess import Kind
from customers.domain.imports.mapping import FileMapping
from customers.domain.values.quality import QualityFinding
from customers.models import ImportBatch, ImportFinding

# Of each finding; whoever has seen so many lines knows what is wrong with the file.
LINES_KEPT: Final = 1_000
_BIRTH_DATE: Final = "customer.birth_date"
_PERSONAL: Final = (
    *("customer.national_id", "contact.phone", "contact.email", "customer.name", _BIRTH_DATE),
)


class Noticed(NamedTuple):
    """A finding in a line of a file, and the cell that it is about, masked."""

    line: int
    finding: QualityFinding
    shown: str = ""


def shown_cell(*, mapping: FileMapping, values: Mapping[str, str], column: str) -> str:
    """Return a cell of a row without what identifies a person."""
    text = values.get(column, "").strip()
    if not text:
        return ""
    targets = {
        target.path for item in mapping.columns if item.column == column for target in item.targets
    }
    target = next((path for path in _PERSONAL if path in targets), "")
    if target == _BIRTH_DATE:
        return f"{text[:4]}***"
    return masked(text, kind=Kind.TEXT, target=target)


def write_findings(
    batch: ImportBatch, noticed: Iterable[Noticed], *, counted: Mapping[str, int]
) -> None:
    """Keep the lines of findings, in the caller's transaction.

    Args:
        batch: The import.
        noticed: What was noticed now, in the order of the lines.
        counted: How often each code had been noticed before.
    """
    seen = Counter(counted)
    rows = []
    for item in noticed:
        code = item.finding.code.value
        seen[code] += 1
        if seen[code] <= LINES_KEPT:
            column = item.finding.column[:100]
            rows.append(
                ImportFinding(
                    batch=batch, code=code, line=item.line, column=column, shown=item.shown
                )
            )
    # A page that is done again after a fault notices the same again.
    ImportFinding.objects.bulk_create(rows, ignore_conflicts=True)
