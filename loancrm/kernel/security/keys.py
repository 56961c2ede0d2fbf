"""Whether the configured keys are the ones that the stored data was made with."""

import hashlib
import hmac
from uuid import uuid4

from django.conf import settings
from django.db import connection

from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import KeyCheck, KeyRecord
from loancrm.kernel.security import crypto
from loancrm.kernel.words.phrases import gettext as _

CHECK_COLUMN = "kernel.keyrecord.check"
CHECK_TEXT = "loancrm"
INDEX_KEY = "LOANCRM_INDEX_KEY"
SECRET_KEY = "LOANCRM_SECRET_KEY"  # noqa: S105 - the name of the setting


class KeysRefused(LoanCrmError):
    """A key is missing or is not the one that data was made with."""

    code = "keys_wrong"


def has_tables() -> bool:
    """Return whether keys can be noted: not where the kernel was migrated back."""
    return _is_there(KeyRecord) and _is_there(KeyCheck)


def wrong_key_ids() -> list[str]:
    """Return the ids of sealing keys that are missing or differ; empty before the tables exist."""
    if not _is_there(KeyRecord):
        return []
    vault = crypto.vault()
    wrong = []
    for record in KeyRecord.objects.order_by("pk"):
        try:
            vault.open(CHECK_COLUMN, record.row_key, record.check_sealed)
        except crypto.CipherRefused:
            wrong.append(record.key_id)
    return wrong


def wrong_settings() -> list[str]:
    """Return the other keys that differ: of the blind indexes, and of links and sessions.

    With another index key nobody who is known would be found again, and everybody be made twice;
    with another secret key no link in a message that is out would open, unsubscribing included.
    """
    if not _is_there(KeyCheck):
        return []
    noted = dict(KeyCheck.objects.values_list("name", "digest"))
    return [
        name
        for name, usable in _digests().items()
        if name in noted and not any(hmac.compare_digest(noted[name], own) for own in usable)
    ]


def problems() -> list[str]:
    """Return one sentence a key that is missing or differs."""
    found: list[str] = [
        _("LOANCRM_KEYS: key %(name)s is missing or not the one that data was sealed with.")
        % {"name": key_id}
        for key_id in wrong_key_ids()
    ]
    return found + [
        _("%(name)s: not the key that the data in the database was made with.") % {"name": name}
        for name in wrong_settings()
    ]


def refuse_wrong_keys() -> None:
    """Stop whoever could neither read nor safely write personal data.

    Raises:
        KeysRefused: A key is missing or is not the one that data was made with.
    """
    if found := problems():
        raise KeysRefused(" ".join(found))


def note_active_key() -> None:
    """Note the keys in use, once, so that a wrong one shows later.

    Raises:
        KeysRefused: They are not the ones that data was made with.
    """
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
    for name, usable in _digests().items():
        KeyCheck.objects.get_or_create(
            name=name, defaults={"digest": usable[0], "created_at": clock.now()}
        )
        # A former secret key that is still read makes room for the one that signs now.
        KeyCheck.objects.filter(name=name, digest__in=usable[1:]).update(digest=usable[0])


def _is_there(model: type[KeyRecord | KeyCheck]) -> bool:
    return model._meta.db_table in connection.introspection.table_names()  # noqa: SLF001 - Django's documented way to a table's name


def _digests() -> dict[str, list[str]]:
    """Return {setting: fingerprints of its usable values, the one in use first}."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return {
        INDEX_KEY: [_digest(settings.LOANCRM_INDEX_KEY)],
        SECRET_KEY: [_digest(secret.encode()) for secret in secrets],
    }


def _digest(key: bytes) -> str:
    return hmac.digest(hashlib.sha256(key).digest(), b"loancrm.key-check", "sha256").hex()
