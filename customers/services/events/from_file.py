"""Take a file of events into the log."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from customers.domain.events.event import EventError, ReportedEvent, parse_event
from customers.domain.reading.records import ColumnMap, Record, Records, open_records
from customers.domain.reading.tabular import TabularError
from customers.domain.values.words import clean
from customers.labels.problems import file_problem
from customers.models import Event
from customers.selectors.identity import keys
from customers.services.events import log as event_log
from customers.services.sources import registry
from customers.services.sources.balance import require_balance
from customers.services.sources.file_names import remembered_name
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.system_words import system_words

_BATCH = 2000
# A report names the lines of the first refused rows; counts hold for all.
NOTED_LINES = 100
UNKNOWN_SOURCE = "file"
_MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
_T = TypeVar("_T")


class RowsRefused(LoanCrmError):
    """A file cannot be read as a table of rows."""

    code = "rows_refused"


@dataclass(frozen=True, slots=True)
class EventImport:
    """What became of the rows of a file: rows = created + duplicates + rejected.

    Attributes:
        rejected_lines: (line, reason) of the first refused rows.
        joined_lines: Where the first rows begin that were read from several lines.
    """

    source: str
    rows: int
    created: int
    duplicates: int
    rejected: int
    by_reason: Mapping[str, int]
    rejected_lines: tuple[tuple[int, str], ...] = ()
    joined_lines: tuple[int, ...] = ()

    def plus(self, other: "EventImport") -> "EventImport":
        """Return the counts of both."""
        reasons = Counter(self.by_reason) + Counter(other.by_reason)
        return EventImport(
            source=self.source,
            rows=self.rows + other.rows,
            created=self.created + other.created,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
            by_reason=dict(sorted(reasons.items())),
            rejected_lines=(self.rejected_lines + other.rejected_lines)[:NOTED_LINES],
        )


def import_events(
    *,
    actor: Actor,
    path: Path,
    now: datetime,
    source: str = "",
    column_map: ColumnMap | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> EventImport:
    """Read a CSV, XLSX or JSON-lines file of events into the log, in batches.

    Columns: external_id, event, occurred_at; optional event_id, amount, channel, subject,
    properties. A wrong row is rejected and counted, the others go in. Every batch is committed by
    itself and every event is taken once, so a stopped import is finished by running it again.

    Args:
        actor: Who imports.
        path: The file.
        now: When; later events are refused.
        column_map: What the file's columns are called by us.
        source: Whose external ids the file uses; without it the mapping's source, else the source
            that knows most ids of the first rows.
        on_progress: Called with the number of rows done.

    Raises:
        PermissionRefused: The actor may not add events.
        RowsRefused: The file or its mapping cannot be read.
        RowsUnbalanced: Rows of the file have gone astray.
        SourceUnknown: The source is not registered, and only registered ones may hand in data.
        SourceBarred: The source's contract is not in force.
    """
    act = acting(actor, "customers.add_event", now=now)
    with opened(path, column_map) as records:
        name, rows = source_of(records.rows, source or (column_map.source if column_map else ""))
        registry.admit(actor=actor, name=name, now=now)
        result = EventImport(name, 0, 0, 0, 0, {})
        for batch in batches(rows, _BATCH):
            result = result.plus(take_in(rows=batch, source=name, now=now))
            if on_progress:
                on_progress(len(batch))
    result = replace(result, joined_lines=tuple(records.joined_lines[:NOTED_LINES]))
    require_balance(
        result.rows,
        created=result.created,
        duplicates=result.duplicates,
        rejected=result.rejected,
    )
    with act:
        act.record(
            "events.import",
            on=(Event, name),
            facts={"file": remembered_name(path.name), **asdict(result)},
        )
    return result


def take_in(*, rows: list[Mapping[str, Any]], source: str, now: datetime) -> EventImport:
    """Check and append one batch of rows for a service that asks the permission and audits."""
    parsed, wrong, lines = _parse(rows, source, now)
    result = event_log.append_events(events=parsed, now=now)
    return EventImport(
        source=source,
        rows=len(rows),
        created=result.created,
        duplicates=result.duplicates,
        rejected=result.rejected + wrong.total(),
        by_reason=dict(wrong + Counter(result.by_reason)),
        rejected_lines=tuple(lines),
    )


@contextmanager
def opened(path: Path, column_map: ColumnMap | None = None) -> Iterator[Records]:
    """Open a file of rows; what makes it unreadable becomes RowsRefused."""
    try:
        with open_records(path, column_map) as records:
            yield records
    except TabularError as err:
        raise _unreadable(file_problem(err), problem=err.code, line=err.line) from err
    except OSError as err:
        problem = type(err).__name__
        raise _unreadable(system_words(err), problem=problem, line=None) from err


def _unreadable(reason: str, **facts: object) -> RowsRefused:
    return RowsRefused(_("The file cannot be read: %(reason)s.") % {"reason": reason}, **facts)


def load_mapping(name: str, *, kind: str, encoding: str = "") -> ColumnMap:
    """Return a shipped mapping by name, or that of a .json file; none for an empty name.

    Args:
        name: See above.
        kind: What the file holds.
        encoding: Of the file, instead of the mapping's.

    Raises:
        RowsRefused: There is no such mapping, or it is not one.
    """
    if not name:
        return ColumnMap(encoding=encoding)
    path = Path(name) if name.endswith(".json") else _MAPPINGS / f"{name}.{kind}.json"
    try:
        found = ColumnMap.from_json(path.read_text(encoding="utf-8"))
        return replace(found, encoding=encoding or found.encoding)
    except (OSError, ValueError) as err:
        raise RowsRefused(
            _("There is no usable mapping %(name)s.") % {"name": path.name}, name=path.name
        ) from err


def source_of(
    rows: Iterator[Mapping[str, Any]], source: str, *, column: str = "external_id"
) -> tuple[str, Iterable[Mapping[str, Any]]]:
    """Return the source and the rows; an empty source is found by the persons of the first rows."""
    if source:
        return source, rows
    head, rest = split_head(rows)
    ids = {clean(str(row.get(column) or "")) for row in head} - {""}
    return keys.best_source(ids) or UNKNOWN_SOURCE, rest


def split_head(
    rows: Iterator[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], Iterable[Mapping[str, Any]]]:
    """Return the first rows, to look at, and all rows, to read."""
    head = list(islice(rows, 500))
    return head, chain(head, rows)


def batches(rows: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield lists of at most `size` rows."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _parse(
    rows: list[Mapping[str, Any]], source: str, now: datetime
) -> tuple[list[ReportedEvent], Counter[str], list[tuple[int, str]]]:
    parsed: list[ReportedEvent] = []
    wrong: Counter[str] = Counter()
    lines: list[tuple[int, str]] = []
    zone = clock.company_zone()
    for row in rows:
        if flaw := note_flaw(row, lines):
            wrong[flaw] += 1
            continue
        try:
            parsed.append(parse_event(row, source=source, now=now, zone=zone))
        except EventError as err:
            wrong[err.problem.value] += 1
            note_line(row, code=err.problem.value, lines=lines)
    return parsed, wrong, lines


def note_flaw(row: Mapping[str, Any], lines: list[tuple[int, str]]) -> str:
    """Return why a row of a file cannot be read as a record, empty for a sound one."""
    flaw = row.flaw if isinstance(row, Record) else ""
    if flaw:
        note_line(row, code=flaw, lines=lines)
    return flaw


def note_line(row: Mapping[str, Any], *, code: str, lines: list[tuple[int, str]]) -> None:
    """Note the line of a refused row, of the first so many."""
    if isinstance(row, Record) and row.line and len(lines) < NOTED_LINES:
        lines.append((row.line, code))
