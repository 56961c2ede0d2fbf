"""Quality figures of imported files: one card a batch, and a source's cards over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from customers.models import ImportBatch

MEASURES: Final = ("completeness", "validity", "uniqueness", "consistency", "timeliness")


@dataclass(frozen=True, slots=True)
class Card:
    """Five measures of one batch, each as (numerator, denominator), in the order of `MEASURES`."""

    batch_id: int
    file_name: str
    created_at: datetime
    shares: tuple[tuple[int, int], ...]


def source_history(*, source: str, limit: int) -> list[Card]:
    """Return the cards of a source's measured batches, newest first."""
    batches = ImportBatch.objects.filter(source=source, is_dry_run=False).exclude(quality={})
    rows = batches.order_by("-created_at", "-id").values_list(
        "pk", "file_name", "created_at", "quality"
    )
    return [Card(pk, name, at, summary(card)) for pk, name, at, card in rows[:limit]]


def summary(card: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return each measure of a stored card over all its columns."""
    return tuple(_total(card.get(name) or {}) for name in MEASURES)


def _total(measure: Mapping[str, Any]) -> tuple[int, int]:
    shares = [measure] if "numerator" in measure else list(measure.values())
    numerator = sum(int(share["numerator"]) for share in shares)
    return numerator, sum(int(share["denominator"]) for share in shares)
