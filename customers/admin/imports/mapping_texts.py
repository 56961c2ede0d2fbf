"""Cells and rows of a file as the builder shows them: masked, in the reader's language."""

from typing import Any

from customers import labels
from customers.domain.imports.tryout import TriedRow
from customers.domain.values.contact import ContactKind
from customers.labels import imports as import_labels
from loancrm.kernel.security.masking import mask_email, mask_name, mask_national_id, mask_phone


def read_aloud(row: TriedRow) -> dict[str, Any]:
    """Return what one row would become: (field, masked value) pairs, and what was noticed."""
    person = row.person
    read: list[tuple[str, str]] = []
    if person.external_id:
        read.append((import_labels.target("id_column"), person.external_id))
    if person.name:
        read.append((import_labels.target("customer.name"), mask_name(person.name)))
    if person.national_id:
        number = mask_national_id(person.national_id)
        read.append((import_labels.target("customer.national_id"), number))
    if person.birth_date is not None:
        read.append((import_labels.target("customer.birth_date"), person.birth_date.isoformat()))
    if person.gender:
        read.append((import_labels.target("customer.gender"), labels.GENDERS.label(person.gender)))
    read += [
        (import_labels.target(f"customer.{name}"), text) for name, text in person.texts.items()
    ]
    for contact in person.contacts:
        mask = mask_phone if contact.kind is ContactKind.PHONE else mask_email
        read.append((import_labels.target(f"contact.{contact.kind}"), mask(contact.value)))
    for word in person.consents:
        answer = "✓" if word.is_granted else "✗"
        read.append((import_labels.target(f"consent.{word.channel}.{word.purpose}"), answer))
    read += [(item.name, item.text) for item in person.attributes]
    read += [(import_labels.target(_path(name)), "⌫") for name in person.erased]
    return {
        "line": row.line,
        "read": read,
        "findings": _findings(row),
    }


def _findings(row: TriedRow) -> list[tuple[str, str]]:
    """Return (words, tone) of what was noticed; a row is rejected for the last of it."""
    found = [
        (f"{finding.column}: " if finding.column else "") + import_labels.finding(finding.code)
        for finding in row.findings
    ]
    tones = ["warn"] * len(found)
    if row.is_rejected and tones:
        tones[-1] = "bad"
    return list(zip(found, tones, strict=True))


def _path(name: str) -> str:
    return name if "." in name else f"customer.{name}"
