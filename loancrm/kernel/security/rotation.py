"""Sealing everything anew with the active key while the product runs.

Old and new key both open values meanwhile; a pass goes through every sealed column in the order of
the rows' ids, notes after each batch how far it came, and starts there again after an interruption.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk
from loancrm.kernel.models import KeyRecord, KeyRotation
from loancrm.kernel.security import crypto, keys

logger = logging.getLogger(__name__)
BATCH_ROWS = 500
ROTATE = "kernel.change_keyrotation"
_SUFFIX = "_sealed"


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column of envelopes, and what each is bound to.

    Attributes:
        name: The column as it is authenticated, such as `customers.customer.name`.
        key_field: The field that holds the row's key.
    """

    model: type[Model]
    field: str
    name: str
    key_field: str


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """How the envelopes of one column stand.

    Attributes:
        rows: Envelopes in the column.
        by_key: {key id: envelopes sealed with it}.
        refused: Envelopes that no key opens, or that belong to another row.
    """

    name: str
    rows: int
    by_key: dict[str, int]
    refused: int


def sealed_columns() -> list[SealedColumn]:
    """Return every sealed column of every table: fields that end in `_sealed`."""
    found = []
    for model in apps.get_models():
        fields = [field.name for field in model._meta.concrete_fields]  # noqa: SLF001 - Django's documented way to a model's fields
        if model is KeyRecord:
            continue
        for field in fields:
            if field.endswith(_SUFFIX):
                constant = f"{field.removesuffix(_SUFFIX).upper()}_COLUMN"
                key_field = "row_key" if "row_key" in fields else "public_id"
                found.append(SealedColumn(model, field, getattr(model, constant), key_field))
    return sorted(found, key=lambda column: column.name)


def rotate(
    *,
    actor: Actor,
    now: datetime,
    batch_rows: int = BATCH_ROWS,
    on_batch: Callable[[str, int], None] = lambda _name, _rows: None,
) -> dict[str, int]:
    """Seal every value with the active key that another key sealed; start where the last run ended.

    Each batch is a transaction of its own that holds its rows, so a value that somebody changes at
    the same moment is never put back. An envelope that does not open is left as it is and logged.

    Args:
        on_batch: Told the column and the rows looked at after every batch.

    Returns:
        {column: values sealed anew in this run}.

    Raises:
        PermissionRefused: The actor may not rotate keys.
    """
    act = acting(actor, ROTATE, now=now)
    keys.note_active_key()
    key_id = crypto.vault().active_key_id
    changed = {
        column.name: _rotate_column(column, key_id, batch_rows, on_batch, now)
        for column in sealed_columns()
    }
    with act:
        act.record("keys.rotate", on=("key", key_id), facts={"sealed": changed})
    return changed


def verify(
    *,
    batch_rows: int = BATCH_ROWS,
    on_batch: Callable[[str, int], None] = lambda _name, _rows: None,
) -> list[ColumnCount]:
    """Open every sealed value once and count by which key; changes nothing."""
    return [_count(column, batch_rows, on_batch) for column in sealed_columns()]


def retire_unused_keys(*, actor: Actor, counts: list[ColumnCount], now: datetime) -> list[str]:
    """Forget the check texts of keys that seal nothing any more; they may then be removed.

    Nothing is retired while any value does not open.

    Args:
        counts: A fresh result of `verify`.

    Returns:
        The ids of the keys that are no longer needed.

    Raises:
        PermissionRefused: The actor may not rotate keys.
    """
    act = acting(actor, ROTATE, now=now)
    if any(count.refused for count in counts):
        return []
    used = {key_id for count in counts for key_id in count.by_key}
    used.add(crypto.vault().active_key_id)
    with act:
        unused = KeyRecord.objects.exclude(key_id__in=used)
        retired = sorted(unused.values_list("key_id", flat=True))
        unused.delete()
        # A key that comes back into use starts its pass from the first row.
        KeyRotation.objects.exclude(key_id__in=used).delete()
        KeyRotation.objects.update(last_row_id=0)
        if retired:
            act.record("keys.retire", on=("key", ",".join(retired)[:80]))
        else:
            act.unchanged()
    return retired


def _rotate_column(
    column: SealedColumn,
    key_id: str,
    batch_rows: int,
    on_batch: Callable[[str, int], None],
    now: datetime,
) -> int:
    progress, _created = KeyRotation.objects.get_or_create(
        key_id=key_id, column=column.name, defaults={"updated_at": now}
    )
    changed = 0
    last_id = progress.last_row_id
    while True:
        with transaction.atomic():
            rows = _batch(column, last_id, batch_rows, is_locked=True)
            if not rows:
                break
            fresh = _sealed_anew(column, key_id, rows)
            bulk.update_rows(column.model, key="id", columns=(column.field,), rows=fresh)
            last_id = rows[-1][0]
            KeyRotation.objects.filter(pk=progress.pk).update(last_row_id=last_id, updated_at=now)
        changed += len(fresh)
        on_batch(column.name, len(rows))
    # The next run looks at everything again: a process that still ran with the old key may have
    # written behind this one. Rows that are done cost a look at their first bytes.
    KeyRotation.objects.filter(pk=progress.pk).update(last_row_id=0, updated_at=now)
    return changed


def _batch(
    column: SealedColumn, last_id: int, size: int, *, is_locked: bool = False
) -> list[tuple[int, UUID, bytes]]:
    manager = cast("Any", column.model)._default_manager  # noqa: SLF001 - works for every model
    rows = manager.filter(pk__gt=last_id, **{f"{column.field}__isnull": False}).order_by("pk")
    if is_locked:
        rows = rows.select_for_update()
    return list(rows.values_list("pk", column.key_field, column.field)[:size])


def _sealed_anew(
    column: SealedColumn, key_id: str, rows: list[tuple[int, UUID, bytes]]
) -> list[tuple[int, bytes]]:
    vault = crypto.vault()
    fresh = []
    for pk, row_key, envelope in rows:
        if crypto.key_id_of(envelope) == key_id:
            continue
        try:
            text = vault.open(column.name, row_key, envelope)
        except crypto.CipherRefused:
            logger.error(  # noqa: TRY400 - the trace would say nothing more
                "sealed value does not open", extra={"column": column.name, "row": pk}
            )
            continue
        fresh.append((pk, vault.seal(column.name, row_key, text)))
    return fresh


def _count(
    column: SealedColumn, batch_rows: int, on_batch: Callable[[str, int], None]
) -> ColumnCount:
    vault = crypto.vault()
    by_key: dict[str, int] = {}
    refused = rows_seen = 0
    for rows in _batches(column, batch_rows):
        for pk, row_key, envelope in rows:
            try:
                vault.open(column.name, row_key, envelope)
            except crypto.CipherRefused:
                refused += 1
                logger.error(  # noqa: TRY400 - the trace would say nothing more
                    "sealed value does not open", extra={"column": column.name, "row": pk}
                )
                continue
            key_id = crypto.key_id_of(envelope)
            by_key[key_id] = by_key.get(key_id, 0) + 1
        rows_seen += len(rows)
        on_batch(column.name, len(rows))
    return ColumnCount(column.name, rows_seen, by_key, refused)


def _batches(column: SealedColumn, batch_rows: int) -> Iterator[list[tuple[int, UUID, bytes]]]:
    last_id = 0
    while rows := _batch(column, last_id, batch_rows):
        yield rows
        last_id = rows[-1][0]
