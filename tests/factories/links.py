"""Customers that a source knows by its own ids."""

from collections.abc import Iterable
from datetime import UTC, datetime

from customers.models import Customer, IdentityLink

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def make_linked(external_ids: Iterable[str], *, source: str = "bank") -> dict[str, Customer]:
    """Create one customer for each external id and return them by it."""
    people = {
        external_id: Customer(
            external_id=external_id, source=source, created_at=LONG_AGO, updated_at=LONG_AGO
        )
        for external_id in external_ids
    }
    Customer.objects.bulk_create(people.values())
    IdentityLink.objects.bulk_create(
        IdentityLink(source=source, external_id=key, customer=person, created_at=LONG_AGO)
        for key, person in people.items()
    )
    return people
