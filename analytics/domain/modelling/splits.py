"""Which rows a model learns from, and which it is measured on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


class TooFewRowsError(ValueError):
    """A part of the data would have no events or no non-events."""


def stratified_split(outcome: npt.NDArray[Any], *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return the positions to learn from and to test on, outcomes in the same proportion.

    They are exactly those of scikit-learn's `train_test_split(stratify=…, random_state=seed)`.

    Raises:
        TooFewRowsError: An outcome has fewer than two rows, or a part would be empty.
    """
    # Loaded here: a web process that only scores never pays for it.
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    try:
        learned, tested = train_test_split(
            np.arange(len(outcome)), test_size=share, stratify=outcome, random_state=seed
        )
    except ValueError as error:
        raise TooFewRowsError(str(error)) from error
    return learned, tested


def time_split(times: npt.NDArray[Any], *, share: float) -> tuple[Rows, Rows]:
    """Return the positions before and after a moment: the last share of the rows is the test.

    Rows of one moment stay together, so the test is never larger than the share.

    Raises:
        TooFewRowsError: All rows are of one moment, or too many of the last.
    """
    ordered = np.sort(times)
    cut = min(len(ordered) - 1, int(np.ceil(len(ordered) * (1 - share))))
    first = ordered[cut]
    if cut and ordered[cut - 1] == first:
        later = ordered[ordered > first]
        if not len(later):
            raise TooFewRowsError
        first = later[0]
    is_test = times >= first
    if is_test.all() or not is_test.any():
        raise TooFewRowsError
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def folds(outcome: npt.NDArray[Any], *, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield positions to learn from and the rest, `count` times, outcomes in proportion."""
    rng = np.random.default_rng(seed)
    at = np.empty(len(outcome), dtype=np.intp)
    for value in np.unique(outcome):
        chosen = rng.permutation(np.flatnonzero(outcome == value))
        at[chosen] = np.arange(len(chosen)) % count
    for number in range(count):
        yield np.flatnonzero(at != number), np.flatnonzero(at == number)
