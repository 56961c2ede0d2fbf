"""Whom a provider's refusal blames: the address, its mailbox, our account, its own load, or nobody.

One rule for what a provider answers at once and for what comes back later as a bounce message.
"""

import re
from enum import StrEnum

from campaigns.domain.receipts import refusal_rules as rules

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Blame(StrEnum):
    """What a refusal is about.

    `ADDRESS` does not exist; `MAILBOX` cannot take mail now; `ACCOUNT` ours, its sender or what is
    sent in general; `BUSY` the provider's own load; `OTHER` cannot be told.
    """

    ADDRESS = "address"
    MAILBOX = "mailbox"
    ACCOUNT = "account"
    BUSY = "busy"
    OTHER = "other"


def blame_of(code: str, words: str = "") -> Blame:
    """Return whom a refusal blames.

    Args:
        code: Enhanced status (`5.1.1`), SMTP reply (`550`) or a gateway's code (`number_invalid`).
        words: What the provider wrote beside it.
    """
    code = code.strip().casefold()
    text = words.casefold()
    if _ENHANCED.fullmatch(code) or (code.isdigit() and len(code) == 3):
        return _blame_of_mail(code, text)
    for blame, codes in (
        (Blame.ADDRESS, rules.DEAD_NUMBER_CODES),
        (Blame.ACCOUNT, rules.ACCOUNT_CODES),
        (Blame.BUSY, rules.BUSY_CODES),
    ):
        if code in codes:
            return blame
    if _has(text, rules.ACCOUNT_WORDS):
        return Blame.ACCOUNT
    return Blame.BUSY if _has(text, rules.BUSY_WORDS) else Blame.OTHER


def _blame_of_mail(code: str, text: str) -> Blame:
    # Some servers put the enhanced status behind their words, as in "no mailbox here (#5.1.1)".
    status = code if "." in code else _status_in(code, text)
    if code[0] == "4":
        return _blame_of_delay(code, status, text)
    if code in rules.LOGIN_REPLIES or status.startswith("5.7."):
        return Blame.ACCOUNT
    if status in rules.DEAD_STATUS:
        return Blame.ADDRESS
    if status in rules.SOFT_STATUS or _has(text, rules.SOFT_WORDS):
        return Blame.MAILBOX
    if _has(text, rules.SENDER_WORDS):
        return Blame.ACCOUNT
    return Blame.ADDRESS if _has(text, rules.DEAD_WORDS) else Blame.OTHER


def _blame_of_delay(code: str, status: str, text: str) -> Blame:
    if code in rules.BUSY_REPLIES or status.startswith(rules.BUSY_STATUS_PREFIXES):
        return Blame.BUSY
    if status in rules.SOFT_STATUS or _has(text, rules.SOFT_WORDS):
        return Blame.MAILBOX
    return Blame.BUSY if _has(text, rules.BUSY_WORDS) else Blame.OTHER


def _status_in(code: str, text: str) -> str:
    match = _ENHANCED.search(text)
    return match[0] if match is not None and match[0][0] == code[0] else ""


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)
