"""Imports whose mapping is still being built: the file is kept sealed, with a look at its top."""

from __future__ import annotations

import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.conf import settings
from django.db import transaction

from customers.domain.imports.states import ImportMode, ImportState
from customers.domain.reading.tabular import Table, open_table
from customers.models import ImportBatch, ImportFilePart, SavedMapping
from customers.services.imports.files import stored_file, write_file
from customers.services.imports.pipeline import PERMISSION, batch_mapping, translate_error
from customers.services.imports.runs import start_work
from customers.services.sources.file_names import remembered_name
from customers.services.sources.mappings import checked, save_mapping
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import crypto
from loancrm.kernel.words.phrases import gettext as _

SAMPLE_ROWS: Final = 200
# A file that nobody goes on with holds personal data for nothing.
KEPT_FOR: Final = timedelta(days=7)
_SAMPLE_NUMBER: Final = -1


class DraftGone(LoanCrmError):
    """The import is no longer being mapped."""

    code = "import_draft_gone"


@dataclass(frozen=True, slots=True)
class Sample:
    """The top of a file: column names and the cells of the first rows."""

    kind: str
    encoding: str
    columns: tuple[str, ...]
    row_estimate: int
    lines: tuple[int, ...]
    rows: tuple[dict[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """How a mapped file is to be imported; see `ImportOrder` and `save_mapping`."""

    definition: Mapping[str, Any]
    mode: ImportMode = ImportMode.UPSERT
    is_dry_run: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    expected_version: int | None = None


def begin_draft(
    *, actor: Actor, file_name: str, blocks: Iterable[bytes], now: datetime, encoding: str = ""
) -> ImportBatch:
    """Keep a file, sealed, until its mapping is built.

    Args:
        actor: Who brings it.
        file_name: Its name.
        blocks: Its bytes, piece by piece.
        now: When.
        encoding: Of a text file; found out where it is certain when empty.

    Raises:
        PermissionRefused: The actor may not import.
        FileRefused: The file is no readable table.
    """
    act = acting(actor, PERMISSION, now=now)
    with tempfile.TemporaryDirectory(dir=settings.LOANCRM_VAR_DIR) as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            for block in blocks:
                target.write(block)
        with translate_error(), open_table(path, encoding=encoding) as table:
            sample = _look(table)
        with act, path.open("rb") as stream:
            batch = ImportBatch.objects.create(
                file_name=remembered_name(file_name),
                encoding=sample.encoding,
                state=ImportState.DRAFT,
                actor_label=actor.label,
                created_at=now,
            )
            batch.file_digest = write_file(batch, iter(lambda: stream.read(1 << 20), b""))
            batch.save(update_fields=["file_digest"])
            _write_sample(batch, sample)
            act.record("customers.import_draft_begun", on=batch)
    return batch


def is_read(batch: ImportBatch) -> bool:
    """Return whether somebody has looked into a draft's file."""
    return batch.file_parts.filter(number=_SAMPLE_NUMBER).exists()


def read_draft(*, actor: Actor, batch_id: int, encoding: str = "") -> None:
    """Look into a draft's file, now that it is said how it is to be read.

    Raises:
        PermissionRefused: The actor may not import.
        DraftGone: The import is no longer being mapped.
        FileRefused: The file is no readable table, or not in this encoding.
    """
    access.require(actor, PERMISSION)
    with transaction.atomic():
        drafts = ImportBatch.objects.select_for_update().filter(
            pk=batch_id, state=ImportState.DRAFT
        )
        batch = drafts.first()
        if batch is None:
            raise gone(batch_id)
        with (
            stored_file(batch) as path,
            translate_error(),
            open_table(path, encoding=encoding) as table,
        ):
            sample = _look(table)
        batch.file_parts.filter(number=_SAMPLE_NUMBER).delete()
        _write_sample(batch, sample)
        drafts.update(encoding=sample.encoding)


def sample_of(batch: ImportBatch) -> Sample:
    """Return the top of the file.

    Raises:
        DraftGone: The file is not kept any more.
    """
    part = batch.file_parts.filter(number=_SAMPLE_NUMBER).first()
    if part is None:
        raise gone(batch.pk)
    vault = crypto.vault()
    text = vault.open(ImportFilePart.CONTENT_COLUMN, part.row_key, part.content_sealed)
    return msgspec.json.decode(b64decode(text), type=Sample)


def save_draft(*, actor: Actor, batch_id: int, draft: Mapping[str, Any]) -> None:
    """Keep what has been chosen so far, as the page wants it back.

    Raises:
        PermissionRefused: The actor may not import.
        DraftGone: The import is no longer being mapped.
    """
    access.require(actor, PERMISSION)
    drafts = ImportBatch.objects.filter(pk=batch_id, state=ImportState.DRAFT)
    if not drafts.update(mapping={"draft": dict(draft)}):
        raise gone(batch_id)


def start_draft(*, actor: Actor, batch_id: int, start: Start, now: datetime) -> SavedMapping:
    """Save the mapping and let a worker import the file by it.

    Raises:
        PermissionRefused: The actor may not import.
        DraftGone: The import is no longer being mapped.
        MappingRefused: The definition breaks the schema.
        MappingNameTaken, MappingOutdated: See `save_mapping`.
    """
    act = acting(actor, PERMISSION, now=now)
    mapping = checked(start.definition)
    with act:
        drafts = ImportBatch.objects.select_for_update().filter(
            pk=batch_id, state=ImportState.DRAFT
        )
        batch = drafts.first()
        if batch is None:
            raise gone(batch_id)
        saved = save_mapping(
            actor=actor,
            definition=start.definition,
            now=now,
            note=start.note,
            expected_version=start.expected_version,
        )
        batch.file_parts.filter(number=_SAMPLE_NUMBER).delete()
        drafts.update(
            source=mapping.source,
            mapping=batch_mapping(mapping),
            mode=start.mode,
            is_dry_run=start.is_dry_run,
            limits={**mapping.limits, **start.limits},
            state=ImportState.QUEUED,
            work=start_work(actor=actor, batch=batch, now=now),
        )
        act.record("customers.import_submitted", on=batch)
    return saved


def discard_draft(*, actor: Actor, batch_id: int, now: datetime) -> None:
    """Forget a file that is not to be imported.

    Raises:
        PermissionRefused: The actor may not import.
        DraftGone: The import is no longer being mapped.
    """
    with acting(actor, PERMISSION, now=now) as act:
        deleted, _rows = ImportBatch.objects.filter(pk=batch_id, state=ImportState.DRAFT).delete()
        if not deleted:
            raise gone(batch_id)
        act.record("customers.import_draft_discarded", on=(ImportBatch, batch_id))


def forget_old_drafts(*, now: datetime) -> int:
    """Forget files that nobody has gone on with for a week, checked ones too; return how many."""
    old = ImportBatch.objects.filter(state=ImportState.DRAFT, created_at__lt=now - KEPT_FOR)
    ids = list(old.values_list("pk", flat=True))
    ImportBatch.objects.filter(pk__in=ids).delete()
    checked = ImportFilePart.objects.filter(
        batch__state=ImportState.DONE, batch__created_at__lt=now - KEPT_FOR
    )
    for batch_id in list(checked.order_by().values_list("batch", flat=True).distinct()):
        ImportFilePart.objects.filter(batch=batch_id).delete()
        ids.append(batch_id)
    return len(ids)


def _look(table: Table) -> Sample:
    rows = []
    for row in table:
        rows.append(row)
        if len(rows) == SAMPLE_ROWS:
            break
    return Sample(
        kind=table.kind.value,
        encoding=table.encoding,
        columns=table.columns,
        row_estimate=max(table.row_estimate, len(rows)),
        lines=tuple(row.line for row in rows),
        rows=tuple(dict(row.values) for row in rows),
    )


def _write_sample(batch: ImportBatch, sample: Sample) -> None:
    row_key = uuid4()
    text = b64encode(msgspec.json.encode(sample)).decode()
    ImportFilePart.objects.create(
        batch=batch,
        number=_SAMPLE_NUMBER,
        row_key=row_key,
        content_sealed=crypto.vault().seal(ImportFilePart.CONTENT_COLUMN, row_key, text),
    )


def gone(batch_id: int) -> DraftGone:
    """Return what is raised for a draft that is none any more."""
    return DraftGone(_("This file is no longer being mapped."), batch_id=batch_id)
