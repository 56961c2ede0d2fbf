"""Whom a system of the lender means: by public id, or by the address that is a person's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Coalesce

from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer
from loancrm.kernel.security import crypto


def by_public_id(public_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return {public id: customer id} of the known ones; merged records lead to one person."""
    rows = Customer.objects.filter(public_id__in=public_ids)
    return dict(rows.values_list("public_id", Coalesce("merged_into_id", "pk")))


def index_of(value: str) -> str:
    """Return the blind index of an address as contact points have it; it was normalised before."""
    return crypto.vault().blind_index(ContactPoint.VALUE_COLUMN, value)


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Whom a row means.

    Attributes:
        contact_point_id: The address that the person was named by; None for who has a public id.
    """

    customer_id: int
    contact_point_id: int | None


def by_address(
    indexes: Mapping[ContactKind, Collection[str]],
) -> dict[tuple[str, str], NamedPerson]:
    """Return {(kind, index): owner} of whose primary address each is.

    Nobody is found by a further address, which may be several persons'.
    """
    wanted = Q(pk__in=[])
    for kind, values in indexes.items():
        wanted |= Q(kind=kind, value_index__in=values)
    rows = ContactPoint.objects.filter(wanted, is_primary=True)
    owner = Coalesce("customer__merged_into_id", "customer_id")
    return {
        (kind, index): NamedPerson(customer_id, point_id)
        for kind, index, customer_id, point_id in rows.values_list(
            "kind", "value_index", owner, "pk"
        )
    }
