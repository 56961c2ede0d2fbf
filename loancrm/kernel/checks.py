"""System checks: keys are configured and are the ones that the stored data was sealed with."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError

from loancrm.kernel import keys


@checks.register(checks.Tags.security)
def keys_are_configured(**_: Any) -> list[checks.CheckMessage]:
    """Report missing encryption keys."""
    if settings.LOANCRM_KEYS and settings.LOANCRM_INDEX_KEY:
        return []
    return [
        checks.Error("No encryption key: set LOANCRM_KEYS and LOANCRM_INDEX_KEY.", id="kernel.E001")
    ]


@checks.register(checks.Tags.database)
def keys_open_the_data(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Report a key that is missing or differs from the one data was sealed with."""
    if not databases or not settings.LOANCRM_KEYS:
        return []
    try:
        wrong = keys.wrong_key_ids()
    except DatabaseError as error:
        return [
            checks.Error(f"The database does not answer: {type(error).__name__}.", id="kernel.E003")
        ]
    return [
        checks.Error(f"Key {key_id} is not the one that data was sealed with.", id="kernel.E002")
        for key_id in wrong
    ]
