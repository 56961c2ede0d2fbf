"""The filters that authors' texts may use: how values are shown, by the language of the text."""

from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jinja2.runtime import Undefined

from loancrm.kernel.security import masking

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _money(value: Any) -> str:
    """Show an amount in yuan, with fen only where there are any: 50000 -> ¥50,000."""
    amount = Decimal(str(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return "¥" + f"{amount:,.2f}".removesuffix(".00")


def _percent(value: Any) -> str:
    """Show a fraction as a percentage with at most two decimals: 0.072 -> 7.2%."""
    shown = (Decimal(str(value)) * 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"{shown:f}".rstrip("0").rstrip(".") + "%"


def _date(language: str) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        day = date.fromisoformat(value) if isinstance(value, str) else value
        if language.startswith("zh"):
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    return show


def _default(value: Any, fallback: Any, _even_if_empty: object = None) -> Any:
    """Stand in for a missing or empty value; Jinja2's second argument is accepted and implied."""
    return fallback if isinstance(value, Undefined) or value == "" else value


def filters_for(language: str) -> dict[str, Callable[..., Any]]:
    """Return the filters that a text in a language may use, by name."""
    return {
        "capitalize": lambda value: str(value).capitalize(),
        "date": _date(language),
        "default": _default,
        "lower": lambda value: str(value).lower(),
        "mask": lambda value: masking.mask_name(str(value)),
        "mask_phone": lambda value: masking.mask_phone(str(value)),
        "money": _money,
        "percent": _percent,
        "trim": lambda value: str(value).strip(),
        "upper": lambda value: str(value).upper(),
    }
