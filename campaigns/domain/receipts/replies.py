"""What a person means by the SMS that she sends back.

What says nothing but no is a refusal. What may be one, among other words, is for a person to read,
and stops marketing meanwhile. The words are data: `reply_words`.
"""

import re
import unicodedata
from enum import StrEnum

from campaigns.domain.receipts import reply_words as words


class ReplyMeaning(StrEnum):
    """What follows from a reply."""

    OPT_OUT = "opt_out"
    REVIEW = "review"
    OTHER = "other"


class ReplyDecision(StrEnum):
    """What somebody has said about a reply that may be a refusal."""

    OPEN = ""
    REFUSAL = "refusal"
    NO_REFUSAL = "no_refusal"


def _any_of(*groups: str) -> str:
    # Longest first: what stands in another word must not be taken for it.
    plain = {word for group in groups for word in group.split()}
    return "|".join(re.escape(word) for word in sorted(plain, key=lambda word: (-len(word), word)))


# No way back (`++`, `(?>`): two ways to read the same words must not multiply.
_CODE = rf"(?P<code>{_any_of(words.CODES)})(?P=code)*"
_ROUTED = rf"(?:{_any_of(words.ROUTED_CODES)})\d{{1,2}}"
_REFUSING = _any_of(words.REFUSING, words.MISSPELT)
_WORDS = _any_of(words.REFUSING, words.MISSPELT, words.AROUND, words.CODES)
_CHINESE = rf"(?=.*(?:{_REFUSING}))(?:{_WORDS})++"
_ENGLISH = (
    rf"(?:{_any_of(words.ENGLISH_BEFORE)})?"
    rf"(?:{_any_of(words.ENGLISH_REFUSING, words.MISSPELT)})++"
    rf"(?:{_any_of(words.ENGLISH_AFTER)})?"
)
_WHOLE = re.compile(rf"(?:(?:回复|回|复|发)?(?:{_CODE}|{_ROUTED})|{_CHINESE}|{_ENGLISH})")
_CURT = re.compile(
    rf"(?:{_any_of(words.CURT_BEFORE)})*+"
    rf"(?:(?:{_any_of(words.CURT)})++|{'|'.join(words.CURT_PATTERNS)})"
    rf"(?:{_any_of(words.CURT_AFTER)})*+"
)
_DOUBTFUL = re.compile(
    "|".join([_any_of(words.DOUBTFUL, words.MISSPELT), *words.DOUBTFUL_PATTERNS])
)
_SIMPLIFIED = str.maketrans(words.TRADITIONAL, words.SIMPLIFIED)
# Of a longer reply its beginning and its end are read.
_READ_AT_EACH_END = 500


def meaning_of(text: str) -> ReplyMeaning:
    """Return what a reply means; width, case, punctuation and blanks do not matter."""
    if len(text) > 2 * _READ_AT_EACH_END:
        text = f"{text[:_READ_AT_EACH_END]}\n{text[-_READ_AT_EACH_END:]}"
    said = _bare(text)
    if _WHOLE.fullmatch(said):
        return ReplyMeaning.OPT_OUT
    is_doubtful = _CURT.fullmatch(said) or _DOUBTFUL.search(said) or _has_refusing_sign(text, said)
    return ReplyMeaning.REVIEW if is_doubtful else ReplyMeaning.OTHER


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLIFIED)
    return "".join(character for character in folded if character.isalnum())


def _has_refusing_sign(text: str, said: str) -> bool:
    signs = set(text)
    is_bare_sign = not said and not signs.isdisjoint(words.REFUSING_SIGNS_ALONE)
    return is_bare_sign or not signs.isdisjoint(words.REFUSING_SIGNS)
