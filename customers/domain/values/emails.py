"""E-mail addresses: syntax by email-validator (RFC 5321/5322/6531), no look-up in the network."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from customers.domain.values.quality import Code, ValueRefused

_INVISIBLE: Final = dict.fromkeys([0x00AD, 0x2060, 0xFEFF, *range(0x200B, 0x2010)])
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3002: ord(".")}
_NAMED: Final = re.compile(r"^[^<>@\r\n]*<([^<>]+)>$")
# What most addresses look like: checking these by a pattern costs a tenth of reading them in full.
_PLAIN: Final = re.compile(
    r"[a-z0-9]+(?:[._-][a-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}", re.ASCII
)
_MAX_PLAIN_CHARS: Final = 64


def parse_email(text: str) -> str:
    """Return the address in the one form that is stored and compared.

    The whole address is lower-cased: RFC 5321 allows a server to tell `A@` from `a@`, no mail
    provider does, and two spellings of one address must be one person.

    `Name <address>` and `mailto:` are understood; quoted local parts are refused like line breaks,
    because relays and forms mishandle both.

    Raises:
        ValueRefused: `email_invalid`.
    """
    if text.isascii():
        cleaned = text.strip(" \t")
    else:
        cleaned = text.translate(_INVISIBLE).translate(_FULL_WIDTH).strip(" \t\u00a0\u3000")
    named = _NAMED.match(cleaned) if "<" in cleaned else None
    address = named[1] if named else cleaned.removeprefix("mailto:")
    plain = address.lower() if address.isascii() and len(address) <= _MAX_PLAIN_CHARS else ""
    if _PLAIN.fullmatch(plain) and _is_domain(plain.partition("@")[2]):
        return plain
    try:
        checked = validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise ValueRefused(Code.EMAIL_INVALID) from error
    return unicodedata.normalize("NFC", checked.normalized.lower())


@lru_cache(20_000)
def _is_domain(domain: str) -> bool:
    """Return whether mail can be addressed to a domain; few domains make up most files."""
    try:
        validate_email(f"a@{domain}", check_deliverability=False, strict=True)
    except EmailNotValidError:
        return False
    return True
