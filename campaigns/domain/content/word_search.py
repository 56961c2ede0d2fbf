"""Finding listed words in a text, however they are dressed up."""

import html
import re
import unicodedata
from enum import StrEnum

from campaigns.domain.content import banned_words
from campaigns.domain.sending import service_messages

_TAG = re.compile(r"<[^>]*>")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NO_LETTER = re.compile(r"[\W_]+")
_NO_LATIN = re.compile(r"[^a-z]+")
_SPELLINGS = str.maketrans(
    {variant: word for variant, word in banned_words.VARIANTS.items() if len(variant) == 1}
)


class Severity(StrEnum):
    """Whether a finding stops an approval or only asks for attention."""

    BLOCK = "block"
    WARN = "warn"


def banned(text: str) -> tuple[tuple[str, Severity], ...]:
    """Return the forbidden and risky words in a text, however they are dressed up.

    Width, case, blanks, punctuation, emoji, HTML entities, tags, traditional characters,
    look-alikes and pinyin with or without tones make no difference; neither does whether what
    looks like code or a tag is shown.
    """
    shapes = _shapes(text)
    bare = [_bare(shape) for shape in shapes]
    letters = [_letters(shape) for shape in shapes]
    found = dict.fromkeys(_within(banned_words.BLOCKED, bare), Severity.BLOCK)
    for pinyin in _within(tuple(banned_words.PINYIN), letters):
        found[banned_words.PINYIN[pinyin]] = Severity.BLOCK
    found |= dict.fromkeys(_within(banned_words.WARNED, bare), Severity.WARN)
    return tuple(found.items())


def offering(text: str) -> tuple[str, ...]:
    """Return the words of offers in a text, which no message that only informs may hold."""
    bare = [_bare(shape) for shape in _shapes(text)]
    return tuple(_within(service_messages.OFFERING_WORDS, bare))


def without_tags(source: str) -> str:
    """Return the words of HTML as a reader sees them, each tag a blank."""
    return html.unescape(_TAG.sub(" ", source))


def _within(words: tuple[str, ...], texts: list[str]) -> list[str]:
    return [word for word in words if any(word in text for text in texts)]


def _shapes(text: str) -> set[str]:
    """Return the text with and without what may be code, and with and without what may be tags."""
    return {
        html.unescape(shape)
        for plain in (text, _CODE.sub("", text))
        for shape in (plain, _TAG.sub("", plain))
    }


def _bare(text: str) -> str:
    """Return the letters and digits alone, in one spelling."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NO_LETTER.sub("", folded).translate(_SPELLINGS)


def _letters(text: str) -> str:
    """Return the Latin letters alone, without accents, for words written in pinyin."""
    return _NO_LATIN.sub("", unicodedata.normalize("NFKD", text).casefold())
