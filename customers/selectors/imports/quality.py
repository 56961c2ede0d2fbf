"""Quality figures of imported files: one card a batch, and a source's cards over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from customers.domain.imports.states import RowState
from customers.domain.values.measures import QualityMeasure
from customers.domain.values.quality import Share, Trend, trend
from customers.models import ImportBatch, ImportRow, RejectedRow

MEASURES: Final = tuple(measure.value for measure in QualityMeasure)


@dataclass(frozen=True, slots=True)
class Card:
    """Five measures of one batch, each as (numerator, denominator), in the order of `MEASURES`."""

    batch_id: int
    file_name: str
    created_at: datetime
    shares: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the rows of a file are; those of the other four always add up to `rows_in`.

    Attributes:
        rows_ok: Taken in as they were delivered.
        rows_fixed: Taken in after somebody repaired them.
        rows_quarantined: Refused and not repaired.
        rows_open: Read, and nothing has become of them: the import has not come to them, or never
            will.
    """

    rows_in: int
    rows_ok: int
    rows_fixed: int
    rows_quarantined: int
    rows_open: int


def balance(batch: ImportBatch) -> Balance:
    """Return where the rows of a batch are, as far as it has come."""
    taken = batch.created_count + batch.updated_count + batch.unchanged_count + batch.merged_count
    open_states = (RowState.STAGED, RowState.REJECTED)
    repaired = ImportRow.objects.filter(batch=batch, is_repaired=True)
    fixed = repaired.exclude(state__in=open_states).count()
    # The batch counts its refused rows only once they are written; until then they are stored.
    refused = batch.rejected_count or RejectedRow.objects.filter(batch=batch).count()
    rest = batch.row_count - taken - refused
    return Balance(batch.row_count, taken - fixed, fixed, refused, rest)


def source_history(*, source: str, limit: int) -> list[Card]:
    """Return the cards of a source's measured batches, newest first."""
    batches = ImportBatch.objects.filter(source=source, is_dry_run=False).exclude(quality={})
    rows = batches.order_by("-created_at", "-id").values_list(
        "pk", "file_name", "created_at", "quality"
    )
    return [Card(pk, name, at, summary(card)) for pk, name, at, card in rows[:limit]]


def trends(cards: Sequence[Card]) -> tuple[Trend, ...]:
    """Return of each of `MEASURES` whether the newest card is better or worse than the others.

    Args:
        cards: Newest first, as `source_history` returns them; none is `UNKNOWN` throughout.
    """
    found = []
    for at in range(len(MEASURES)):
        shares = [Share(*card.shares[at]) for card in cards] or [Share()]
        earlier = Share(
            sum(share.numerator for share in shares[1:]),
            sum(share.denominator for share in shares[1:]),
        )
        found.append(trend(shares[0], earlier))
    return tuple(found)


def summary(card: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return each measure of a stored card over all its columns."""
    return tuple(_total(card.get(name) or {}) for name in MEASURES)


def _total(measure: Mapping[str, Any]) -> tuple[int, int]:
    shares = [measure] if "numerator" in measure else list(measure.values())
    numerator = sum(int(share["numerator"]) for share in shares)
    return numerator, sum(int(share["denominator"]) for share in shares)
