"""How alike two texts are: edit distance and Jaro-Winkler, written over the standard library."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_PREFIX_WEIGHT: Final = 0.1
_PREFIX_CHARS: Final = 4
_CACHED: Final = 1 << 17


@lru_cache(maxsize=_CACHED)
def jaro_winkler(one: str, other: str) -> float:
    """Return the likeness of two texts, 0 (nothing shared) to 1 (equal).

    Source: Winkler, "String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter
    Model of Record Linkage" (1990), prefix weight 0.1 over at most four characters.
    """
    if one == other:
        return 1.0
    jaro = _jaro(one, other)
    prefix = 0
    for left, right in zip(one[:_PREFIX_CHARS], other[:_PREFIX_CHARS], strict=False):
        if left != right:
            break
        prefix += 1
    return jaro + prefix * _PREFIX_WEIGHT * (1 - jaro)


@lru_cache(maxsize=_CACHED)
def edits(one: str, other: str) -> int:
    """Return how many insertions, deletions, substitutions or swaps of neighbours lie between.

    Source: optimal string alignment, the restricted form of Damerau's distance (1964).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        before, previous, row = row, before, [i]
        for j, right in enumerate(other, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, previous[j - 2] + 1)
            row.append(best)
    return row[-1]


def _jaro(one: str, other: str) -> float:
    if not one or not other:
        return 0.0
    reach = max(0, max(len(one), len(other)) // 2 - 1)
    taken = [False] * len(other)
    found = []
    for i, char in enumerate(one):
        for j in range(max(0, i - reach), min(len(other), i + reach + 1)):
            if not taken[j] and other[j] == char:
                taken[j] = True
                found.append(char)
                break
    if not found:
        return 0.0
    there = [char for char, is_taken in zip(other, taken, strict=True) if is_taken]
    swaps = sum(left != right for left, right in zip(found, there, strict=True)) / 2
    shared = len(found)
    return (shared / len(one) + shared / len(other) + (shared - swaps) / shared) / 3
