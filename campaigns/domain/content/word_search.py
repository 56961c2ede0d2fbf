"""Finding listed words in a text, however they are dressed up."""

import html
import re
import unicodedata
from collections.abc import Mapping

from campaigns.domain.compliance.rules import RuleSeverity
from campaigns.domain.content import banned_words
from campaigns.domain.sending import service_messages

_TAG = re.compile(r"<[^>]*>")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PINYIN = tuple(banned_words.PINYIN)
_NO_LETTER = re.compile(r"[\W_]+")
_NO_LATIN = re.compile(r"[^a-z]+")
_SPELLINGS = str.maketrans(
    {variant: word for variant, word in banned_words.VARIANTS.items() if len(variant) == 1}
)


def banned(text: str, words: Mapping[str, RuleSeverity]) -> tuple[tuple[str, RuleSeverity], ...]:
    """Return the listed words in a text, however they are dressed up, the forbidden ones first.

    Width, case, blanks, punctuation, emoji, HTML entities, tags, traditional characters,
    look-alikes and pinyin with or without tones make no difference; neither does whether what
    looks like code or a tag is shown.

    Args:
        words: The words of the day, as `RulesInForce.banned_words` returns them.
    """
    shapes = _shapes(text)
    bare = [_bare(shape) for shape in shapes]
    letters = [_letters(shape) for shape in shapes]
    found = set(_within(tuple(words), bare))
    found.update(banned_words.PINYIN[pinyin] for pinyin in _within(_PINYIN, letters))
    listed = [(word, severity) for word, severity in words.items() if word in found]
    return tuple(sorted(listed, key=lambda pair: pair[1] is not RuleSeverity.BLOCK))


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
