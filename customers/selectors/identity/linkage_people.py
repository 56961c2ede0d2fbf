"""Stored customers as the records that the matcher compares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from customers.domain.linkage.records import ColumnRole, LinkageRecord, person_of
from customers.models import ContactPoint, Customer
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import Vault

_KINDS = {"phone": ColumnRole.PHONE, "email": ColumnRole.EMAIL}
_CHUNK = 1_000


def latest_ids(*, limit: int) -> list[int]:
    """Return the ids of the customers changed last, oldest customer first (1 query)."""
    changed = Customer.objects.live().order_by("-updated_at", "-pk")
    return sorted(changed.values_list("pk", flat=True)[:limit])


def load_people(ids: Sequence[int], *, today: date) -> list[LinkageRecord]:
    """Return the records of customers, in the order of the ids; who is gone has an empty one.

    The values are opened in memory only; 2 queries for every 1,000 customers.
    """
    vault = crypto.vault()
    found: dict[int, LinkageRecord] = {}
    for start in range(0, len(ids), _CHUNK):
        batch = ids[start : start + _CHUNK]
        contacts = _contacts(batch, vault)
        for customer in Customer.objects.filter(pk__in=batch):
            texts = _texts(customer, vault) | contacts[customer.pk]
            found[customer.pk] = person_of(texts, today=today)
    return [found.get(pk) or LinkageRecord({}) for pk in ids]


def _texts(customer: Customer, vault: Vault) -> dict[ColumnRole, str]:
    texts = {ColumnRole.CITY: customer.city, ColumnRole.PROVINCE: customer.province}
    if customer.gender != "unknown":
        texts[ColumnRole.GENDER] = customer.gender
    if customer.birth_date:
        texts[ColumnRole.BIRTH_DATE] = customer.birth_date.isoformat()
    if customer.name_sealed:
        column = Customer.NAME_COLUMN
        texts[ColumnRole.NAME] = vault.open(column, customer.public_id, customer.name_sealed)
    if customer.national_id_sealed:
        column = Customer.NATIONAL_ID_COLUMN
        texts[ColumnRole.NATIONAL_ID] = vault.open(
            column, customer.public_id, customer.national_id_sealed
        )
    return texts


def _contacts(ids: Sequence[int], vault: Vault) -> defaultdict[int, dict[ColumnRole, str]]:
    found: defaultdict[int, dict[ColumnRole, str]] = defaultdict(dict)
    points = ContactPoint.objects.filter(customer_id__in=ids, kind__in=_KINDS)
    for point in points.order_by("-is_primary", "pk"):
        role = _KINDS[point.kind]
        if role not in found[point.customer_id]:
            column = ContactPoint.VALUE_COLUMN
            found[point.customer_id][role] = vault.open(column, point.row_key, point.value_sealed)
    return found
