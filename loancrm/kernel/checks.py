"""System checks: the keys are there and are the ones that the stored data was sealed with."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection

from loancrm.kernel import clock, crypto
from loancrm.kernel.models import KeyRecord

CHECK_COLUMN = "kernel.keyrecord.check"
CHECK_TEXT = "loancrm"


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
        if KeyRecord._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001
            return []
        return list(_key_problems())
    except DatabaseError as error:
        return [
            checks.Error(f"The database does not answer: {type(error).__name__}.", id="kernel.E003")
        ]


def _key_problems() -> list[checks.CheckMessage]:
    vault = crypto.vault()
    records = list(KeyRecord.objects.all())
    problems: list[checks.CheckMessage] = []
    for record in records:
        try:
            vault.open(CHECK_COLUMN, record.row_key, record.check_sealed)
        except crypto.CipherRefused:
            problems.append(
                checks.Error(
                    f"Key {record.key_id} is missing or is not the one that data was sealed with.",
                    id="kernel.E002",
                )
            )
    if not problems and vault.active_key_id not in {record.key_id for record in records}:
        row_key = uuid4()
        KeyRecord.objects.create(
            key_id=vault.active_key_id,
            row_key=row_key,
            check_sealed=vault.seal(CHECK_COLUMN, row_key, CHECK_TEXT),
            created_at=clock.now(),
        )
    return problems
