"""Refused rows: opened, corrected field by field, and run again through the same steps.

A row that can be read now leaves quarantine and goes where every other row of its file went;
`rows = created + updated + unchanged + rejected + merged` holds before, meanwhile and afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec
from django.conf import settings

from customers import jobs
from customers.domain.consents.consent import Purpose
from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.person_row import PersonRow
from customers.domain.imports.repairing import mapping_by_target
from customers.domain.imports.states import ImportState
from customers.domain.reading.tabular import TabularRow
from customers.domain.values.quality import Code, QualityFinding, QualitySeverity
from customers.models import ImportBatch, ImportRow, RejectedRow
from customers.services.imports.counts import ImportCounts
from customers.services.imports.definitions import attribute_definitions
from customers.services.imports.pipeline import PERMISSION, batch_mapping, stored_mapping
from customers.services.imports.runs import ImportRun, begin_run
from customers.services.imports.steps.match import match_in_file
from customers.services.imports.steps.stage import stage_repaired
from customers.services.sources import registry
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.security import crypto
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works

_PAGE: Final = 500
# Targets whose cells are shown because of a reason that names no column; a shifted row shows all.
_SUSPECTS: Final[Mapping[Code, tuple[str, ...]]] = {
    Code.IDENTITY_MISSING: (),
    Code.IDENTITY_CONFLICT: ("id_column", "customer.national_id"),
    Code.EXISTS_ALREADY: (),
    Code.NOT_FOUND: ("id_column",),
}
_Read = tuple[PersonRow, tuple[QualityFinding, ...]]


class RepairRefused(LoanCrmError):
    """The import is not at rest, or the row is no longer in quarantine."""

    code = "repair_refused"


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A refused row as a person needs it: its cells, and what is wrong with them.

    Attributes:
        shown: Columns with a finding; of all others nobody needs to see the value.
        targets: {column: target of the mapping, empty for columns that go nowhere}.
    """

    line: int
    code: str
    cells: Mapping[str, str] = field(repr=False)
    findings: tuple[QualityFinding, ...]
    shown: tuple[str, ...]
    targets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What running refused rows again came to: `tried = accepted + still_rejected`."""

    tried: int
    accepted: int
    still_rejected: int


@dataclass(frozen=True, slots=True)
class Repair:
    """Which refused rows of a batch are to be run again, and how.

    Attributes:
        lines: Only these lines; None for all.
        corrections: {line: {column: text}}; cells that are not named stay.
        mapping: Read the rows by this mapping from now on.
        limit: At most so many rows.
    """

    batch_id: int
    lines: Collection[int] | None = None
    corrections: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    mapping: FileMapping | None = None
    limit: int | None = None


def open_row(*, actor: Actor, row_id: int, now: datetime, today: date) -> OpenedRow:
    """Return a refused row; that somebody looked at it is written into the audit trail.

    Raises:
        PermissionRefused: The actor may not import.
        RepairRefused: The row has left quarantine, or its cells were wiped.
    """
    act = acting(actor, PERMISSION, now=now)
    row, opened = _read_row(row_id, today)
    facts = {"line": row.line, "columns": list(opened.shown)}
    with act:
        act.record("customers.rejected_row_opened", on=row.batch, facts=facts)
    return opened


def reread_row(*, actor: Actor, row_id: int, today: date) -> OpenedRow:
    """Return a refused row that a correction was sent for: its cells are compared, not shown.

    Raises:
        PermissionRefused: The actor may not import.
        RepairRefused: The row has left quarantine, or its cells were wiped.
    """
    access.require(actor, PERMISSION)
    return _read_row(row_id, today)[1]


def _read_row(row_id: int, today: date) -> tuple[RejectedRow, OpenedRow]:
    row = RejectedRow.objects.select_related("batch").filter(pk=row_id).first()
    if row is None or row.cells_sealed is None:
        raise _gone()
    reader = _RefusedRowReader(stored_mapping(row.batch), today, tuple(Purpose))
    cells = _open(row)
    _person, findings = reader.read(row, cells, is_corrected=False)
    columns = reader.columns(row, cells)
    if not _is_rejected(findings):
        findings = (*findings, QualityFinding(Code(row.code), row.column))
    faulty = {finding.column for finding in findings}
    suspects = _SUSPECTS.get(Code(row.code), columns.values())
    shown = tuple(name for name, path in columns.items() if name in faulty or path in suspects)
    return row, OpenedRow(row.line, row.code, cells, findings, shown, columns)


def run_again(
    *, actor: Actor, repair: Repair, now: datetime, today: date, in_background: bool = True
) -> RepairReport:
    """Read refused rows again, with corrections or by another mapping, and let the import go on.

    Rows that are still wrong stay, with their corrections. The accepted ones are applied by a
    worker, or by the caller through `run_import`.

    Raises:
        PermissionRefused: The actor may not import.
        RepairRefused: The import is not done, was undone, or was only a check.
        SourceUnknown, SourceBarred: The source may not hand in data now.
        AttributeTypeConflict: See there.
    """
    with acting(actor, PERMISSION, now=now) as act:
        batch, run = _hold(repair.batch_id, now)
        if repair.mapping is not None:
            batch.mapping = batch_mapping(replace(repair.mapping, source=batch.source))
        mapping = stored_mapping(batch)
        terms = registry.admit(actor=actor, name=mapping.source, now=now, is_dry_run=False)
        attribute_definitions(mapping)
        counts = _counts_of(batch)
        report = _read_again(
            batch, repair, _RefusedRowReader(mapping, today, terms.purposes), counts
        )
        if report.accepted:
            match_in_file(batch, run)
        figures = {
            "mapping": batch.mapping,
            "by_reason": dict(+counts.by_reason),
            "rejected_count": counts.rejected,
        }
        if report.accepted:
            replace(run, checkpoint=_checkpoint(batch, counts)).save_checkpoint(
                {"state": ImportState.APPLYING, **figures},
                done_count=counts.rows - counts.rejected - report.accepted,
                total_count=counts.rows - counts.rejected,
            )
            run.release(is_background=True)
        else:
            run.finish(figures)
        act.record(
            "customers.import_repair",
            on=batch,
            facts={
                "tried": report.tried,
                "accepted": report.accepted,
                "corrected_lines": sorted(repair.corrections),
                "mapping": batch.mapping["name"],
            },
        )
        if in_background and report.accepted:
            works.announce(Work(pk=batch.work_id, kind=jobs.IMPORT))
    return report


def wipe_quarantine(*, now: datetime) -> int:
    """Wipe the cells of refused rows that nobody has repaired in time; return how many."""
    old = now - timedelta(days=settings.LOANCRM_QUARANTINE_DAYS)
    rows = RejectedRow.objects.filter(created_at__lt=old, cells_sealed__isnull=False)
    return rows.update(cells_sealed=None)


class _RefusedRowReader:
    """Reads refused rows by one mapping, whichever form their cells were kept in."""

    def __init__(self, mapping: FileMapping, today: date, purposes: Collection[str]) -> None:
        self._mapping, self._today, self._purposes = mapping, today, purposes
        self._by_column = RowReader(
            mapping, today=today, zone=clock.company_zone(), purposes=purposes
        )

    def read(self, row: RejectedRow, cells: Mapping[str, str], *, is_corrected: bool) -> _Read:
        reader = self._by_column
        if row.is_person:
            mapping = mapping_by_target(self._mapping, cells)
            reader = RowReader(
                mapping,
                today=self._today,
                zone=clock.company_zone(),
                purposes=self._purposes,
            )
        # Only a person can tell which cell of a shifted row belongs where.
        is_shifted = row.code == Code.CELLS_MISALIGNED and not is_corrected
        return reader.read(TabularRow(row.line, cells, surplus=int(is_shifted)))

    def columns(self, row: RejectedRow, cells: Mapping[str, str]) -> dict[str, str]:
        """Return the target of every column that a row has or could have."""
        mapping = mapping_by_target(self._mapping, cells) if row.is_person else self._mapping
        found = {item.column: item.targets[0].path for item in mapping.columns}
        if mapping.id_column:
            found = {mapping.id_column: "id_column", **found}
        return {**found, **{name: "" for name in cells if name not in found}}


def _hold(batch_id: int, now: datetime) -> tuple[ImportBatch, ImportRun]:
    """Lock a batch at rest and hold it as a worker would."""
    resting = ImportBatch.objects.select_for_update().filter(pk=batch_id, is_dry_run=False)
    batch = resting.filter(state=ImportState.DONE).first()
    run = begin_run(batch_id, now=now, states=(WorkState.DONE,)) if batch else None
    if batch is None or run is None:
        raise RepairRefused(
            _("Rows can be repaired only while their import is done and nothing works on it."),
            batch_id=batch_id,
        )
    return batch, run


def _read_again(
    batch: ImportBatch, repair: Repair, reader: _RefusedRowReader, counts: ImportCounts
) -> RepairReport:
    """Move what can be read now from quarantine to the staged rows, page by page."""
    tried = accepted = 0
    ids = iter(_waiting(repair))
    while keys := list(islice(ids, _PAGE)):
        page = RejectedRow.objects.filter(pk__in=keys).order_by("line")
        people: list[PersonRow] = []
        gone: list[RejectedRow] = []
        for row in page:
            cells = _open(row)
            corrected = {**cells, **repair.corrections.get(row.line, {})}
            is_corrected = row.line in repair.corrections
            person, findings = reader.read(row, corrected, is_corrected=is_corrected)
            # The findings of the row as it is now are counted instead of those it had.
            codes = [finding.code.value for finding in findings]
            counts.by_reason.subtract(Counter(row.codes))
            counts.by_reason.update(codes)
            row.codes = codes
            if _is_rejected(findings):
                _write_refusal(row, corrected, findings)
            else:
                people.append(person)
                gone.append(row)
        lines = [row.line for row in gone]
        ImportRow.objects.filter(batch=batch, line__in=lines).delete()
        RejectedRow.objects.filter(pk__in=[row.pk for row in gone]).delete()
        stage_repaired(batch, people)
        tried += len(keys)
        accepted += len(gone)
    counts.rejected -= accepted
    return RepairReport(tried, accepted, tried - accepted)


def _waiting(repair: Repair) -> list[int]:
    """Return the ids of the rows to be tried, in file order."""
    rows = RejectedRow.objects.filter(batch_id=repair.batch_id, cells_sealed__isnull=False)
    if repair.lines is not None:
        rows = rows.filter(line__in=repair.lines)
    return list(rows.order_by("line").values_list("pk", flat=True)[: repair.limit])


def _write_refusal(
    row: RejectedRow, cells: Mapping[str, str], findings: tuple[QualityFinding, ...]
) -> None:
    text = msgspec.json.encode(dict(cells)).decode()
    row.cells_sealed = crypto.vault().seal(RejectedRow.CELLS_COLUMN, row.row_key, text)
    refusal = [finding for finding in findings if finding.severity is QualitySeverity.ROW_REJECTED][
        -1
    ]
    row.code, row.column = refusal.code.value, refusal.column
    row.save(update_fields=["cells_sealed", "code", "column", "codes"])


def _is_rejected(findings: tuple[QualityFinding, ...]) -> bool:
    return any(finding.severity is QualitySeverity.ROW_REJECTED for finding in findings)


def _open(row: RejectedRow) -> dict[str, str]:
    sealed = row.cells_sealed or b""
    text = crypto.vault().open(RejectedRow.CELLS_COLUMN, row.row_key, sealed)
    return msgspec.json.decode(text, type=dict[str, str])


def _counts_of(batch: ImportBatch) -> ImportCounts:
    return ImportCounts(
        rows=batch.row_count,
        created=batch.created_count,
        updated=batch.updated_count,
        unchanged=batch.unchanged_count,
        rejected=batch.rejected_count,
        merged=batch.merged_count,
        by_reason=Counter(batch.by_reason),
    )


def _checkpoint(batch: ImportBatch, counts: ImportCounts) -> dict[str, Any]:
    """Return where a worker goes on; the quality card stays that of the delivered file."""
    counts.by_reason = +counts.by_reason
    return {
        "step": ImportState.APPLYING.value,
        "tally": counts.as_json(),
        "card": batch.quality,
        "new_definitions": [],
        # A row that has been refused may share something with a row that was applied long ago:
        # whether it is that row's second one is told in file order only.
        "is_lone_done": True,
    }


def _gone() -> RepairRefused:
    return RepairRefused(_("This row is not in quarantine any more."))
