"""Whether the configured keys are the ones that the stored data was sealed with."""

from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from loancrm.kernel import clock, crypto
from loancrm.kernel.models import KeyRecord

CHECK_COLUMN = "kernel.keyrecord.check"
CHECK_TEXT = "loancrm"


def wrong_key_ids() -> list[str]:
    """Return the ids of keys that are missing or differ; empty before the first migration."""
    if KeyRecord._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001
        return []
    vault = crypto.vault()
    wrong = []
    for record in KeyRecord.objects.order_by("pk"):
        try:
            vault.open(CHECK_COLUMN, record.row_key, record.check_sealed)
        except crypto.CipherRefused:
            wrong.append(record.key_id)
    return wrong


def refuse_wrong_keys() -> None:
    """Stop a process that could neither read nor safely write personal data.

    Raises:
        ImproperlyConfigured: A key is missing or is not the one that data was sealed with.
    """
    wrong = wrong_key_ids()
    if wrong:
        raise ImproperlyConfigured(
            f"LOANCRM_KEYS: missing or not the key that data was sealed with: {', '.join(wrong)}"
        )


def note_active_key() -> None:
    """Seal a known text with the active key, once, so that a wrong key shows later."""
    refuse_wrong_keys()
    vault = crypto.vault()
    row_key = uuid4()
    KeyRecord.objects.get_or_create(
        key_id=vault.active_key_id,
        defaults={
            "row_key": row_key,
            "check_sealed": vault.seal(CHECK_COLUMN, row_key, CHECK_TEXT),
            "created_at": clock.now(),
        },
    )
