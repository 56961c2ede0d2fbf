"""The exact text of every message: written when it is marked, removed when it is old.

It is written in the transaction that marks the message, before a provider is called: what may have
reached somebody can be shown, also where nobody knows whether it did.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from campaigns.domain.evidence import squeezing
from campaigns.models import Dispatch, MessageText, TextMaster
from loancrm.kernel.security import crypto

_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Master:
    """What texts are squeezed against, with its row."""

    master_id: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class FinishedText:
    """The finished text of one message."""

    master: Master
    parts: tuple[str, ...] = field(repr=False)


def master_of(*, dispatch: Dispatch, parts: Sequence[str]) -> Master:
    """Return the master of a dispatch's texts, written down where it is new."""
    text = squeezing.joined(parts)
    raw = text.encode()
    digest = hashlib.sha256(raw).hexdigest()
    TextMaster.objects.bulk_create(
        [TextMaster(dispatch=dispatch, digest=digest, text=text)], ignore_conflicts=True
    )
    known = TextMaster.objects.filter(dispatch=dispatch, digest=digest).values_list("pk", flat=True)
    return Master(known.get(), raw)


def sealed_rows(
    *, texts: Mapping[tuple[int, int], FinishedText], now: datetime
) -> list[MessageText]:
    """Return the rows of texts, to be written once it is known which of them go out.

    Args:
        texts: {(message, attempt): its text}.
    """
    vault = crypto.vault()
    rows = []
    for (message_id, attempt), finished in texts.items():
        text = squeezing.joined(finished.parts)
        row = MessageText(
            message_id=message_id,
            master_id=finished.master.master_id,
            attempt=attempt,
            at=now,
            digest=vault.blind_index(MessageText.TEXT_COLUMN, text),
        )
        squeezed = squeezing.squeezed(text, finished.master.raw)
        row.text_sealed = vault.seal(MessageText.TEXT_COLUMN, row.row_key, squeezed)
        rows.append(row)
    return rows


def write_texts(*, rows: Sequence[MessageText], going: Collection[int]) -> None:
    """Write down what goes out, before it does; in the transaction that marks it.

    Args:
        going: The messages that are handed over.
    """
    if wanted := [row for row in rows if row.message_id in going]:
        MessageText.objects.bulk_create(wanted)


def forget_old(*, now: datetime) -> int:
    """Remove texts older than `LOANCRM_TEXT_DAYS`; return how many.

    Rows are written in the order of time, so the oldest are the first.
    """
    before = now - timedelta(days=settings.LOANCRM_TEXT_DAYS)
    removed = 0
    while True:
        oldest = MessageText.objects.order_by("pk").values_list("pk", "at")[:_BATCH]
        ids = [pk for pk, at in oldest if at < before]
        if not ids:
            return removed
        count, _by_model = MessageText.objects.filter(pk__in=ids).delete()
        removed += count
