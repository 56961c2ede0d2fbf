"""The stored rules by which values survive, as the domain wants them."""

from __future__ import annotations

from customers.domain.identity.merging import Prefer, Rule
from customers.models import SurvivorshipRule


def survivorship() -> dict[str, Rule]:
    """Return the rules by field."""
    return {
        row.field: Rule(Prefer(row.prefer), tuple(row.sources))
        for row in SurvivorshipRule.objects.all()
    }
