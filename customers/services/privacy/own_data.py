"""Everything that is stored about one person, whole, for the person (PIPL article 45)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import models
from django.db.models import Q

from customers.models import ContactPoint, Customer
from customers.services.privacy import reveals
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto

ACTION: Final = reveals.LOOKS[1]
# Fingerprints, keys of rows and records of how a merge is taken back say nothing about the person.
_SUFFIXES_LEFT_OUT: Final = ("_index", "_digest", "row_key")
_FIELDS_LEFT_OUT: Final = frozenset({"changes", "moved", "marks"})
_SEALED: Final = "_sealed"


def export_own_data(
    *, actor: Actor, customer_id: int, reason: str, now: datetime
) -> dict[str, Any]:
    """Return everything stored about one person: their row, and every table that points at it.

    Tables of apps above take part without being named here, and so do records that were merged into
    this one and stops on the person's addresses. Sealed values are opened. Counts as a look like
    `reveals.reveal`, with its permission, reason and limit.

    Returns:
        {"made_at", "customer": {…}, "tables": {"app.model": {"name", "rows": [{…}]}},
        "looked_at": [{"at", "action"}]}; dates and numbers as Python objects.

    Raises:
        PermissionRefused: The actor may not reveal personal data.
        RevealRefused: The reason is missing, or the actor looked too often within the hour.
        Customer.DoesNotExist: There is no such customer.
    """
    customer = Customer.objects.get(pk=customer_id)
    reveals.note_look(actor=actor, customer=customer, reason=reason, now=now, action=ACTION)
    merged = Customer.objects.filter(merged_into=customer).order_by("pk")
    ids = [customer.pk, *merged.values_list("pk", flat=True)]
    points = ContactPoint.objects.filter(customer_id__in=ids)
    indexes = list(points.values_list("value_index", flat=True))
    looks = AuditEntry.objects.filter(
        object_type=audit.type_of(Customer), object_id__in=map(str, ids)
    )
    return {
        "made_at": now,
        "customer": _row(customer),
        "tables": {
            model._meta.label_lower: {  # noqa: SLF001 - Django's registry
                "name": str(model._meta.verbose_name),  # noqa: SLF001 - where Django keeps names
                "rows": [_row(row) for row in rows],
            }
            for model, rows in _tables(ids, indexes)
        },
        "looked_at": list(looks.order_by("pk").values("at", "action")),
    }


def _tables(
    ids: Sequence[int], indexes: Sequence[str]
) -> Iterator[tuple[type[models.Model], models.QuerySet[Any]]]:
    """Yield every table that points at customers, with the rows about these, and its parts.

    Parts are rows that live and die with such a row and know the person through it alone, such as
    the instalments of a loan.
    """
    columns: dict[type[models.Model], list[str]] = {}
    for relation in Customer._meta.get_fields(include_hidden=True):  # noqa: SLF001 - Django's registry
        if isinstance(relation, models.ManyToOneRel):
            model: Any = relation.related_model
            columns.setdefault(model, []).append(relation.field.name)
    parts: dict[type[models.Model], Q] = {}
    for model, names in columns.items():
        wanted = Q()
        for name in names:
            wanted |= Q(**{f"{name}__in": ids})
        fields = {field.name for field in model._meta.concrete_fields}  # noqa: SLF001 - as above
        if "value_index" in fields:
            # A stop may be on an address alone.
            wanted |= Q(**{f"{names[0]}__isnull": True}, value_index__in=indexes)
        others = [
            field.name
            for field in model._meta.concrete_fields  # noqa: SLF001 - as above
            if field.is_relation and field.related_model is not Customer
        ]
        rows = model._base_manager.filter(wanted).order_by("pk")  # noqa: SLF001 - rows of all kinds
        yield model, rows.select_related(*others) if others else rows
        for part, name in _parts_of(model, columns):
            parts[part] = parts.get(part, Q()) | Q(**{f"{name}__in": rows})
    for part, of_person in parts.items():
        yield part, part._base_manager.filter(of_person).order_by("pk")  # noqa: SLF001 - as above


def _parts_of(
    model: type[models.Model], direct: Collection[type[models.Model]]
) -> Iterator[tuple[type[models.Model], str]]:
    for relation in model._meta.get_fields(include_hidden=True):  # noqa: SLF001 - Django's registry
        if not isinstance(relation, models.ManyToOneRel) or relation.on_delete != models.CASCADE:
            continue
        part: Any = relation.related_model
        meta = part._meta  # noqa: SLF001 - Django's registry
        # What is sealed in a part is on its way out, such as the code of a message to be sent;
        # unless it says that it is kept.
        is_sealed = any(field.name.endswith(_SEALED) for field in meta.concrete_fields)
        is_passing = is_sealed and not getattr(part, "IS_OWN_DATA", False)
        if part not in direct and not meta.auto_created and not is_passing:
            yield part, relation.field.name


def _row(row: models.Model) -> dict[str, Any]:
    """Return the fields of a row; what it refers to is given by its text."""
    found: dict[str, Any] = {}
    for field in row._meta.concrete_fields:  # noqa: SLF001 - Django's registry
        name = field.name
        if name.endswith(_SUFFIXES_LEFT_OUT) or name in _FIELDS_LEFT_OUT:
            continue
        if name.endswith(_SEALED):
            found[name.removesuffix(_SEALED)] = _opened(row, name)
        elif field.is_relation and field.related_model is not Customer:
            target = getattr(row, name)
            found[name] = None if target is None else str(target)
        else:
            found[name] = getattr(row, field.attname)
    return found


def _opened(row: Any, field: str) -> str:
    envelope = getattr(row, field)
    if not envelope:
        return ""
    # What is stored squeezed reads itself.
    reads = getattr(row, f"read_{field.removesuffix(_SEALED)}", None)
    if reads is not None:
        return str(reads())
    column = getattr(row, f"{field.removesuffix(_SEALED).upper()}_COLUMN")
    key = getattr(row, "row_key", None) or row.public_id
    return crypto.vault().open(column, key, envelope)
