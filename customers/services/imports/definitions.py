"""The attributes that a mapping fills: made when they are new, refused when their type differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from customers.domain.imports.mapping import FileMapping
from customers.domain.values.attribute import AttributeType
from customers.models import AttributeDefinition, AttributeValue
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _


class AttributeTypeConflict(LoanCrmError):
    """An attribute exists with another type than the mapping gives it."""

    code = "attribute_type_conflict"


def attribute_definitions(
    mapping: FileMapping,
) -> tuple[dict[str, AttributeDefinition], list[str]]:
    """Return the definitions by name, and the names of those that were not there before.

    Raises:
        AttributeTypeConflict: See there.
    """
    wanted = mapping.attribute_types()
    before = _stored_definitions(wanted)
    _refuse_other_types(before, wanted)
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(name=name, value_type=value_type.value)
            for name, value_type in wanted.items()
            if name not in before
        ],
        # Another import may be making the same ones at this moment.
        ignore_conflicts=True,
    )
    stored = _stored_definitions(wanted)
    _refuse_other_types(stored, wanted)
    return stored, [name for name in wanted if name not in before]


def forget_definitions(names: Sequence[str]) -> None:
    """Remove definitions that a check made and nothing uses."""
    used = AttributeValue.objects.filter(definition__name__in=names).values("definition")
    AttributeDefinition.objects.filter(name__in=names).exclude(pk__in=used).delete()


def _refuse_other_types(
    stored: Mapping[str, AttributeDefinition], wanted: Mapping[str, AttributeType]
) -> None:
    for name, row in stored.items():
        if row.value_type != wanted[name]:
            raise AttributeTypeConflict(
                _("The attribute %(name)s has the type %(stored)s, the mapping says %(wanted)s.")
                % {"name": name, "stored": row.value_type, "wanted": wanted[name].value},
                name=name,
            )


def _stored_definitions(names: Iterable[str]) -> dict[str, AttributeDefinition]:
    return {row.name: row for row in AttributeDefinition.objects.filter(name__in=list(names))}
