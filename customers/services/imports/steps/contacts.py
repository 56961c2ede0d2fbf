"""Phone numbers and addresses of imported persons: added, never removed, one primary a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from customers.domain.imports.person_row import RowContact
from customers.domain.imports.states import ImportChangeKind
from customers.domain.values.contact import ContactStatus
from customers.domain.values.quality import Code
from customers.models import ContactPoint
from customers.selectors.identity.person_matching import Point
from customers.services.imports.steps.person import ImportedPerson, WriteContext
from loancrm.kernel.database.bulk_load import load_rows

_POINT: Final = (
    *("row_key", "customer", "kind", "value_sealed", "value_index", "is_primary"),
    *("is_virtual_range", "status", "source", "created_at"),
)


def write_contacts(people: Sequence[ImportedPerson], context: WriteContext) -> None:
    """Add what a person did not have yet; the first of a kind that takes messages is primary."""
    _take_over(people, context)
    new: list[tuple[Any, ...]] = []
    demoted: list[int] = []
    for person in people:
        known = {(point.kind, point.value_index) for point in person.points}
        primaries = {point.kind: point.id for point in person.points if point.is_primary}
        wanted = _wanted_primaries(person)
        if person.points:
            wanted -= _outranked(person, context)
        for contact, key in zip(person.row.contacts, person.keys.contacts, strict=True):
            if key in known:
                continue
            known.add(key)
            is_primary = key in wanted and _claim(person, key, context)
            replaced = primaries.pop(contact.kind, None) if is_primary else None
            if replaced:
                demoted.append(replaced)
            row = _new_point(person, contact, key[1], is_primary=is_primary, context=context)
            new.append(row)
            person.is_changed = True
            if not person.is_new:
                context.changes.note(
                    person.customer_id, ImportChangeKind.CONTACT, str(row[0]), before=replaced
                )
    # The old number steps back before the new one comes in: only one a kind may be primary.
    if demoted:
        ContactPoint.objects.filter(pk__in=demoted).update(is_primary=False)
    load_rows(ContactPoint, _POINT, new)


def _take_over(people: Sequence[ImportedPerson], context: WriteContext) -> None:
    """Let stored contacts that this file says too count as its own, where it is trusted more."""
    if not context.trust.ranks:
        return
    confirmed: list[int] = []
    promoted: list[int] = []
    demoted: list[int] = []
    for person in people:
        said = set(person.keys.contacts)
        wanted = _wanted_primaries(person) - _outranked(person, context)
        for point in person.points:
            key = (point.kind, point.value_index)
            is_better = context.trust.is_better(f"contact.{point.kind}", point.source)
            if key not in said or not is_better:
                continue
            confirmed.append(point.id)
            before: dict[str, Any] = {"source": point.source, "is_primary": point.is_primary}
            if key in wanted and not point.is_primary and _claim(person, key, context):
                promoted.append(point.id)
                replaced = _bring_forward(person, point)
                before["replaced"] = replaced
                demoted += [replaced] if replaced else []
            context.changes.note(
                person.customer_id, ImportChangeKind.TRUSTED_CONTACT, str(point.id), before=before
            )
    ContactPoint.objects.filter(pk__in=confirmed).update(source=context.source)
    ContactPoint.objects.filter(pk__in=demoted).update(is_primary=False)
    ContactPoint.objects.filter(pk__in=promoted).update(is_primary=True)


def _bring_forward(person: ImportedPerson, chosen: Point) -> int | None:
    """Make a stored contact the person's primary one of its kind; return the one before it."""
    rivals = [p.id for p in person.points if p.kind == chosen.kind and p.is_primary]
    person.points = [
        replace(p, is_primary=p.id == chosen.id) if p.kind == chosen.kind else p
        for p in person.points
    ]
    person.is_changed = True
    return rivals[0] if rivals else None


def _wanted_primaries(person: ImportedPerson) -> set[tuple[str, str]]:
    """Return the first contact of each kind that takes messages; a landline never does."""
    first: dict[str, tuple[str, str]] = {}
    for contact, key in zip(person.row.contacts, person.keys.contacts, strict=True):
        if contact.can_receive_messages:
            first.setdefault(contact.kind, key)
    return set(first.values())


def _outranked(person: ImportedPerson, context: WriteContext) -> set[tuple[str, str]]:
    """Return the contacts that may not become primary: a more trusted source's one stays."""
    held = {
        point.kind
        for point in person.points
        if point.is_primary and not context.trust.may_replace(f"contact.{point.kind}", point.source)
    }
    outranked = {key for key in _wanted_primaries(person) if key[0] in held}
    known = {(point.kind, point.value_index) for point in person.points}
    person.is_trusted(outranked <= known)
    return outranked


def _claim(person: ImportedPerson, key: tuple[str, str], context: WriteContext) -> bool:
    """Return whether a contact can be this person's primary one: nobody else's is."""
    if context.owners.setdefault(key, person.customer_id) == person.customer_id:
        return True
    person.notes.append(Code.CONTACT_SHARED)
    return False


def _new_point(
    person: ImportedPerson,
    contact: RowContact,
    index: str,
    *,
    is_primary: bool,
    context: WriteContext,
) -> tuple[Any, ...]:
    row_key = uuid4()
    sealed = context.vault.seal(ContactPoint.VALUE_COLUMN, row_key, contact.value)
    return (
        *(row_key, person.customer_id, contact.kind.value, sealed, index, is_primary),
        *(contact.is_virtual, ContactStatus.ACTIVE.value, context.source, context.now),
    )
