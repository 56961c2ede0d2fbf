"""What each setting may be: parsers that raise ValueError, and the rules of production."""

import base64
import binascii
import ipaddress
import logging
import re
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"\.?{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@,]+@[^\s@,]+\.[^\s@,]+")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def keys(raw: str) -> dict[str, bytes]:
    """Return {key id: 32 bytes} from `kid:base64,kid:base64`; the first one is active.

    Raises:
        ValueError: An entry has no usable id, one id comes twice, or a key is not base64 of 32
            bytes, or all its bytes are the same.
    """
    found: dict[str, bytes] = {}
    for entry in raw.split(","):
        kid, _colon, encoded = entry.strip().partition(":")
        if not _KEY_ID.fullmatch(kid) or kid in found:
            raise ValueError(kid)
        found[kid] = key(encoded)
    return found


def key(encoded: str) -> bytes:
    """Return the 32 bytes of one key.

    Raises:
        ValueError: It is not base64 of 32 bytes, or all its bytes are the same.
    """
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(raw) != KEY_BYTES or len(set(raw)) == 1:
        raise ValueError("not 32 random bytes")
    return raw


def window(raw: str) -> tuple[int, int]:
    """Return (opening hour, closing hour) from `9-20`.

    Raises:
        ValueError: It is malformed, empty, or reaches beyond 08:00-21:00.
    """
    opens, closes = (int(part) for part in raw.split("-"))
    if not 8 <= opens < closes <= 21:
        raise ValueError(raw)
    return opens, closes


def service_window(raw: str) -> tuple[int, int]:
    """Return (opening hour, closing hour) from `7-22`.

    Raises:
        ValueError: It is malformed, empty, or reaches beyond 06:00-23:00.
    """
    opens, closes = (int(part) for part in raw.split("-"))
    if not 6 <= opens < closes <= 23:
        raise ValueError(raw)
    return opens, closes


def zone(raw: str) -> str:
    """Return the name of a time zone that exists.

    Raises:
        ValueError: It does not.
    """
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(raw) from error
    return raw


LENDER_TYPES = ("bank", "consumer_finance", "micro_lender", "loan_assisting")


def lender_type(raw: str) -> str:
    """Return the kind of company that lends.

    Raises:
        ValueError: There is no such kind.
    """
    if raw not in LENDER_TYPES:
        raise ValueError(raw)
    return raw


def country(raw: str) -> str:
    """Return the code of a country whose public holidays are known.

    Raises:
        ValueError: There is none.
    """
    import holidays  # noqa: PLC0415 - loads hundreds of countries, for one look

    if raw not in holidays.list_supported_countries(include_aliases=False):
        raise ValueError(raw)
    return raw


def level(raw: str) -> str:
    """Return the name of a log level.

    Raises:
        ValueError: There is no such level.
    """
    if raw.upper() not in LEVELS:
        raise ValueError(raw)
    return logging.getLevelName(logging.getLevelNamesMapping()[raw.upper()])


def hosts(raw: str) -> list[str]:
    """Return host names and addresses; `.example.com` stands for every name below it.

    Raises:
        ValueError: An entry is empty, holds a scheme, port or path, or is no host name.
    """
    found = [entry.strip() for entry in raw.split(",")]
    for entry in found:
        if entry != "*" and not _HOST.fullmatch(entry) and not _is_address(entry.strip("[]")):
            raise ValueError(entry)
    return found


def plain_hosts(raw: str) -> list[str]:
    """Return host names and addresses in lower case, none of which stands for several.

    Raises:
        ValueError: As `hosts`, or an entry is a pattern.
    """
    found = [entry.lower().strip("[]") for entry in hosts(raw)]
    for entry in found:
        if entry.startswith(("*", ".")):
            raise ValueError(entry)
    return found


