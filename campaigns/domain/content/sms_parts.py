"""How many parts a text message is billed as, and the fixed words around a Chinese one.

Source: 3GPP TS 23.038 (GSM 7-bit alphabet and its extension table), TS 23.040 (concatenation: 153
septets or 67 UCS-2 units a part). Carriers in China bill 70 characters for a single message and 67
for each part of a longer one.
"""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

OPT_OUT_TEXT = "拒收请回复R"

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM_ALL = _GSM_BASIC | _GSM_EXTENDED
_LEADING_SIGNATURE = re.compile(r"^\s*【([^【】]{1,40})】")


class SmsEncoding(StrEnum):
    """Alphabet in which a text can go out."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What a text costs on the air.

    Attributes:
        encoding: The smaller alphabet that holds every character.
        units: Septets or UTF-16 units.
        parts: Billed messages; 0 for an empty text.
    """

    encoding: SmsEncoding
    units: int
    parts: int


def measure(text: str) -> SmsSize:
    """Return the alphabet, length and number of parts of a finished text.

    An extension character takes two septets and an emoji two UTF-16 units; neither is ever cut in
    two, so a part may end one unit early.
    """
    if _GSM_ALL.issuperset(text):
        extended = sum(map(text.count, _GSM_EXTENDED))
        units = len(text) + extended
        if units <= 160:
            return SmsSize(SmsEncoding.GSM7, units, min(units, 1))
        parts = _parts([2 if c in _GSM_EXTENDED else 1 for c in text], 153) if extended else 0
        return SmsSize(SmsEncoding.GSM7, units, parts or math.ceil(units / 153))
    wide = sum(ord(character) > 0xFFFF for character in text)
    units = len(text) + wide
    if units <= 70:
        return SmsSize(SmsEncoding.UCS2, units, 1)
    parts = _parts([2 if ord(c) > 0xFFFF else 1 for c in text], 67) if wide else 0
    return SmsSize(SmsEncoding.UCS2, units, parts or math.ceil(units / 67))


def compose(body: str, *, signature: str, opt_out_text: str) -> str:
    """Return the text as it leaves: 【signature】 first and once, the opt-out words last and once.

    Args:
        body: Rendered text; a signature or opt-out words that the author wrote are not doubled.
        signature: The registered name without brackets, or empty for none.
        opt_out_text: `OPT_OUT_TEXT` for marketing, empty for servicing.
    """
    text = body.strip()
    if signature:
        text = f"【{signature}】" + _LEADING_SIGNATURE.sub("", text, count=1).lstrip()
    if opt_out_text and not text.endswith(opt_out_text):
        joint = "" if text.endswith(("。", "！", "？", "，", ".", "!", "?", ",")) else "，"
        text = f"{text}{joint}{opt_out_text}"
    return text


def leading_signature(text: str) -> str:
    """Return the name in the brackets at the very start of a text, or an empty text."""
    match = _LEADING_SIGNATURE.match(text)
    return match.group(1) if match else ""


def _parts(widths: list[int], capacity: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > capacity:
            parts, used = parts + 1, 0
        used += width
    return parts
