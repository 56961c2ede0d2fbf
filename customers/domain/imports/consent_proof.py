"""Consents of a row with what proves them: the version of the text, and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from customers.domain.consents.consent import ConsentProof
from customers.domain.imports.person_row import ConsentWord
from customers.domain.values.dates import parse_moment
from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import clean

_MAX_VERSION_CHARS: Final = 40


def proven(
    words: Sequence[ConsentWord], cells: Mapping[str, str], *, proof: ConsentProof, today: date
) -> tuple[ConsentWord, ...]:
    """Return the words with text and time; a grant that lacks either is left out.

    A refusal needs no proof.
    """
    own = cells.get(proof.text_column, "").strip() if proof.text_column else ""
    # `none` or `-` names no text that anybody agreed to.
    own = own if clean(own) else ""
    text = own or proof.text
    at = _time(cells.get(proof.time_column, "").strip(), ZoneInfo(proof.time_zone), today)
    is_named = bool(text) and len(text) <= _MAX_VERSION_CHARS
    return tuple(
        replace(word, text_version=text if is_named else "", at=at)
        for word in words
        if not word.is_granted or (is_named and at is not None)
    )


def _time(text: str, zone: ZoneInfo, today: date) -> datetime | None:
    """Return the time that a cell says; None where it says none, or one that is still to come."""
    try:
        at = parse_moment(text, zone=zone)
    except ValueRefused:
        return None
    return at if at.astimezone(zone).date() <= today else None
