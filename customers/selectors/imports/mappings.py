"""Mappings by name: those that ship with the product and those that people have saved."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import customers
from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.mapping_json import MappingError
from customers.domain.imports.states import ImportState
from customers.models import ImportBatch, SavedMapping

SHIPPED: Final = Path(customers.__file__).parent / "mappings"


def shipped_names() -> list[str]:
    """Return the names of the mappings that ship with the product."""
    return sorted(item.stem for item in SHIPPED.glob("*.json"))


def mapping_names() -> list[str]:
    """Return all names by which a mapping can be used: shipped ones first."""
    saved = SavedMapping.objects.filter(is_current=True, archived_at=None).order_by("name")
    return [*shipped_names(), *saved.values_list("name", flat=True)]


def definition_of(name: str) -> dict[str, Any] | None:
    """Return the JSON of the mapping in use under a name, or None where there is none.

    An archived one is not in use.
    """
    if name in shipped_names():
        content: dict[str, Any] = json.loads((SHIPPED / f"{name}.json").read_text("utf-8"))
        return content
    found = SavedMapping.objects.filter(name=name, is_current=True, archived_at=None).first()
    return found.definition if found else None


def imports_with(name: str) -> int:
    """Return how many files were imported, or are being, with a mapping of this name."""
    # A file in the builder has no mapping yet, only a draft of one.
    used = ImportBatch.objects.exclude(state=ImportState.DRAFT)
    return used.filter(mapping__name=name).count()


def fitting_mappings(columns: Collection[str]) -> list[str]:
    """Return the names of the mappings that need no other columns than a file has.

    A mapping that would use less than half of the columns is no fit.
    """
    names = []
    for name in mapping_names():
        try:
            mapping = parse_mapping(definition_of(name))
        except MappingError:
            # Saved before the schema became stricter; using it says what is wrong.
            continue
        unused = mapping.unmapped_columns(tuple(columns))
        if not mapping.missing_columns(tuple(columns)) and len(unused) * 2 <= len(columns):
            names.append(name)
    return names
