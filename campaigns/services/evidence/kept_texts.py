"""Keeping the exact text of every message: written when it is marked, removed when it is old.

It is written in the transaction that marks the message, before a provider is called: what may have
reached somebody can be shown, also where nobody knows whether it did.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from campaigns.domain.evidence import kept_text
from campaigns.models import Dispatch, KeptForm, KeptText
from loancrm.kernel.security import crypto

_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Form:
    """What texts are squeezed against, with its row."""

    form_id: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class TextToKeep:
    """The finished text of one message."""

    form: Form
    parts: tuple[str, ...] = field(repr=False)


def form_of(*, dispatch: Dispatch, parts: Sequence[str]) -> Form:
    """Return the form of a dispatch's texts, written down where it is new."""
    text = kept_text.joined(parts)
    raw = text.encode()
    digest = hashlib.sha256(raw).hexdigest()
    KeptForm.objects.bulk_create(
        [KeptForm(dispatch=dispatch, digest=digest, text=text)], ignore_conflicts=True
    )
    known = KeptForm.objects.filter(dispatch=dispatch, digest=digest).values_list("pk", flat=True)
    return Form(known.get(), raw)


def sealed_rows(*, texts: Mapping[tuple[int, int], TextToKeep], now: datetime) -> list[KeptText]:
    """Return the rows of texts, to be written once it is known which of them go out.

    Args:
        texts: {(message, attempt): its text}.
    """
    vault = crypto.vault()
    rows = []
    for (message_id, attempt), kept in texts.items():
        text = kept_text.joined(kept.parts)
        row = KeptText(
            message_id=message_id,
            form_id=kept.form.form_id,
            attempt=attempt,
            at=now,
            digest=vault.blind_index(KeptText.TEXT_COLUMN, text),
        )
        squeezed = kept_text.squeezed(text, kept.form.raw)
        row.text_sealed = vault.seal(KeptText.TEXT_COLUMN, row.row_key, squeezed)
        rows.append(row)
    return rows


def forget_old(*, now: datetime) -> int:
    """Remove texts older than `LOANCRM_TEXT_DAYS`; return how many.

    Rows are written in the order of time, so the oldest are the first.
    """
    before = now - timedelta(days=settings.LOANCRM_TEXT_DAYS)
    removed = 0
    while True:
        oldest = KeptText.objects.order_by("pk").values_list("pk", "at")[:_BATCH]
        ids = [pk for pk, at in oldest if at < before]
        if not ids:
            return removed
        count, _by_model = KeptText.objects.filter(pk__in=ids).delete()
        removed += count
