"""Registered data sources."""

from customers.models import DataSource
from tests.factories.people import LONG_AGO


def make_source(name: str, **columns: object) -> DataSource:
    """Create a vendor with a contract and no end, unless told otherwise."""
    values = {"kind": "vendor", "contract": "V-1", "created_at": LONG_AGO, **columns}
    return DataSource.objects.create(name=name, **values)
