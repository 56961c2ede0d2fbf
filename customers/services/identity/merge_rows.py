"""Rows that change hands when two customers become one, and go back when they part.

Every table that points at a customer takes part, also those of apps above, without being named
here. A row that the kept customer has already (the same score, a message of the same dispatch)
stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.apps import apps
from django.db import IntegrityError, models, transaction

from customers.models import (
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    Event,
    ImportRow,
    Merge,
    MergeDecision,
    PastAttribute,
    PastProfile,
    Relationship,
    SharedTie,
    StageEntry,
)
from customers.services.events.lifecycle import STAGE_SOURCE

# Handled value by value, derived anew, or history of what was said about which record.
_NOT_MOVED: Final = (
    *(AttributeValue, ConsentRecord, ConsentState, ContactPoint),
    *(ImportRow, Merge, MergeDecision, StageEntry, SharedTie, Relationship),
    *(PastAttribute, PastProfile),
)
# Bookkeeping about records, not something that happened to the person.
_NOT_ARRIVING: Final = (ImportRow, Merge, MergeDecision, StageEntry, PastAttribute, PastProfile)
_BATCH: Final = 500
_IDS_NAMED: Final = 100
Moved = dict[str, list[int]]


def move_all(*, source_id: int, target_id: int) -> Moved:
    """Hand all rows of one customer to another; return the ids that went, by table and column."""
    moved: Moved = {}
    for label, model, column in _tables():
        ids = list(
            _own_rows(model)
            .filter(**{column: source_id})
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        gone = hand_over(label=label, ids=ids, source_id=source_id, target_id=target_id)
        if gone:
            moved[label] = gone
    return moved


def move_back(*, moved: Mapping[str, Sequence[int]], source_id: int, target_id: int) -> Moved:
    """Hand rows back; return those that could not go: deleted, or given to somebody else since."""
    stuck: Moved = {}
    for label, ids in moved.items():
        gone = hand_over(label=label, ids=ids, source_id=source_id, target_id=target_id)
        if rest := sorted(set(ids) - set(gone)):
            stuck[label] = rest
    return stuck


def marks() -> dict[str, int]:
    """Return the last id of every table of which rows belong to customers, by table and column."""
    found = {}
    for label, model, _column in _tables(_NOT_ARRIVING):
        rows = model._base_manager.order_by("-pk").values_list("pk", flat=True)  # noqa: SLF001
        found[label] = int(rows.first() or 0)
    return found


def arrived_since(
    *, marks: Mapping[str, int], customer_id: int, moved: Mapping[str, Sequence[int]]
) -> list[dict[str, Any]]:
    """Return what came to a customer after the marks: model, number of rows, and some ids.

    Args:
        marks: As `marks` gave them; tables that are not in it are new and wholly later.
        customer_id: Whose rows.
        moved: Rows that changed hands by the merge itself.
    """
    found = []
    for label, model, column in _tables(_NOT_ARRIVING):
        rows = _own_rows(model).filter(**{column: customer_id}, pk__gt=marks.get(label, 0))
        rows = rows.exclude(pk__in=moved.get(label, []))
        if count := rows.count():
            ids = list(rows.order_by("pk").values_list("pk", flat=True)[:_IDS_NAMED])
            found.append({"model": label.rpartition(".")[0], "count": count, "ids": ids})
    return found


def hand_over(*, label: str, ids: Sequence[int], source_id: int, target_id: int) -> list[int]:
    """Give rows of one table to another customer; return the ids that it took."""
    app_label, model_name, column = label.split(".")
    model = apps.get_model(app_label, model_name)
    taken: list[int] = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        mine = list(
            model._base_manager.filter(pk__in=batch, **{column: source_id})  # noqa: SLF001
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        if _try_update(model, column, mine, target_id):
            taken += mine
        else:
            taken += [pk for pk in mine if _try_update(model, column, [pk], target_id)]
    return taken


def _own_rows(model: Any) -> models.QuerySet[Any]:
    """Return the rows that belong to the person; stage events are derived anew for the survivor."""
    rows: models.QuerySet[Any] = model._base_manager.all()  # noqa: SLF001 - rows of all kinds
    return rows.exclude(source=STAGE_SOURCE) if model is Event else rows


def _tables(
    left_out: tuple[type[models.Model], ...] = _NOT_MOVED,
) -> Iterable[tuple[str, type[models.Model], str]]:
    relations = Customer._meta.get_fields(include_hidden=True)  # noqa: SLF001 - Django's registry
    for relation in relations:
        if not isinstance(relation, models.ManyToOneRel):
            continue
        model: Any = relation.related_model
        if model in left_out or model._meta.auto_created:  # noqa: SLF001 - Django's registry
            continue
        column = relation.field.name
        yield f"{model._meta.label_lower}.{column}", model, column  # noqa: SLF001 - Django's registry


def _try_update(model: type[models.Model], column: str, ids: Sequence[int], target_id: int) -> bool:
    rows = model._base_manager.filter(pk__in=ids)  # noqa: SLF001 - rows of all kinds
    try:
        with transaction.atomic():
            rows.update(**{column: target_id})
    except IntegrityError:
        return False
    return True
