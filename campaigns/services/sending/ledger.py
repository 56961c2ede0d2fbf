"""The ledger of a dispatch: what each working session left of its chunk, chained by hashes."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from campaigns.models import Chunk, LedgerEntry
from campaigns.services.sending import chunks
from loancrm.kernel.auditing import anchors

GENESIS = "0" * 64
ANCHOR = "ledger"


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
            entry.at.isoformat(),
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


@dataclass(frozen=True, slots=True)
class LedgerVerification:
    """What was found wrong with the ledgers.

    Attributes:
        dispatches: How many ledgers were read.
        entries: How many entries they hold.
        broken: {dispatch: the first entry that was changed or misses the one before it}.
        cut: Dispatches of which an anchor knows entries that are not there or are others now.
    """

    dispatches: int
    entries: int
    broken: Mapping[int, int]
    cut: tuple[int, ...]

    @property
    def is_intact(self) -> bool:
        """Return whether every ledger is what it was."""
        return not self.broken and not self.cut


def verify_and_anchor(*, now: datetime) -> LedgerVerification:
    """Hold every ledger against its hashes and anchors; write down those that are whole and grew.

    An anchor names the last entry of each chunk, so that entries taken off an end show too.
    """
    # The line of an accepted restore is about no dispatch.
    known = {anchor["dispatch"]: anchor for anchor in anchors.read(ANCHOR) if "dispatch" in anchor}
    ids = set(LedgerEntry.objects.values_list("dispatch_id", flat=True).distinct())
    broken: dict[int, int] = {}
    cut: list[int] = []
    entries = 0
    for dispatch_id in sorted(ids | known.keys()):
        lasts, count = _lasts(dispatch_id)
        entries += count
        bad = first_broken_entry(dispatch_id)
        if bad is not None:
            broken[dispatch_id] = bad
        anchor = known.get(dispatch_id)
        if anchor is not None and not _holds(dispatch_id, anchor["lasts"]):
            cut.append(dispatch_id)
        elif bad is None and (anchor is None or anchor["lasts"] != lasts):
            written = {"at": now.isoformat(), "dispatch": dispatch_id, "lasts": lasts}
            digest = hashlib.sha256(json.dumps(lasts, sort_keys=True).encode()).hexdigest()
            logged = {"dispatch": dispatch_id, "entries": count, "digest": digest}
            anchors.write(ANCHOR, written, logged=logged)
    return LedgerVerification(len(ids), entries, broken, tuple(cut))


def _lasts(dispatch_id: int) -> tuple[dict[str, list[Any]], int]:
    """Return {chunk: [sequence, hash] of its last entry}, as JSON has it, and their count."""
    lasts: dict[str, list[Any]] = {}
    count = 0
    rows = LedgerEntry.objects.filter(dispatch_id=dispatch_id).order_by("chunk", "sequence")
    for chunk_id, sequence, entry in rows.values_list("chunk_id", "sequence", "entry_hash"):
        lasts[str(chunk_id)] = [sequence, entry]
        count += 1
    return lasts, count


def _holds(dispatch_id: int, lasts: Mapping[str, list[Any]]) -> bool:
    """Return whether every entry that an anchor names is there as it was."""
    rows = LedgerEntry.objects.filter(dispatch_id=dispatch_id, chunk_id__in=map(int, lasts))
    stored = {
        (str(chunk_id), sequence): entry
        for chunk_id, sequence, entry in rows.values_list("chunk_id", "sequence", "entry_hash")
    }
    return all(stored.get((chunk, last[0])) == last[1] for chunk, last in lasts.items())
