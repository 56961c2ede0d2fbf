"""Rows that had been read before they were refused, put back into cells that people can correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from customers.domain.consents.consent import ConsentProof
from customers.domain.imports.mapping import (
    ColumnMapping,
    ColumnTarget,
    FileMapping,
    Others,
    TargetKind,
    Transform,
)
from customers.domain.imports.person_row import PersonRow
from customers.domain.values.contact import ContactKind

ID_CELL: Final = "id_column"
TEXT_CELL: Final = "consent_text"
TIME_CELL: Final = "consent_time"
# Stays a word that cannot be read, however often it is.
_DOUBT: Final = "?"


def cells_of(person: PersonRow) -> dict[str, str]:
    """Return what a row says as cells by target; further contacts of a kind get a number."""
    cells = {
        ID_CELL: person.external_id,
        "customer.name": person.name,
        "customer.national_id": person.national_id,
        "customer.birth_date": person.birth_date.isoformat() if person.birth_date else "",
        "customer.gender": person.gender,
    }
    cells |= {f"customer.{name}": text for name, text in person.texts.items()}
    seen: Counter[ContactKind] = Counter()
    for contact in person.contacts:
        seen[contact.kind] += 1
        number = f" {seen[contact.kind]}" if seen[contact.kind] > 1 else ""
        cells[f"contact.{contact.kind}{number}"] = contact.value
    for word in person.consents:
        said = _DOUBT if word.is_doubtful else "1" if word.is_granted else "0"
        cells[f"consent.{word.channel}.{word.purpose}"] = said
        cells[TEXT_CELL] = word.text_version
        cells[TIME_CELL] = word.at.isoformat() if word.at else ""
    cells |= {f"attribute.{item.name}": item.text for item in person.attributes}
    return {name: text for name, text in cells.items() if text}


def mapping_by_target(mapping: FileMapping, cells: Mapping[str, str]) -> FileMapping:
    """Return the mapping that reads cells by target: values in normal form, no dictionaries."""
    targets = {target.path: target for item in mapping.columns for target in item.targets}
    for path in (*mapping_paths(mapping), *cells):
        bare = path.partition(" ")[0]
        kind, _dot, name = bare.partition(".")
        if bare not in targets and kind in {TargetKind.CUSTOMER, TargetKind.CONTACT}:
            targets[bare] = ColumnTarget(TargetKind(kind), name)
    columns = dict.fromkeys((*targets, *(name for name in cells if name != ID_CELL)))
    return replace(
        mapping,
        id_column=ID_CELL,
        columns=tuple(
            ColumnMapping(name, (_plain(targets[bare]),))
            for name in columns
            if (bare := name.partition(" ")[0]) in targets
        ),
        constants={},
        proof=ConsentProof(text_column=TEXT_CELL, time_column=TIME_CELL) if mapping.proof else None,
        fresh_column="",
    )


def mapping_paths(mapping: FileMapping) -> list[str]:
    """Return the targets that a row of a mapping may have, constants included."""
    paths = [target.path for item in mapping.columns for target in item.targets]
    return [*paths, *(f"customer.{name}" for name in mapping.constants)]


def _plain(target: ColumnTarget) -> ColumnTarget:
    return replace(
        target,
        transform=Transform.NONE,
        dictionary={},
        others=Others.KEEP,
        optional=True,
        order="",
    )
