"""Long tests first, so that at the end of a run no worker is left alone with one."""

from collections.abc import Callable
from typing import TypeVar

import pytest

Item = TypeVar("Item")
# What a test that starts processes or a browser takes, where it does not say more.
_USUAL_SECONDS = 60


def seconds_granted(item: pytest.Item) -> float:
    """Return how long a test may take, none for one that starts nothing."""
    if (limit := item.get_closest_marker("timeout")) is not None:
        return float(limit.args[0])
    starts = ("slow", "e2e")
    return _USUAL_SECONDS if any(item.get_closest_marker(name) for name in starts) else 0.0


def long_first(items: list[Item], workers: int, length: Callable[[Item], float]) -> list[Item]:
    """Return tests in the order in which each worker begins with its longest ones.

    A run hands every worker a share of one piece, and who is done takes tests from the end of
    another's share. No test changes its share: those of one kind, which stand together, do not come
    to run beside each other by this.
    """
    ordered: list[Item] = []
    for left in range(workers, 0, -1):
        begin = len(ordered)
        share = items[begin : begin + (len(items) - begin) // left]
        ordered += sorted(share, key=length, reverse=True)
    return ordered
