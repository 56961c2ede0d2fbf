"""Uploaded files between the request and the worker: sealed pieces in the database."""

from __future__ import annotations

import hashlib
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from customers.domain.reading.tabular import TabularError, open_table
from customers.models import ImportBatch, ImportFilePart
from loancrm.kernel.security import crypto


def write_file(batch: ImportBatch, blocks: Iterable[bytes]) -> str:
    """Store a file with its batch, in the caller's transaction; return its SHA-256."""
    vault = crypto.vault()
    digest = hashlib.sha256()
    for number, block in enumerate(blocks):
        digest.update(block)
        row_key = uuid4()
        text = b64encode(block).decode()
        ImportFilePart.objects.create(
            batch=batch,
            number=number,
            row_key=row_key,
            content_sealed=vault.seal(ImportFilePart.CONTENT_COLUMN, row_key, text),
        )
    return digest.hexdigest()


def encoding_candidates(blocks: Iterable[bytes]) -> list[str]:
    """Return which encodings a file may have; none where it tells its own, or is no text."""
    with tempfile.TemporaryDirectory(dir=settings.LOANCRM_VAR_DIR) as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            for block in blocks:
                target.write(block)
        return _candidates_of(path)


def stored_candidates(batch: ImportBatch) -> list[str]:
    """Return the same of a file that is kept."""
    with stored_file(batch) as path:
        return _candidates_of(path)


def _candidates_of(path: Path) -> list[str]:
    try:
        with open_table(path):
            return []
    except TabularError as error:
        unsure = error.code == "encoding_unsure"
        return str(error.facts["candidates"]).split(", ") if unsure else []


def has_file(batch: ImportBatch) -> bool:
    """Return whether the file of a batch is still kept."""
    return batch.file_parts.filter(number__gte=0).exists()


def hand_file_on(batch: ImportBatch, to: ImportBatch) -> bool:
    """Give a batch's file to another, in the caller's transaction; return whether it had one."""
    return bool(batch.file_parts.filter(number__gte=0).update(batch=to))


@contextmanager
def stored_file(batch: ImportBatch) -> Iterator[Path]:
    """Yield the file as one on disk; the copy is gone afterwards, it holds personal data."""
    vault = crypto.vault()
    with tempfile.TemporaryDirectory(dir=settings.LOANCRM_VAR_DIR) as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            for part in (
                batch.file_parts.filter(number__gte=0).order_by("number").iterator(chunk_size=4)
            ):
                content = part.content_sealed
                target.write(
                    b64decode(vault.open(ImportFilePart.CONTENT_COLUMN, part.row_key, content))
                )
        yield path


def forget_file(batch: ImportBatch) -> None:
    """Remove the pieces: what is needed of the file is staged by now."""
    batch.file_parts.all().delete()
