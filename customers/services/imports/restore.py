"""Takes back the changes that an import made to customers who were there before.

A change goes back only where its value still is the one the import wrote; all else is kept.
"""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from customers.domain.imports.states import ChangeOutcome, ImportChangeKind
from customers.domain.values.attribute import AttributeType
from customers.domain.values.contact import ContactStatus
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    ImportBatch,
    ImportChange,
)
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from customers.services.imports.steps.changes import open_before, plain_text
from loancrm.kernel.database import bulk
from loancrm.kernel.security import crypto

_VALUES: Final = ("number", "text", "day", "flag")


@dataclass(slots=True)
class _Page:
    """The changes of a page with what stood before, and the customers locked for it."""

    batch: ImportBatch
    customers: Mapping[int, Customer]
    now: datetime
    before: dict[int, Any] = field(default_factory=dict)
    sources: dict[int, dict[str, str]] = field(default_factory=dict)


def restore(
    *,
    batch: ImportBatch,
    changes: Sequence[ImportChange],
    customers: Mapping[int, Customer],
    now: datetime,
) -> None:
    """Take back changes in a fixed number of statements and set the outcome of each.

    Args:
        changes: Latest first; their `outcome` is set, not saved.
        customers: Their customers, locked by the caller's transaction.
    """
    vault = crypto.vault()
    page = _Page(batch, customers, now)
    groups: defaultdict[str, list[ImportChange]] = defaultdict(list)
    for change in changes:
        page.before[change.pk] = open_before(change, vault)
        change.outcome = ChangeOutcome.KEPT
        # After a merge the values belong to somebody else's history as well.
        if customers[change.customer_id].merged_into_id is None:
            groups[change.kind].append(change)
    for kind, take_back in _TAKE_BACK.items():
        if groups[kind]:
            take_back(page, groups[kind])
    rows = list(page.sources.items())
    bulk.update_rows(Customer, key="id", columns=["field_sources"], rows=rows)


def _fields(page: _Page, changes: Sequence[ImportChange]) -> None:
    """Restore plain columns of customers; several changes of one column are taken back in turn."""
    touched: set[tuple[int, str]] = set()
    for change in changes:
        customer = page.customers[change.customer_id]
        if (plain_text(getattr(customer, change.name)) or "") != change.after:
            continue
        before = page.before[change.pk]
        text = before["value"]
        is_day = change.name == "birth_date"
        value = date.fromisoformat(text) if is_day and text else text
        setattr(customer, change.name, value)
        _give_back(page, customer, change.name, before["source"])
        change.outcome = ChangeOutcome.RESTORED
        touched.add((customer.pk, change.name))
    for name in {name for _, name in touched}:
        rows = [(pk, getattr(page.customers[pk], name)) for pk, column in touched if column == name]
        bulk.update_rows(Customer, key="id", columns=[name], rows=rows)


def _give_back(page: _Page, customer: Customer, column: str, source: str | None) -> None:
    """Let a value be again that of the source which had said it; None is the customer's own."""
    sources = {name: said_by for name, said_by in customer.field_sources.items() if name != column}
    customer.field_sources = sources if source is None else {**sources, column: source}
    page.sources[customer.pk] = customer.field_sources


def _names(page: _Page, changes: Sequence[ImportChange]) -> None:
    touched = set()
    for change in changes:
        customer = page.customers[change.customer_id]
        if customer.name_index == change.after:
            before = page.before[change.pk]
            customer.name_sealed = b64decode(before["sealed"]) if before["sealed"] else None
            customer.name_index = before["index"]
            _give_back(page, customer, "name", before["source"])
            change.outcome = ChangeOutcome.RESTORED
            touched.add(customer.pk)
    rows = [(pk, page.customers[pk].name_sealed, page.customers[pk].name_index) for pk in touched]
    bulk.update_rows(Customer, key="id", columns=["name_sealed", "name_index"], rows=rows)


