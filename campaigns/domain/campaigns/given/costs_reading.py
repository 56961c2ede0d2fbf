"""Money spent beside the messages, as a file or a form gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campaigns.domain.campaigns.given.problems import ValueProblemCode
from campaigns.domain.campaigns.given.reader import Reader

LONGEST_NOTE = 200
COST_CATEGORIES = ("media", "incentive", "commission", "staff", "data", "tooling")


@dataclass(frozen=True, slots=True)
class CostSpec:
    """Money spent beside the messages."""

    category: str
    amount: Decimal
    note: str = ""


def read_costs(source: Mapping[str, Any], read: Reader) -> tuple[CostSpec, ...]:
    """Return the costs; what cannot be read is noted, item by item."""
    costs: list[CostSpec] = []
    listed = source.get("costs") or ()
    if not isinstance(listed, list | tuple):
        read.wrong("costs", ValueProblemCode.LIST_EXPECTED)
        return ()
    for index, item in enumerate(listed):
        path = f"costs[{index}]"
        known = read.mapping(item, path)
        category = str(known.get("category", ""))
        if category not in COST_CATEGORIES:
            read.wrong(f"{path}.category", ValueProblemCode.ONE_OF, ", ".join(COST_CATEGORIES))
        amount = read.number(known, "amount", f"{path}.amount", None)
        read.field("budget_amount", amount, f"{path}.amount")
        if amount is None:
            read.wrong(f"{path}.amount", ValueProblemCode.NUMBER_EXPECTED)
            amount = Decimal(0)
        note = read.text(known, "note", f"{path}.note")
        if len(note) > LONGEST_NOTE:
            read.wrong(f"{path}.note", ValueProblemCode.TOO_LONG, str(LONGEST_NOTE))
        costs.append(CostSpec(category=category, amount=amount, note=note))
    return tuple(costs)
