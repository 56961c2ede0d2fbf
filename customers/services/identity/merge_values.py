"""Values that a merge changes, each with what it was before, so that it can be set back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from customers.domain.consents.consent import ConsentFact
from customers.domain.identity.merging import (
    Held,
    Rule,
    is_other_better,
    merged_consents,
    rule_for,
    stricter_status,
)
from customers.domain.imports.mapping import TEXT_FIELDS
from customers.domain.values.contact import ContactStatus
from customers.models import (
    AttributeValue,
    ConsentState,
    Customer,
)
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from customers.services.identity.merge_rows import hand_over
from loancrm.kernel.security import crypto

PLAIN: Final = (*TEXT_FIELDS, "birth_date", "gender")
SEALED: Final = {
    "name": (Customer.NAME_COLUMN, "name_sealed", "name_index"),
    "national_id": (Customer.NATIONAL_ID_COLUMN, "national_id_sealed", "national_id_index"),
}
VALUES: Final = ("number", "text", "day", "flag", "source", "updated_at")
_TYPED: Final = ("number", "text", "day", "flag")
LEDGER_SOURCE: Final = "merge"
CONTACTS: Final = "customers.contactpoint.customer"
ATTRIBUTES: Final = "customers.attributevalue.customer"
PAST_ATTRIBUTES: Final = "customers.pastattribute.customer"


@dataclass(slots=True)
class Journal:
    """What a merge did; `changes` are rows of model, id, column, before and after."""

    moved: dict[str, list[int]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def note(self, row: Any, column: str, after: Any) -> None:
        """Set a value on a row (not yet in the database) and remember what it was."""
        before = getattr(row, column)
        if before == after:
            return
        self.changes.append(
            {
                "model": row._meta.label_lower,  # noqa: SLF001 - Django's registry
                "id": row.pk,
                "column": column,
                "before": portable(before),
                "after": portable(after),
            }
        )
        setattr(row, column, after)


def portable(value: Any) -> Any:
    """Return a value as it is kept in JSON; sealed bytes stay sealed."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def merge_columns(
    *, kept: Customer, other: Customer, rules: Mapping[str, Rule], journal: Journal
) -> None:
    """Bring the kept customer's own columns to what survives."""
    sources = dict(kept.field_sources)
    for name in PLAIN:
        rule = rule_for(rules, name)
        if is_other_better(_held(kept, name), _held(other, name), rule):
            journal.note(kept, name, getattr(other, name))
            sources[name] = _said_by(other, name)
    vault = crypto.vault()
    for name, (column, sealed, index) in SEALED.items():
        rule = rule_for(rules, name)
        if is_other_better(_held(kept, name, index), _held(other, name, index), rule):
            text = vault.open(column, other.public_id, getattr(other, sealed))
            journal.note(kept, sealed, vault.seal(column, kept.public_id, text))
            journal.note(kept, index, getattr(other, index))
            sources[name] = _said_by(other, name)
    journal.note(kept, "field_sources", sources)
    journal.note(
        kept, "marketing_status", stricter_status(kept.marketing_status, other.marketing_status)
    )
    journal.note(
        kept,
        "personalisation_allowed",
        kept.personalisation_allowed and other.personalisation_allowed,
    )


def merge_attributes(
    *, kept: Customer, other: Customer, rules: Mapping[str, Rule], journal: Journal
) -> None:
    """Hand over the attributes that the kept customer lacks; let the others survive by rule.

    What an attribute was before goes with it. Where both have, or had, an attribute, each record
    keeps its own past, as it keeps its own value: two pasts in one would contradict each other.
    """
    _hand_over_past(kept, other, journal)
    mine = {row.definition_id: row for row in kept.attribute_values.select_related("definition")}
    theirs = list(other.attribute_values.select_related("definition"))
    lacking = [row.pk for row in theirs if row.definition_id not in mine]
    _hand_over(ATTRIBUTES, lacking, kept, other, journal)
    for row in theirs:
        own = mine.get(row.definition_id)
        if own is None:
            continue
        rule = rule_for(rules, f"attribute.{row.definition.name}")
        if is_other_better(_attribute(own), _attribute(row), rule):
            for column in VALUES:
                journal.note(own, column, getattr(row, column))
            own.save(update_fields=VALUES)


