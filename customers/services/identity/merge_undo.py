"""Parting two merged customers: values go back unless somebody changed them since."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.apps import apps
from django.db import IntegrityError, models, transaction

from customers.domain.consents.consent import ConsentFact
from customers.models import ConsentState, Customer, Merge
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from customers.services.identity import merge_rows, merge_values

_CUSTOMER: Final = Customer._meta.label_lower  # noqa: SLF001 - Django's registry
_CONSENT: Final = ConsentState._meta.label_lower  # noqa: SLF001 - Django's registry
Edits = list[dict[str, Any]]


def part(*, record: Merge, kept: Customer, other: Customer, now: datetime) -> Edits:
    """Undo what a merge did; return what was changed since and therefore stays.

    Every entry names the model, the id and the column, never a value.
    """
    edits: Edits = []
    columns = [change for change in record.changes if change["model"] != _CONSENT]
    _restore_columns(kept, [item for item in columns if item["model"] == _CUSTOMER], edits)
    kept.updated_at = now
    kept.save()
    # The kept customer has given the national id back; now the other may hold it again.
    other.merged_into, other.updated_at = None, now
    other.save(update_fields=["merged_into", "updated_at"])
    stuck = merge_rows.move_back(moved=record.moved, source_id=kept.pk, target_id=other.pk)
    edits += [
        {"model": label.rpartition(".")[0], "id": pk, "column": label.rpartition(".")[2]}
        for label, ids in stuck.items()
        for pk in ids
    ]
    _restore_rows([item for item in columns if item["model"] != _CUSTOMER], edits)
    said = [change for change in record.changes if change["model"] == _CONSENT]
    _restore_consents(record, kept, said, edits, now=now)
    _carry_withdrawals(record, kept, other, now=now)
    return edits


def _restore_columns(row: models.Model, changes: Edits, edits: Edits) -> None:
    """Set columns back in memory, except those that somebody changed since."""
    touched = {change["column"] for change in changes if not _is_as_left(row, change)}
    # A sealed value looks new whenever it is sealed again: its fingerprint tells whether it is.
    for _, sealed, index in merge_values.SEALED.values():
        touched = touched | {sealed} if index in touched else touched - {sealed}
    for change in changes:
        column = change["column"]
        if column in touched:
            edits.append({"model": change["model"], "id": change["id"], "column": column})
        else:
            setattr(row, column, _value(row, column, change["before"]))


def _restore_rows(changes: Edits, edits: Edits) -> None:
    by_row: dict[tuple[str, int], Edits] = {}
    for change in changes:
        by_row.setdefault((change["model"], change["id"]), []).append(change)
    # What steps back goes first: only one contact point a kind may be the primary one.
    ordered = sorted(by_row.items(), key=lambda item: any(c["before"] is True for c in item[1]))
    for (label, pk), items in ordered:
        model = apps.get_model(label)
        row = model._base_manager.filter(pk=pk).first()  # noqa: SLF001 - rows of all kinds
        if row is None:
            edits += [{"model": label, "id": pk, "column": item["column"]} for item in items]
            continue
        _restore_columns(row, items, edits)
        try:
            with transaction.atomic():
                row.save(update_fields=[item["column"] for item in items])
        except IntegrityError:
            edits += [{"model": label, "id": pk, "column": item["column"]} for item in items]


def _restore_consents(
    record: Merge, kept: Customer, changes: Edits, edits: Edits, *, now: datetime
) -> None:
    evidence = f"unmerge:{record.pk}"
    for change in changes:
        key = (change["channel"], change["purpose"])
        row = kept.consent_states.filter(channel=key[0], purpose=key[1]).first()
        if row is None or _fact(change["after"]) != ConsentFact(
            row.is_granted, row.changed_at, row.expires_at
        ):
            edits.append({"model": _CONSENT, "id": kept.pk, "column": ".".join(key)})
            continue
        if change["before"] is not None:
            fact = _fact(change["before"])
            _say(kept, key, fact, evidence=evidence, now=now)
            continue
        # It was the other's alone; the kept customer never said anything.
        retraction = ConsentChange(
            customer_id=kept.pk,
            channel=change["channel"],
            purpose=change["purpose"],
            is_granted=False,
            source=merge_values.LEDGER_SOURCE,
            evidence=evidence,
        )
        ledger.append_retractions(changes=[retraction], now=now)


def _carry_withdrawals(record: Merge, kept: Customer, other: Customer, *, now: datetime) -> None:
    """Withdraw for both what was withdrawn while they were one: nobody knows who said it."""
    since = kept.consent_records.filter(is_granted=False, recorded_at__gt=record.merged_at)
    said = since.exclude(source=merge_values.LEDGER_SOURCE).values_list("channel", "purpose")
    in_force = merge_values.consents_of(other)
    mine = merge_values.consents_of(kept)
    for key in sorted(set(said)):
        is_withdrawn = key in mine and not mine[key].is_granted
        if is_withdrawn and (key not in in_force or in_force[key].is_granted):
            fact = ConsentFact(is_granted=False, at=mine[key].at)
            evidence = f"unmerge:{record.pk}"
            _say(other, key, fact, evidence=evidence, now=now)


def _say(
    customer: Customer, key: tuple[str, str], fact: ConsentFact, *, evidence: str, now: datetime
) -> None:
    channel, purpose = key
    merge_values.write_consent(
        customer=customer, channel=channel, purpose=purpose, fact=fact, evidence=evidence, now=now
    )


def _is_as_left(row: models.Model, change: dict[str, Any]) -> bool:
    left = _value(row, change["column"], change["after"])
    return bool(_plain(getattr(row, change["column"])) == _plain(left))


def _value(row: models.Model, column: str, stored: Any) -> Any:
    """Return a value from JSON in the type of its column."""
    field: Any = row._meta.get_field(column)  # noqa: SLF001 - Django's registry
    if stored is None:
        return None
    if isinstance(field, models.BinaryField):
        return bytes.fromhex(stored)
    return field.to_python(stored)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return value if isinstance(value, date | Decimal | dict) or value is None else str(value)


def _fact(stored: dict[str, Any]) -> ConsentFact:
    ends = stored["expires_at"]
    return ConsentFact(
        stored["is_granted"],
        datetime.fromisoformat(stored["at"]),
        datetime.fromisoformat(ends) if ends else None,
        stored["source"],
    )
