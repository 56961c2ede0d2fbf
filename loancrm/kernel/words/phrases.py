"""Sentences that one person causes and another reads, each in the language of his own.

Why an import ended is worded by a worker, stored, and read for weeks by people of both languages.
Text cannot be translated back, so a sentence that may be stored remembers the source text it was
made from and what was put into it. Services word what they refuse by the `gettext` of this module;
a `PhraseField` keeps the sentence and words it again for whoever loads the row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.functional import Promise

# A value is a name or a number; whatever is longer was put in by mistake.
_LONGEST_VALUE: Final = 300


class Phrase(str):
    """A sentence in the language of now, with its source text and the values put into it."""

    __slots__ = ("source", "texts", "values")
    source: str
    values: Mapping[str, object]
    texts: Mapping[str, str]

    def __new__(cls, source: str, values: Mapping[str, object] | None = None) -> Self:
        """Word a source text of the catalogue; without values it is taken as it stands."""
        text = translation.gettext(source) if source else ""
        phrase = super().__new__(cls, text % values if values else text)
        phrase.source, phrase.values, phrase.texts = source, dict(values or {}), {}
        return phrase

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Self:
        """Return what no catalogue knows, by the code of its language: names that are stored."""
        code = translation.get_language() or settings.LANGUAGE_CODE
        phrase = super().__new__(cls, texts.get(code) or next(iter(texts.values()), ""))
        phrase.source, phrase.values, phrase.texts = str(phrase), {}, dict(texts)
        return phrase

    def __mod__(self, values: Any) -> Phrase:
        """Put values in, which may be sentences themselves."""
        return Phrase(self.source, values)


def gettext(source: str) -> Phrase:
    """Return a source text in the language of now, so that it can be put into another one later."""
    return Phrase(source)


def reads_chinese() -> bool:
    """Return whether the reader of now reads Chinese."""
    return (translation.get_language() or "en").startswith("zh")


def worded(text: Promise | str) -> Phrase:
    """Return a text that is translated when it is read as a sentence that can be stored."""
    if isinstance(text, Phrase):
        return text
    with translation.override(None):
        source = str(text)
    return Phrase(source)


def plain(value: Any) -> str:
    """Return a sentence as ordinary text, for encoders that ask what to do with it.

    Raises:
        NotImplementedError: It is none.
    """
    if isinstance(value, Phrase):
        return str(value)
    raise NotImplementedError


def write(text: str) -> str:
    """Return a sentence in the form that is stored."""
    return json.dumps(_as_json(text), ensure_ascii=False) if text else ""


def read(stored: str) -> str:
    """Return a stored sentence in the language of now; what is none of ours stays as it is."""
    try:
        content = json.loads(stored) if stored.startswith("{") else None
        return stored if content is None else _from_json(content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return stored


def _as_json(value: object) -> Any:
    if isinstance(value, Promise):
        value = worded(value)
    if isinstance(value, Phrase) and value.texts:
        return {code: text[:_LONGEST_VALUE] for code, text in value.texts.items()}
    if isinstance(value, Phrase):
        return {
            "text": value.source,
            "values": {name: _as_json(part) for name, part in value.values.items()},
        }
    if isinstance(value, int | float):
        return value
    return str(value)[:_LONGEST_VALUE]


def _from_json(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    if "text" not in content:
        return Phrase.of(content)
    values = {name: _from_json(part) for name, part in content["values"].items()}
    return Phrase(content["text"], values)


class PhraseField(models.TextField):  # type: ignore[type-arg]
    """A column of one sentence that is read in the language of its reader."""

    def deconstruct(self) -> Any:
        """Call it a plain text in migrations, which import nothing of the product."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored: a sentence with its parts, any other text as it is."""
        value = super().get_prep_value(value) if not isinstance(value, Phrase) else value
        return write(value) if isinstance(value, Phrase) else value

    def from_db_value(self, value: Any, *_: object) -> Any:
        """Return the sentence in the language of now."""
        return value if value is None else read(value)
