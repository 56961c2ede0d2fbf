"""What has happened since an import to the customers it created or changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from django.db.models import F, Q

from customers.domain.identity.merging import MergeState
from customers.domain.imports.states import ChangeOutcome, RowState
from customers.domain.relationships import GRAPH_SOURCE
from customers.domain.values.contact import ContactStatus
from customers.models import (
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    ImportChange,
    ImportRow,
    MergeDecision,
    Relationship,
    Score,
    SegmentMember,
    SharedTie,
    StageEntry,
)

# Written by imports and judged one by one below, or derived and made anew at any time.
_OWN: Final = (
    *(AttributeValue, ConsentRecord, ConsentState, ContactPoint, IdentityLink),
    *(ImportChange, ImportRow, MergeDecision, Score, SegmentMember, StageEntry),
    *(SharedTie, Relationship),
)


def edited_since(*, batch_id: int, customer_ids: Collection[int]) -> set[int]:
    """Return which of the customers that a batch created carry anything from elsewhere.

    Anything counts that somebody would miss: another edit, a consent or contact from elsewhere, an
    event, a loan, a message, whatever table of whatever app points at the customer.
    """
    ids = list(customer_ids)
    found: set[int] = set()
    for rows in _traces(batch_id, ids):
        found.update(rows)
    return found


def _traces(batch_id: int, ids: list[int]) -> Iterator[Any]:
    born = F("customer__created_at")
    other = ~Q(updated_at=F("created_at")) | Q(merged_into__isnull=False)
    edited = Customer.objects.filter(other, pk__in=ids)
    yield edited.values_list("pk", flat=True)
    mine = Q(customer_id__in=ids)
    untouched = Q(created_at=born, status=ContactStatus.ACTIVE, verified_at__isnull=True)
    own: tuple[tuple[Any, Q], ...] = (
        (ContactPoint, ~untouched),
        (AttributeValue, ~Q(updated_at=born) & ~Q(source=GRAPH_SOURCE)),
        (ConsentRecord, ~Q(recorded_at=born)),
        # A file may say when the person said it, which is before the import.
        (ConsentState, Q(changed_at__gt=born)),
        (IdentityLink, ~Q(created_at=born)),
        (ImportChange, ~Q(batch_id=batch_id) & ~Q(outcome=ChangeOutcome.RESTORED)),
    )
    for model, condition in own:
        yield model.objects.filter(mine & condition).values_list("customer_id", flat=True)
    decided = MergeDecision.objects.exclude(state=MergeState.PROPOSED)
    for name in ("kept_id", "other_id"):
        yield decided.filter(**{f"{name}__in": ids}).values_list(name, flat=True)
    # Hidden ones too: messages and suppressions have no name on the customer's side.
    relations: list[Any] = list(Customer._meta.get_fields(include_hidden=True))  # noqa: SLF001 - public by convention
    for relation in relations:
        if relation.one_to_many and relation.auto_created and relation.related_model not in _OWN:
            name = relation.field.attname
            rows = relation.related_model._base_manager  # noqa: SLF001 - the same
            yield rows.filter(**{f"{name}__in": ids}).values_list(name, flat=True).distinct()


def surviving_changes(*, batch_id: int, limit: int) -> list[tuple[int, str, str]]:
    """Return (customer id, kind, name) of the changes that an undo left as they are."""
    rows = ImportChange.objects.filter(batch_id=batch_id, outcome=ChangeOutcome.KEPT)
    return list(
        rows.order_by("customer_id", "id").values_list("customer_id", "kind", "name")[:limit]
    )


def surviving_customers(*, batch_id: int, limit: int) -> list[tuple[int, int]]:
    """Return (line, customer id) of created customers that an undo left because they are in use."""
    rows = ImportRow.objects.filter(
        batch_id=batch_id, state=RowState.KEPT, customer_id__isnull=False
    )
    return list(rows.order_by("line").values_list("line", "customer_id")[:limit])