def _national_ids(page: _Page, changes: Sequence[ImportChange]) -> None:
    """An import only ever fills an identity number in where there was none."""
    ids = []
    for change in changes:
        if page.customers[change.customer_id].national_id_index == change.after:
            change.outcome = ChangeOutcome.RESTORED
            ids.append(change.customer_id)
    Customer.objects.filter(pk__in=ids).update(national_id_sealed=None, national_id_index=None)


def _contacts(page: _Page, changes: Sequence[ImportChange]) -> None:
    """Remove added contacts that nobody verified and nothing bounced off; put the old one back."""
    fit = ContactPoint.objects.filter(
        # By the customers first: there is no index of keys alone.
        customer__in={change.customer_id for change in changes},
        row_key__in=[change.name for change in changes],
        status=ContactStatus.ACTIVE,
        verified_at__isnull=True,
    )
    found = {str(key): pk for key, pk in fit.values_list("row_key", "pk")}
    promoted = []
    for change in changes:
        if change.name in found:
            change.outcome = ChangeOutcome.RESTORED
            if page.before[change.pk] is not None:
                promoted.append(page.before[change.pk])
    ContactPoint.objects.filter(pk__in=found.values()).delete()
    _promote(promoted)


def _trusted_contacts(page: _Page, changes: Sequence[ImportChange]) -> None:
    """Give contacts back to the source that said them first, and the first place to who held it."""
    named = {int(change.name): change for change in changes}
    points = list(ContactPoint.objects.filter(pk__in=named, source=page.batch.source))
    promoted = []
    for point in points:
        change = named[point.pk]
        change.outcome = ChangeOutcome.RESTORED
        before = page.before[change.pk]
        point.source = before["source"]
        if before.get("replaced") and point.is_primary:
            promoted.append(before["replaced"])
        point.is_primary = point.is_primary and before["is_primary"]
    rows = [(point.pk, point.source, point.is_primary) for point in points]
    bulk.update_rows(ContactPoint, key="id", columns=["source", "is_primary"], rows=rows)
    _promote(promoted)


def _promote(point_ids: Sequence[int]) -> None:
    """Make contacts primary again where the place is still free."""
    points = list(ContactPoint.objects.filter(pk__in=point_ids, is_primary=False))
    customers = [point.customer_id for point in points]
    indexes = [point.value_index for point in points]
    primary = ContactPoint.objects.filter(is_primary=True)
    places = set(primary.filter(customer_id__in=customers).values_list("customer_id", "kind"))
    owned = set(primary.filter(value_index__in=indexes).values_list("kind", "value_index"))
    free = []
    for point in points:
        place, value = (point.customer_id, point.kind), (point.kind, point.value_index)
        if place not in places and value not in owned:
            places.add(place)
            owned.add(value)
            free.append(point.pk)
    ContactPoint.objects.filter(pk__in=free).update(is_primary=True)


def _attributes(page: _Page, changes: Sequence[ImportChange]) -> None:
    definitions = AttributeDefinition.objects.in_bulk(
        [change.name for change in changes], field_name="name"
    )
    ids = [change.customer_id for change in changes]
    stored = {
        (row.customer_id, row.definition_id): row
        for row in AttributeValue.objects.filter(
            customer_id__in=ids, definition__in=definitions.values()
        )
    }
    changed: dict[int, AttributeValue] = {}
    removed: set[int] = set()
    erased: list[AttributeValue] = []
    for change in changes:
        definition = definitions.get(change.name)
        row = stored.get((change.customer_id, definition.pk)) if definition else None
        if row is None and definition is not None and not change.after:
            erased.append(_brought_back(page, change, definition))
            continue
        if row is None or definition is None or row.pk in removed:
            continue
        current = next((v for n in _VALUES if (v := getattr(row, n)) is not None), None)
        if plain_text(current) != change.after:
            continue
        change.outcome = ChangeOutcome.RESTORED
        text = page.before[change.pk]["value"]
        if text is None:
            removed.add(row.pk)
            changed.pop(row.pk, None)
        else:
            setattr(row, definition.value_type, _typed(definition.value_type, text))
            row.source = page.before[change.pk]["source"]
            row.updated_at = page.now
            changed[row.pk] = row
    AttributeValue.objects.filter(pk__in=removed).delete()
    AttributeValue.objects.bulk_create(erased)
    rows = [
        (row.pk, *(getattr(row, name) for name in _VALUES), row.source, page.now)
        for row in changed.values()
    ]
    columns = [*_VALUES, "source", "updated_at"]
    bulk.update_rows(AttributeValue, key="id", columns=columns, rows=rows)


