"""How alike two texts are: edit distance and Jaro-Winkler."""

from __future__ import annotations

from typing import Final

from rapidfuzz.distance import OSA, Jaro, Prefix

_PREFIX_WEIGHT: Final = 0.1
_PREFIX_CHARS: Final = 4


def jaro_winkler(one: str, other: str) -> float:
    """Return the likeness of two texts, 0 (nothing shared) to 1 (equal).

    Source: Winkler, "String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter
    Model of Record Linkage" (1990), prefix weight 0.1 over at most four characters.
    """
    # RapidFuzz has the later form, where a prefix counts above a likeness of 0.7 only; Chinese
    # names of two characters that share the first one lie below that.
    jaro = Jaro.similarity(one, other)
    prefix = min(Prefix.similarity(one, other), _PREFIX_CHARS)
    return jaro + prefix * _PREFIX_WEIGHT * (1 - jaro)


def edits(one: str, other: str) -> int:
    """Return how many insertions, deletions, substitutions or swaps of neighbours lie between.

    Source: optimal string alignment, the restricted form of Damerau's distance (1964).
    """
    return OSA.distance(one, other)
