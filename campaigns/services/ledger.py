"""The ledger of a dispatch: what each working session left of its chunk, chained by hashes."""

import hashlib
import json
from collections import Counter
from datetime import datetime
from decimal import Decimal

from campaigns.models import Chunk, LedgerEntry
from campaigns.services import chunks

GENESIS = "0" * 64


def append_entry(*, chunk: Chunk, now: datetime) -> LedgerEntry:
    """Add what a working session left of its chunk to the dispatch's ledger."""
    rows = list(
        chunks.in_chunk(chunk)
        .filter(closed_at__isnull=False)
        .order_by("pk")
        .values_list("pk", "state", "cost_amount")
    )
    sequence, previous = (
        LedgerEntry.objects.filter(chunk=chunk)
        .order_by("-sequence")
        .values_list("sequence", "entry_hash")
        .first()
    ) or (0, GENESIS)
    lines = "\n".join(f"{message_id} {state}" for message_id, state, _cost in rows)
    entry = LedgerEntry(
        dispatch_id=chunk.dispatch_id,
        chunk=chunk,
        sequence=sequence + 1,
        at=now,
        counts=dict(Counter(state for _id, state, _cost in rows)),
        cost_amount=sum((cost for _id, _state, cost in rows), Decimal(0)),
        content_hash=hashlib.sha256(lines.encode()).hexdigest(),
        previous_hash=previous,
    )
    entry.entry_hash = entry_hash(previous, entry)
    entry.save(force_insert=True)
    return entry


def entry_hash(previous: str, entry: LedgerEntry) -> str:
    """Return the hash that chains a ledger entry to the one before it."""
    body = json.dumps(
        [
            previous,
            entry.dispatch_id,
            entry.chunk_id,
            entry.sequence,
            entry.counts,
            f"{entry.cost_amount:.4f}",
            entry.content_hash,
        ],
        sort_keys=True,
    )
    return hashlib.sha256(body.encode()).hexdigest()


def first_broken_entry(dispatch_id: int) -> int | None:
    """Return the id of the first ledger entry that was changed or is missing its predecessor."""
    previous_of: dict[int, tuple[int, str]] = {}
    for entry in LedgerEntry.objects.filter(dispatch_id=dispatch_id).order_by("chunk", "sequence"):
        sequence, previous = previous_of.get(entry.chunk_id, (0, GENESIS))
        if (
            entry.sequence != sequence + 1
            or entry.previous_hash != previous
            or entry.entry_hash != entry_hash(previous, entry)
        ):
            return entry.pk
        previous_of[entry.chunk_id] = (entry.sequence, entry.entry_hash)
    return None