def public_url(raw: str) -> str:
    """Return the address that links begin with, without a slash at its end.

    Raises:
        ValueError: It is no http(s) address, or holds a user, a query or a fragment.
    """
    parts = _split(raw)
    is_plain = not (parts.query or parts.fragment or parts.username or re.search(r"\s", raw))
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise ValueError(raw)
    return raw.rstrip("/")


def redis_url(raw: str) -> str:
    """Return the address of a Redis.

    Raises:
        ValueError: Another scheme, no host, or a database that is no number.
    """
    parts = _split(raw)
    database = parts.path.strip("/")
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError("scheme or host")
    if database and not database.isdigit():
        raise ValueError("database")
    return raw


def emails(raw: str) -> list[str]:
    """Return e-mail addresses, each once.

    Raises:
        ValueError: An entry is no address.
    """
    found = [entry.strip() for entry in raw.split(",")]
    if not all(_EMAIL.fullmatch(entry) for entry in found):
        raise ValueError("address")
    return list(dict.fromkeys(found))


def harm_rates(raw: str) -> tuple[float, ...]:
    """Return (rate that is borne, rate that stops a campaign) from percent; nothing from `off`.

    Raises:
        ValueError: It is malformed, or not 0 < borne < harmful < 100.
    """
    if raw.strip() == "off":
        return ()
    borne, harmful = (float(part) / 100 for part in raw.split("-"))
    if not 0 < borne < harmful < 1:
        raise ValueError(raw)
    return borne, harmful


def mail_url(raw: str) -> dict[str, Any]:
    """Return Django's settings of the server for mails to operators.

    Raises:
        ValueError: Another scheme, or no host.
    """
    parts = _split(raw)
    ports = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ValueError("scheme or host")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",
    }


def database_url(raw: str) -> str:
    """Return the address of a database.

    Raises:
        ValueError: Another scheme, or no name of a database.
    """
    parts = _split(raw)
    if parts.scheme not in {"postgres", "postgresql", "sqlite"} or not parts.path.strip("/"):
        raise ValueError("scheme or name")
    return raw


def prefix(raw: str) -> str:
    """Return a prefix of keys in Redis.

    Raises:
        ValueError: It holds other characters than letters, digits and `_.:-`, or over 60.
    """
    if not _PREFIX.fullmatch(raw):
        raise ValueError(raw)
    return raw


def language(raw: str) -> str:
    """Return one of the languages that loancrm speaks.

    Raises:
        ValueError: It speaks another one only.
    """
    if raw.lower() not in {"zh-hans", "en"}:
        raise ValueError(raw)
    return raw.lower()


def production_problems(
    *, secret: str, public: str, names: list[str], index_key: bytes, sealing: dict[str, bytes]
) -> list[str]:
    """Return what is allowed on a developer's machine but not in front of customers."""
    found = []
    if secret and (len(secret) < 50 or len(set(secret)) < 10):
        found.append("LOANCRM_SECRET_KEY: expected 50 or more random characters")
    parts = _split(public)
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        found.append("LOANCRM_PUBLIC_URL: expected https://…; customers' links must be encrypted")
    if "*" in names:
        found.append("LOANCRM_ALLOWED_HOSTS: expected names; * lets anybody forge links")
    elif host and not any(_names(entry, host) for entry in names):
        found.append("LOANCRM_ALLOWED_HOSTS: the host of LOANCRM_PUBLIC_URL is not among them")
    if index_key and index_key in sealing.values():
        found.append("LOANCRM_INDEX_KEY: expected a key of its own, not one of LOANCRM_KEYS")
    return found


def is_loopback(host: str) -> bool:
    """Return whether a host is this very machine."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _names(entry: str, host: str) -> bool:
    entry = entry.lower().rstrip(".").strip("[]")
    return host == entry or (entry.startswith(".") and (host.endswith(entry) or host == entry[1:]))


def _split(raw: str) -> SplitResult:
    parts = urlsplit(raw)
    # Reading the port is what checks it.
    _port = parts.port
    return parts


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
