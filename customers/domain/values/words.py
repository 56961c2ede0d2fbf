"""Words with a closed meaning: yes and no, gender, blanks; and amounts with their units."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

from customers.domain.values.quality import Code, ValueRefused

_YES: Final = frozenset(
    [
        *("y", "yes", "true", "t", "1", "on", "✓", "√", "是", "有", "同意", "已同意"),
        *("订阅", "已订阅", "授权", "已授权", "接受", "已接受", "subscribed", "granted", "agreed"),
        *("opt-in", "opted-in", "opted in"),
    ]
)
_NO: Final = frozenset(
    [
        *("n", "no", "false", "f", "0", "off", "×", "✗", "否", "无", "没有", "不同意", "未同意"),
        *("拒绝", "已拒绝", "退订", "已退订", "退订短信", "拒收", "未订阅", "不订阅", "取消订阅"),
        *("未授权", "不授权", "不接受", "撤回", "已撤回", "撤销", "取消", "已取消", "unsubscribed"),
        *("unsubscribe", "unsub", "stop", "opt-out", "opted-out", "opted out", "optout"),
        *("revoked", "withdrawn", "refused", "declined", "denied"),
    ]
)
_MALE: Final = frozenset(["男", "男性", "先生", "m", "male", "man", "1"])
_FEMALE: Final = frozenset(["女", "女性", "女士", "小姐", "f", "female", "woman", "2"])
# GB/T 2261.1: 0 unknown, 9 not stated.
_UNSTATED: Final = frozenset(["未知", "保密", "不详", "unknown", "u", "0", "9"])
_BLANKS: Final = frozenset(["", "null", "none", "n/a", "#n/a", "nan", "-", "--", "\\n"])
_AMOUNT: Final = re.compile(r"^([+-]?)(?:¥|￥|cny|rmb|人民币)?([+-]?)([\d,]*\.?\d+)(.*)$", re.ASCII)
_UNITS: Final = {
    "": Decimal(1),
    "元": Decimal(1),
    "块": Decimal(1),
    "cny": Decimal(1),
    "rmb": Decimal(1),
    "k": Decimal(1_000),
    "千": Decimal(1_000),
    "千元": Decimal(1_000),
    "w": Decimal(10_000),
    "万": Decimal(10_000),
    "万元": Decimal(10_000),
    "亿": Decimal(100_000_000),
    "亿元": Decimal(100_000_000),
}
_GROUPED: Final = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d*\.?\d+$", re.ASCII)


def one_line(text: str) -> str:
    """Return the text in NFKC, on one line, without outer blanks; a placeholder is a word here."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\x00", "").split())


def clean(text: str) -> str:
    """Return the text in NFKC, on one line, without outer blanks; placeholders become empty."""
    cleaned = one_line(text)
    return "" if cleaned.casefold() in _BLANKS else cleaned


def parse_flag(text: str) -> bool:
    """Return what a yes-or-no word means, in Chinese or English.

    Raises:
        ValueRefused: `flag_invalid`.
    """
    word = clean(text).casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueRefused(Code.FLAG_INVALID)


def parse_gender(text: str) -> str:
    """Return `male` or `female`, or an empty text where the word says that it is not stated.

    Raises:
        ValueRefused: `gender_invalid`.
    """
    word = clean(text).casefold()
    if word in _MALE:
        return "male"
    if word in _FEMALE:
        return "female"
    if word in _UNSTATED:
        return ""
    raise ValueRefused(Code.GENDER_INVALID)


def parse_amount(text: str) -> Decimal:
    """Return an amount of money in yuan: `￥1,234.50`, `1.2万`, `3亿元`, `-5`.

    Raises:
        ValueRefused: `amount_invalid`, also for a number in scientific notation.
    """
    return _amount(text, Code.AMOUNT_INVALID).quantize(Decimal("0.01"))


def parse_number(text: str) -> Decimal:
    """Return a plain number; thousands separators and the units 千, 万, 亿 are understood.

    Raises:
        ValueRefused: `number_invalid`.
    """
    number = _amount(text, Code.NUMBER_INVALID)
    return Decimal(0) if number == 0 else number


def _amount(text: str, refusal: Code) -> Decimal:
    found = _AMOUNT.match(clean(text).casefold().replace(" ", ""))
    if found is None or (found[1] and found[2]) or not _GROUPED.match(found[3]):
        raise ValueRefused(refusal)
    unit = _UNITS.get(found[4])
    if unit is None:
        raise ValueRefused(refusal)
    try:
        value = Decimal(found[3].replace(",", "")) * unit
    except InvalidOperation as error:
        raise ValueRefused(refusal) from error
    if abs(value) >= Decimal(10) ** 14:
        raise ValueRefused(refusal)
    return -value if "-" in (found[1], found[2]) else value
