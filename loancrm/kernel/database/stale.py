"""A save that would undo somebody else's: a form carries what was read, and it is compared.

The state is whatever the form shows, so that no table needs a column for it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from loancrm.kernel.errors import LoanCrmError

# The name under which forms carry the digest of what was read.
FIELD = "seen"


class StaleSave(LoanCrmError):
    """What was read is no longer what is stored; nothing was changed."""

    code = "stale_save"


def digest_of(state: Mapping[str, Any]) -> str:
    """Return a short text that differs once any value of the state does."""
    encoded = json.dumps(state, default=_plain, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()[:32]


def refuse_stale(seen: str, state: Mapping[str, Any]) -> None:
    """Refuse a save that began from another state; call it with the row locked.

    Args:
        seen: `digest_of` what was read; empty where the caller read nothing, such as a command.

    Raises:
        StaleSave: Somebody has saved meanwhile.
    """
    if seen and seen != digest_of(state):
        raise StaleSave(words())


def words() -> str:
    """Return what the person who came second is told."""
    return _(
        "Somebody else has saved this since you opened it, so nothing was changed. What is stored"
        " now is shown beside what you wrote. Save again to replace it with yours, or open the"
        " page anew to keep it."
    )


def state_of_row(row: Model) -> dict[str, Any]:
    """Return what people can edit of a row, as it is stored."""
    meta = row._meta  # noqa: SLF001 - Django's documented way to a model's fields
    columns = [field.attname for field in meta.concrete_fields if field.editable]
    manager = type(row)._base_manager  # noqa: SLF001 - the one that leaves out no rows
    return dict(manager.filter(pk=row.pk).values(*columns).first() or {})


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)
