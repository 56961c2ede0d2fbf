"""One row of a file to one checked person: what could be read, and what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from customers.domain.consents.consent import Purpose
from customers.domain.imports.cells import ConsentUnclear, RowDraft, Take, cell_of
from customers.domain.imports.consent_proof import proven
from customers.domain.imports.mapping import Blank, ColumnTarget, FileMapping
from customers.domain.imports.person_row import PersonRow
from customers.domain.reading.tabular import TabularRow
from customers.domain.values.dates import parse_date
from customers.domain.values.quality import Code, QualityFinding, Scorecard, ValueRefused
from customers.domain.values.words import clean
from loancrm.kernel.phones import PhoneRefused

_MAX_EXTERNAL_ID_CHARS: Final = 100
# To be raised whenever a cell is read otherwise than before: rows are then read again.
_READING_VERSION: Final = 3
# No cell holds them: a text file with control characters is not read as a table.
_BETWEEN: Final = "\x1f"
_ABSENT: Final = "\x1e"


@dataclass(slots=True)
class _Cell:
    """How the cells of a column are read, and how many were blank or wrong so far.

    `read` returns None for a blank cell and raises for a wrong one; what it returns goes to `take`.
    """

    column: str
    read: Callable[[str], Any]
    take: Take
    missing: Code | None
    blank: int = 0
    wrong: int = 0


class RowReader:
    """Reads rows by one mapping and keeps the quality figures of the file.

    Args:
        mapping: The mapping; its columns are prepared once.
        today: Day of the import in the company's zone; later births are refused.
        zone: The company's, for days that are written as instants.
        purposes: What the source's data may be used for; a row that grants more is rejected.
    """

    def __init__(
        self,
        mapping: FileMapping,
        *,
        today: date,
        zone: tzinfo,
        purposes: Collection[str] = tuple(Purpose),
    ) -> None:
        """Prepare one reader a column."""
        self.mapping, self._purposes = mapping, purposes
        self._scorecard = Scorecard()
        self._rows = 0
        self._conflicts = 0
        self._today, self._zone = today, zone
        self._fresh_column, self._fresh_days = mapping.fresh_column, mapping.fresh_days
        self._id_column = mapping.id_column
        self._proof = mapping.proof
        self._constants = dict(mapping.constants)
        self._cells = tuple(
            _Cell(item.column, *cell_of(target, today, zone, purposes), _missing_code(target))
            for item in mapping.columns
            for target in item.targets
        )
        self._erasers = tuple(
            (item.column, target.path.removeprefix("customer."))
            for item in mapping.columns
            for target in item.targets
            if target.blank is Blank.ERASE
        )
        self._rules = _rules(mapping, purposes)
        proof = mapping.proof.columns if mapping.proof else ()
        self._columns = tuple(dict.fromkeys([*(cell.column for cell in self._cells), *proof]))

    def again(self) -> RowReader:
        """Return a reader that reads the same and has counted nothing yet."""
        return RowReader(self.mapping, today=self._today, zone=self._zone, purposes=self._purposes)

    def fingerprint(self, row: TabularRow) -> str:
        """Return all that decides what the row says: how it is read, and its mapped cells."""
        cells = row.values
        return self._rules + _BETWEEN.join([cells.get(name, _ABSENT) for name in self._columns])

    def external_id(self, row: TabularRow) -> str:
        """Return the id of the row at its source, empty where it says none or one too long."""
        text = self._id_text(row)
        return text if len(text) <= _MAX_EXTERNAL_ID_CHARS else ""

    def _id_text(self, row: TabularRow) -> str:
        return clean(row.values.get(self._id_column, "")) if self._id_column else ""

    def pass_over(self, row: TabularRow) -> None:
        """Count a row that nothing was wrong with when it was read, without reading it again."""
        self._rows += 1
        cells = row.values
        for cell in self._cells:
            if _is_blank(cells.get(cell.column, "")):
                cell.blank += 1
        if self._fresh_column:
            self._count_age(cells.get(self._fresh_column, ""))

    @property
    def scorecard(self) -> Scorecard:
        """Return the quality figures of all rows read so far."""
        if self._rows:
            for cell in self._cells:
                self._scorecard.count_cells(
                    cell.column, cells=self._rows, blank=cell.blank, wrong=cell.wrong
                )
                cell.blank = cell.wrong = 0
            self._scorecard.consistency.numerator += self._rows - self._conflicts
            self._scorecard.consistency.denominator += self._rows
            self._rows = self._conflicts = 0
        return self._scorecard

    def take_scorecard(self) -> Scorecard:
        """Return the quality figures since they were last taken."""
        card, self._scorecard = self.scorecard, Scorecard()
        return card

    def read(self, row: TabularRow) -> tuple[PersonRow, tuple[QualityFinding, ...]]:
        """Return the person and everything that was noticed; a finding may reject the row.

        A field that is wrong is left out with a finding. Fields that contradict a valid identity
        number follow the number.
        """
        if row.flaw is not None or row.surplus:
            return PersonRow(row.line), (QualityFinding(row.flaw or Code.CELLS_MISALIGNED),)
        self._rows += 1
        cells = row.values
        draft, findings = self._drafted(cells)
        findings += _shape_findings(row)
        findings += self._prove_consents(row, draft)
        external_id = self._id_text(row)
        if len(external_id) > _MAX_EXTERNAL_ID_CHARS:
            findings.append(QualityFinding(Code.TEXT_TOO_LONG, self._id_column))
            external_id = ""
        conflicts = _settle_by_national_id(draft)
        if conflicts:
            findings += [QualityFinding(code) for code in conflicts]
            self._conflicts += 1
        if self._fresh_column:
            self._count_age(cells.get(self._fresh_column, ""))
        person = _person(row.line, external_id, draft)
        if self._erasers:
            refused_columns = {finding.column for finding in findings}
            erased = self._erased(row, person, refused_columns)
            person = replace(person, erased=erased)
        if not person.is_identified:
            findings.append(QualityFinding(Code.IDENTITY_MISSING))
        return person, tuple(findings)

    def _drafted(self, cells: Mapping[str, str]) -> tuple[RowDraft, list[QualityFinding]]:
        """Return what the mapped cells say, and what is wrong with them."""
        draft = RowDraft(texts=dict(self._constants))
        findings: list[QualityFinding] = []
        for cell in self._cells:
            try:
                value = cell.read(cells.get(cell.column, ""))
            except (ValueRefused, PhoneRefused) as refused:
                cell.wrong += 1
                findings.append(QualityFinding(Code(refused.code), cell.column))
                if isinstance(refused, ConsentUnclear):
                    draft.consents.append(refused.word)
                continue
            if value is None:
                cell.blank += 1
                if cell.missing is not None:
                    findings.append(QualityFinding(cell.missing, cell.column))
            elif value:
                cell.take(draft, value)
        return draft, findings

    def _prove_consents(self, row: TabularRow, draft: RowDraft) -> list[QualityFinding]:
        if self._proof is None or not draft.consents:
            return []
        words = proven(draft.consents, row.values, proof=self._proof, today=self._today)
        is_whole = len(words) == len(draft.consents)
        draft.consents = list(words)
        return [] if is_whole else [QualityFinding(Code.CONSENT_UNPROVEN, self._proof.time_column)]

    def _erased(
        self, row: TabularRow, person: PersonRow, refused_columns: set[str]
    ) -> tuple[str, ...]:
        """Return what blank cells erase; a cell that could not be read erases nothing."""
        return tuple(
            name
            for column, name in self._erasers
            if column in row.values and column not in refused_columns and not person.says(name)
        )

    def _count_age(self, text: str) -> None:
        try:
            day = parse_date(text, zone=self._zone)
        except ValueRefused:
            return
        self._scorecard.timeliness.count(good=(self._today - day).days <= self._fresh_days)


def _person(line: int, external_id: str, draft: RowDraft) -> PersonRow:
    return PersonRow(
        line=line,
        external_id=external_id,
        name=draft.name,
        national_id=draft.national_id.number if draft.national_id else "",
        birth_date=draft.birth_date,
        gender=draft.gender,
        texts=draft.texts,
        contacts=tuple(dict.fromkeys(draft.contacts)),
        consents=tuple(draft.consents),
        attributes=tuple(draft.attributes),
    )


def _settle_by_national_id(draft: RowDraft) -> list[Code]:
    known = draft.national_id
    conflicts: list[Code] = []
    if known is None:
        return conflicts
    if draft.birth_date is not None and draft.birth_date != known.birth_date:
        conflicts.append(Code.BIRTH_CONFLICT)
    if draft.gender and draft.gender != known.gender:
        conflicts.append(Code.GENDER_CONFLICT)
    # The number carries a check digit, the typed cells carry none.
    draft.birth_date, draft.gender = known.birth_date, known.gender
    return conflicts


def _rules(mapping: FileMapping, purposes: Collection[str]) -> str:
    """Return a fingerprint of everything but the cells that decides what a row says."""
    reading = (_READING_VERSION, mapping.columns, mapping.constants, mapping.id_column)
    said = msgspec.json.encode((*reading, mapping.proof, sorted(purposes)), order="deterministic")
    return sha256(said).hexdigest()


def _shape_findings(row: TabularRow) -> list[QualityFinding]:
    """Return what is odd about a row as a whole, though it can be read."""
    found = [QualityFinding(Code.CELLS_MISSING)] if row.missing else []
    if row.is_joined:
        broken = [name for name, text in row.values.items() if "\n" in text or "\r" in text]
        found += [QualityFinding(Code.LINES_JOINED, name) for name in broken or [""]]
    return found


@lru_cache(20_000)
def _is_blank(text: str) -> bool:
    return not clean(text)


def _missing_code(target: ColumnTarget) -> Code | None:
    if not target.expected:
        return None
    return Code.NAME_MISSING if target.name == "name" else Code.VALUE_MISSING
