"""Identifiers that come from outside, in the one form that is stored and compared."""

import hashlib

MAX_ID_CHARACTERS = 120
_KEPT_OF_LONG_ID = 50


def bounded_id(text: str) -> str:
    """Return an identifier in the one form that is stored and compared.

    Longer ones, and those with characters that a database refuses, end in a digest of the whole, so
    that two that differ stay two.
    """
    if len(text) <= MAX_ID_CHARACTERS and text.isprintable():
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{storable(text)[:_KEPT_OF_LONG_ID]}~{digest}"


def storable(text: str) -> str:
    """Return a text without what a database cannot hold: control characters, lone surrogates."""
    return "".join(character for character in text if character.isprintable())
