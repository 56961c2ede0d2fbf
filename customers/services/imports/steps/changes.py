"""What stood there before an import wrote, kept sealed so that the import can be undone."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import msgspec

from customers.domain.imports.states import ChangeOutcome, ImportChangeKind
from customers.models import ImportChange
from loancrm.kernel.database.bulk_load import load_rows
from loancrm.kernel.security.crypto import Vault

_COLUMNS: Final = (
    *("batch", "customer", "kind", "name", "row_key", "before_sealed", "after", "outcome"),
)
_STEP: Final = Decimal("0.000001")


@dataclass(slots=True)
class ChangeLog:
    """The changes of one page, written with it; customers that the page creates have none."""

    batch_id: int
    vault: Vault
    _rows: list[tuple[Any, ...]] = field(default_factory=list)

    def note(
        self,
        customer_id: int,
        kind: ImportChangeKind,
        name: str,
        *,
        before: object,
        after: str = "",
    ) -> None:
        """Remember one change.

        Args:
            before: What stood there, as JSON values; None where nothing did.
            after: What is written, as text; of names and identity numbers only the blind index.
        """
        row_key = uuid4()
        text = msgspec.json.encode(before).decode()
        sealed = self.vault.seal(ImportChange.BEFORE_COLUMN, row_key, text)
        state = (row_key, sealed, after, ChangeOutcome.OPEN.value)
        self._rows.append((self.batch_id, customer_id, kind.value, name, *state))

    def save(self) -> None:
        """Write what was noted, in the caller's transaction."""
        load_rows(ImportChange, _COLUMNS, self._rows)
        self._rows = []


def open_before(change: ImportChange, vault: Vault) -> Any:
    """Return what stood there before a change."""
    text = vault.open(ImportChange.BEFORE_COLUMN, change.row_key, change.before_sealed)
    return msgspec.json.decode(text)


def plain_text(value: object) -> str | None:
    """Return a stored value as the text by which it is compared, or None for no value."""
    match value:
        case None:
            return None
        case bool():
            return "1" if value else "0"
        case Decimal():
            return str(value.quantize(_STEP))
        case date():
            return value.isoformat()
        case _:
            return str(value)


def envelope(sealed: bytes | memoryview | None) -> str | None:
    """Return a sealed value as text that fits into JSON."""
    return b64encode(bytes(sealed)).decode() if sealed else None
