"""Files of forms that went back to their reader: kept sealed, so that nobody chooses one twice.

Such a file is a draft that nobody has looked into yet. It is imported, mapped or discarded like any
other draft, and forgotten with them when nobody goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from customers.domain.imports.states import ImportState
from customers.models import ImportBatch
from customers.services.imports.drafts import gone
from customers.services.imports.files import write_file
from customers.services.imports.pipeline import PERMISSION
from customers.services.sources.file_names import remembered_name
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting


def save_upload(
    *, actor: Actor, file_name: str, blocks: Iterable[bytes], now: datetime
) -> ImportBatch:
    """Keep a file, sealed, until it is said how it is to be read.

    Raises:
        PermissionRefused: The actor may not import.
    """
    with acting(actor, PERMISSION, now=now) as act:
        batch = ImportBatch.objects.create(
            file_name=remembered_name(file_name),
            state=ImportState.DRAFT,
            actor_label=actor.label,
            created_at=now,
        )
        batch.file_digest = write_file(batch, blocks)
        batch.save(update_fields=["file_digest"])
        act.record("customers.import_draft_begun", on=batch)
    return batch


def saved_upload(batch_id: int) -> ImportBatch:
    """Return the draft that holds a file.

    Raises:
        DraftGone: It was imported, discarded or forgotten meanwhile.
    """
    batch = ImportBatch.objects.filter(pk=batch_id, state=ImportState.DRAFT).first()
    if batch is None:
        raise gone(batch_id)
    return batch


def take_over(batch: ImportBatch, kept_id: int) -> None:
    """Turn a draft into an import of its file, in the caller's transaction.

    Raises:
        DraftGone: It was imported, discarded or forgotten meanwhile.
    """
    drafts = ImportBatch.objects.select_for_update().filter(pk=kept_id, state=ImportState.DRAFT)
    kept = drafts.first()
    if kept is None:
        raise gone(kept_id)
    # A look at the file's top is of no use to whoever imports it.
    kept.file_parts.filter(number__lt=0).delete()
    batch.pk, batch.file_name, batch.file_digest = kept.pk, kept.file_name, kept.file_digest
    batch.save(force_update=True)
