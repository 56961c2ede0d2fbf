"""How far money goes over messages in their order."""

from collections.abc import Sequence
from decimal import Decimal


def affordable(costs: Sequence[Decimal], room: Decimal) -> tuple[int, Decimal]:
    """Return how many messages in their order fit, and what they cost; the first too dear ends it.

    Args:
        room: What is left to be spent.
    """
    total = Decimal(0)
    for count, cost in enumerate(costs):
        if total + cost > room:
            return count, total
        total += cost
    return len(costs), total
