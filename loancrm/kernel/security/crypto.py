"""Encryption of personal data at rest and the keyed index that finds it again.

An envelope is `version(1) | key id length(1) | key id | nonce(12) | ciphertext and tag`. The column
and the row's key are authenticated with it: a value copied to another row or column does not open.
"""

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

VERSION = 1
NONCE_BYTES = 12
INDEX_DIGITS = 32
BLOCK_BYTES = 64


class CipherRefused(LoanCrmError):
    """A sealed value does not open: wrong key, wrong row, or tampered."""

    code = "cipher_refused"


class Vault:
    """Seals and opens texts under a ring of keys.

    Args:
        keys: {key id: 32 bytes}; the first is used for sealing, all for opening.
        index_key: 32 bytes that key the blind indexes.
    """

    def __init__(self, keys: Mapping[str, bytes], index_key: bytes) -> None:
        """Prepare one cipher a key."""
        if not keys or not index_key:
            raise CipherRefused(_("No encryption key is configured."))
        self._ciphers = {kid.encode(): AESGCM(key) for kid, key in keys.items()}
        self._active = next(iter(self._ciphers))
        # HMAC-SHA256 (RFC 2104) with the key taken in once: `hmac` takes it in for every value,
        # which is most of the work.
        padded = _block(index_key)
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self._prefix = bytes([VERSION, len(self._active)]) + self._active

    @property
    def active_key_id(self) -> str:
        """Return the id of the key that seals new values."""
        return self._active.decode()

    def seal(self, column: str, row_key: UUID, text: str) -> bytes:
        """Return the envelope of a text, bound to its column and row."""
        nonce = os.urandom(NONCE_BYTES)
        bound = column.encode() + row_key.bytes
        return (
            self._prefix + nonce + self._ciphers[self._active].encrypt(nonce, text.encode(), bound)
        )

    def open(self, column: str, row_key: UUID, envelope: bytes | memoryview) -> str:
        """Return the text of an envelope.

        Raises:
            CipherRefused: The key is unknown, or the envelope was made for another row or changed.
        """
        raw = bytes(envelope)
        start = 2 + raw[1] if len(raw) > NONCE_BYTES else 0
        cipher = self._ciphers.get(raw[2:start])
        if cipher is None or raw[0] != VERSION:
            raise CipherRefused(_("The value was sealed with an unknown key."), column=column)
        body = start + NONCE_BYTES
        try:
            opened = cipher.decrypt(raw[start:body], raw[body:], column.encode() + row_key.bytes)
        except InvalidTag as error:
            raise CipherRefused(
                _("A sealed value does not belong to its row or was changed."),
                column=column,
                row_key=str(row_key),
            ) from error
        return opened.decode()

    def blind_index(self, column: str, normalised: str) -> str:
        """Return the keyed fingerprint (32 hex digits) by which equal values are found.

        128 bits keep a billion values apart and halve the indexes, which every import has to fill.
        """
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{column}\x00{normalised}".encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:INDEX_DIGITS]


def _block(key: bytes) -> bytes:
    """Return a key in the length of a block of SHA-256."""
    short = hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key
    return short.ljust(BLOCK_BYTES, b"\0")


def key_id_of(envelope: bytes | memoryview) -> str:
    """Return the id of the key that an envelope says it was sealed with; it is not opened."""
    raw = bytes(envelope[: 2 + 255])
    return raw[2 : 2 + raw[1]].decode(errors="replace") if len(raw) > 2 else ""


@lru_cache(maxsize=4)
def _vault(keys: tuple[tuple[str, bytes], ...], index_key: bytes) -> Vault:
    return Vault(dict(keys), index_key)


def vault() -> Vault:
    """Return the vault of the configured keys."""
    return _vault(tuple(settings.LOANCRM_KEYS.items()), settings.LOANCRM_INDEX_KEY)