def _hand_over_past(kept: Customer, other: Customer, journal: Journal) -> None:
    past = other.past_attributes.order_by("pk")
    past = past.exclude(definition__in=kept.attribute_values.values("definition"))
    past = past.exclude(definition__in=kept.past_attributes.values("definition"))
    _hand_over(PAST_ATTRIBUTES, list(past.values_list("pk", flat=True)), kept, other, journal)


def merge_contacts(*, kept: Customer, other: Customer, journal: Journal) -> None:
    """Hand over contact points; one primary a kind stays, and a dead address stays dead."""
    mine = {(p.kind, p.value_index): p for p in kept.contact_points.order_by("pk")}
    primaries = {point.kind for point in mine.values() if point.is_primary}
    theirs = list(other.contact_points.order_by("pk"))
    for point in theirs:
        own = mine.get((point.kind, point.value_index))
        becomes_primary = point.is_primary and point.kind not in primaries
        if point.is_primary and (own is not None or not becomes_primary):
            journal.note(point, "is_primary", False)  # noqa: FBT003 - a column's value
            point.save(update_fields=["is_primary"])
        if own is None:
            if becomes_primary:
                primaries.add(point.kind)
            continue
        if becomes_primary:
            primaries.add(point.kind)
            journal.note(own, "is_primary", True)  # noqa: FBT003 - a column's value
        if own.status == ContactStatus.ACTIVE:
            journal.note(own, "status", point.status)
        own.save(update_fields=["is_primary", "status"])
    new = [point.pk for point in theirs if (point.kind, point.value_index) not in mine]
    _hand_over(CONTACTS, new, kept, other, journal)


def merge_consents(
    *, kept: Customer, other: Customer, journal: Journal, evidence: str, now: datetime
) -> None:
    """Narrow the consents of the kept customer; what changes is written into its ledger."""
    changed = merged_consents(consents_of(kept), consents_of(other))
    before = {(row.channel, row.purpose): row for row in kept.consent_states.all()}
    for (channel, purpose), fact in sorted(changed.items()):
        row = before.get((channel, purpose))
        journal.changes.append(
            {
                "model": ConsentState._meta.label_lower,  # noqa: SLF001 - Django's registry
                "channel": channel,
                "purpose": purpose,
                "before": _consent(row) if row else None,
                "after": _consent_fact(fact),
            }
        )
        write_consent(
            customer=kept,
            channel=channel,
            purpose=purpose,
            fact=fact,
            evidence=evidence,
            now=now,
        )


def consents_of(customer: Customer) -> dict[tuple[str, str], ConsentFact]:
    """Return the consents in force by channel and purpose."""
    return {
        (row.channel, row.purpose): ConsentFact(
            row.is_granted, row.changed_at, row.expires_at, row.source
        )
        for row in customer.consent_states.all()
    }


def write_consent(
    *,
    customer: Customer,
    channel: str,
    purpose: str,
    fact: ConsentFact,
    evidence: str,
    now: datetime,
) -> None:
    """Put a consent in force and append it to the ledger, as something said now."""
    change = ConsentChange(
        customer_id=customer.pk,
        channel=channel,
        purpose=purpose,
        is_granted=fact.is_granted,
        source=LEDGER_SOURCE,
        evidence=evidence,
        expires_at=fact.expires_at,
        at=fact.at,
        said_to=fact.source,
    )
    ledger.append_settled(changes=[change], now=now)


def _hand_over(
    label: str, ids: list[int], kept: Customer, other: Customer, journal: Journal
) -> None:
    gone = hand_over(label=label, ids=ids, source_id=other.pk, target_id=kept.pk)
    if gone:
        journal.moved[label] = gone


def _held(customer: Customer, name: str, column: str = "") -> Held:
    value = getattr(customer, column or name)
    return Held(value, _said_by(customer, name), customer.updated_at)


def _said_by(customer: Customer, name: str) -> str:
    """Return the source of a column's value."""
    return str(customer.field_sources.get(name, customer.source))


def _attribute(row: AttributeValue) -> Held:
    value = next((getattr(row, name) for name in _TYPED if getattr(row, name) is not None), None)
    return Held(value, row.source, row.updated_at)


def _consent(row: ConsentState) -> dict[str, Any]:
    return _consent_fact(ConsentFact(row.is_granted, row.changed_at, row.expires_at, row.source))


def _consent_fact(fact: ConsentFact) -> dict[str, Any]:
    ends = fact.expires_at.isoformat() if fact.expires_at else None
    return {
        "is_granted": fact.is_granted,
        "at": fact.at.isoformat(),
        "expires_at": ends,
        "source": fact.source,
    }
