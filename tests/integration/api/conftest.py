"""Two partners, each with a token."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from tests.partner_client import PartnerClient, new_partner


@pytest.fixture(autouse=True)
def _fresh_rates() -> Iterator[None]:
    """Counts of requests must not leak from one test into another."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def acme(db: None) -> PartnerClient:
    return new_partner("acme")


@pytest.fixture
def bolt(db: None) -> PartnerClient:
    return new_partner("bolt")
