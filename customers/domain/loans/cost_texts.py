"""The sentence that tells what a loan costs all in, in the language of a text."""

from collections.abc import Sequence
from decimal import Decimal

_HUNDREDTH = Decimal("0.01")


def cost_text(
    cost: Decimal, *, language: str, included: Sequence[str], contingent: Sequence[str]
) -> str:
    """Return the cost with its convention and its fees, those that may never come apart.

    Args:
        cost: All-in, a share a year; told to two decimals of a percent.
        language: `zh-hans` or `en`.
        included: Names of the fees in it.
        contingent: Names of the fees that are charged only if something happens.
    """
    percent = (cost * 100).quantize(_HUNDREDTH)
    if language == "en":
        parts = ["simple annual rate"]
        if included:
            parts.append(f"with {', '.join(included)}")
        if contingent:
            parts.append(f"only if it applies: {', '.join(contingent)}")
        return f"all-in cost {percent}% a year ({'; '.join(parts)})"
    parts = ["单利"]
    if included:
        parts.append(f"含{'、'.join(included)}")
    if contingent:
        parts.append(f"仅在发生时另收{'、'.join(contingent)}")
    return f"年化综合融资成本{percent}%（{'，'.join(parts)}）"
