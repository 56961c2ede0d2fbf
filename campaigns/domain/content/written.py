"""A text as its author writes it, before anything is made of it."""

from dataclasses import dataclass

LOCALES = ("zh-hans", "en")


@dataclass(frozen=True, slots=True)
class TextSpec:
    """The text of one variant in one language."""

    locale: str
    subject: str
    text: str
    html: str
