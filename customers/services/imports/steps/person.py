"""One person on the way into the database, and what all persons of a page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from customers.domain.imports.person_row import PersonRow
from customers.domain.values.quality import Code
from customers.models import AttributeDefinition, Customer
from customers.selectors.identity.person_matching import Point
from customers.services.imports.steps.changes import ChangeLog
from customers.services.imports.steps.sealed import PersonKeys
from customers.services.imports.steps.trust import Trust
from loancrm.kernel.security.crypto import Vault


@dataclass(slots=True)
class ImportedPerson:
    """One person to be written: what the file says and the customer it was matched with.

    `customer_id` is 0 until a new customer is written.
    """

    row: PersonRow
    keys: PersonKeys
    customer: Customer | None
    points: Sequence[Point] = ()
    customer_id: int = 0
    is_new: bool = False
    is_changed: bool = False
    notes: list[Code] = field(default_factory=list)

    def is_trusted(self, verdict: bool) -> bool:  # noqa: FBT001 - handed through
        """Return the verdict on one of the values, noting that a stored one stays."""
        if not verdict and Code.SOURCE_OUTRANKED not in self.notes:
            self.notes.append(Code.SOURCE_OUTRANKED)
        return verdict


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What all persons of a page share; `erased` are attributes by customer and definition."""

    source: str
    evidence: str
    definitions: Mapping[str, AttributeDefinition]
    owners: dict[tuple[str, str], int]
    national_id_owners: Mapping[str, int]
    now: datetime
    vault: Vault
    changes: ChangeLog
    trust: Trust
    erased: list[tuple[int, int]] = field(default_factory=list)
