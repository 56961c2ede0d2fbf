"""Names of persons: one spelling for storage, one key for comparison; rare Han characters stay."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from customers.domain.values.quality import Code, ValueRefused

MAX_NAME_CHARS: Final = 100
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08]")
_SPACES: Final = re.compile(r"\s+")
# Names of minorities and foreigners are joined by a middle dot that keyboards write in many ways.
_MIDDLE_DOTS: Final = re.compile(r"\s*[·•‧∙・･●˙]\s*")
_HAN: Final = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af〇]"
_SPACE_IN_HAN: Final = re.compile(rf"(?<={_HAN}) (?={_HAN})")
# Characters that no normalisation changes: what nearly all names consist of.
_PLAIN: Final = re.compile(r"[\u4e00-\u9fff]+")
_PLACEHOLDERS: Final = frozenset(
    {"无", "无名", "未知", "不详", "暂无", "null", "none", "n/a", "nan", "-"}
)


def parse_name(text: str) -> str:
    """Return the name as it is stored, or an empty text for a blank or a placeholder.

    Raises:
        ValueRefused: `name_invalid` for a text without any letter, `text_too_long`.
    """
    name = _normalise(text)
    if not name or name.casefold() in _PLACEHOLDERS:
        return ""
    if not name.isalpha() and not any(character.isalpha() for character in name):
        raise ValueRefused(Code.NAME_INVALID)
    if len(name) > MAX_NAME_CHARS:
        raise ValueRefused(Code.TEXT_TOO_LONG)
    return name


def name_key(name: str) -> str:
    """Return the form under which two spellings of one name are equal."""
    if _PLAIN.fullmatch(name):
        return name
    return re.sub(r"[\W_]+", "", _normalise(name).casefold())


def _normalise(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    while True:
        cleaned = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
        cleaned = _MIDDLE_DOTS.sub("·", _SPACES.sub(" ", cleaned)).strip(" ,;'\"")
        cleaned = _SPACE_IN_HAN.sub("", cleaned)
        # Removing a character can bring two others together that then compose.
        if cleaned == text:
            return cleaned
        text = cleaned
