"""A text as its author writes it, before anything is made of it."""

from dataclasses import dataclass
from enum import StrEnum


class TextLanguage(StrEnum):
    """The languages that messages are written in."""

    CHINESE = "zh-hans"
    ENGLISH = "en"


class TextPart(StrEnum):
    """The parts of a text."""

    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


LOCALES = tuple(language.value for language in TextLanguage)
PARTS = tuple(part.value for part in TextPart)


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The text of one variant in one language."""

    locale: str
    subject: str
    text: str
    html: str