def _brought_back(
    page: _Page, change: ImportChange, definition: AttributeDefinition
) -> AttributeValue:
    """Return the value that a blank cell had erased."""
    before = page.before[change.pk]
    change.outcome = ChangeOutcome.RESTORED
    row = AttributeValue(
        customer_id=change.customer_id,
        definition=definition,
        source=before["source"],
        updated_at=page.now,
    )
    setattr(row, definition.value_type, _typed(definition.value_type, before["value"]))
    return row


def _typed(value_type: str, text: str) -> Decimal | date | bool | str:
    match AttributeType(value_type):
        case AttributeType.NUMBER:
            return Decimal(text)
        case AttributeType.DAY:
            return date.fromisoformat(text)
        case AttributeType.FLAG:
            return text == "1"
        case AttributeType.TEXT:
            return text


def _consents(page: _Page, changes: Sequence[ImportChange]) -> None:
    """Take grants back where no consent stood before; a refusal stays a refusal."""
    ids = [change.customer_id for change in changes]
    stored = {
        (row.customer_id, f"{row.channel}.{row.purpose}"): row
        for row in ConsentState.objects.filter(customer_id__in=ids)
    }
    elsewhere = _granted_elsewhere(page, ids)
    retractions = []
    for change in changes:
        row = stored.get((change.customer_id, change.name))
        is_own_grant = change.after == "1" and page.before[change.pk] is None
        if row is None or not row.is_granted or not is_own_grant:
            continue
        if (change.customer_id, change.name) in elsewhere:
            continue
        change.outcome = ChangeOutcome.RESTORED
        retractions.append(
            ConsentChange(
                customer_id=row.customer_id,
                channel=row.channel,
                purpose=row.purpose,
                is_granted=False,
                source=page.batch.source,
                evidence=f"undo:{page.batch.pk}",
            )
        )
    ledger.append_retractions(changes=retractions, now=page.now)


def _granted_elsewhere(page: _Page, customer_ids: Sequence[int]) -> set[tuple[int, str]]:
    """Return the consents that something else than this batch has granted too."""
    own = f"import:{page.batch.pk}:"
    records = ConsentRecord.objects.filter(customer_id__in=customer_ids, is_granted=True)
    rows = records.exclude(evidence__startswith=own)
    return {
        (customer_id, f"{channel}.{purpose}")
        for customer_id, channel, purpose in rows.values_list("customer_id", "channel", "purpose")
    }


def _links(page: _Page, changes: Sequence[ImportChange]) -> None:
    """Forget the source's ids that the batch attached to known customers."""
    wanted = {(change.name, change.customer_id): change for change in changes}
    found = IdentityLink.objects.filter(
        source=page.batch.source, external_id__in=[name for name, _ in wanted]
    )
    gone = []
    for pk, external_id, customer_id in found.values_list("pk", "external_id", "customer_id"):
        if change := wanted.get((external_id, customer_id)):
            change.outcome = ChangeOutcome.RESTORED
            gone.append(pk)
    IdentityLink.objects.filter(pk__in=gone).delete()


_TAKE_BACK: Final[Mapping[str, Callable[[_Page, Sequence[ImportChange]], None]]] = {
    ImportChangeKind.FIELD: _fields,
    ImportChangeKind.NAME: _names,
    ImportChangeKind.NATIONAL_ID: _national_ids,
    ImportChangeKind.CONTACT: _contacts,
    ImportChangeKind.TRUSTED_CONTACT: _trusted_contacts,
    ImportChangeKind.ATTRIBUTE: _attributes,
    ImportChangeKind.CONSENT: _consents,
    ImportChangeKind.LINK: _links,
}
