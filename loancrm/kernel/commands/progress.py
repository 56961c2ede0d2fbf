"""A progress bar on standard error, silent where nobody looks."""

import sys
from typing import Any

from tqdm import tqdm


def bar(*, total: int | None, description: str, unit: str = "row") -> "tqdm[Any]":
    """Return a progress bar that is drawn on a terminal only."""
    return tqdm(
        total=total,
        desc=description,
        unit=unit,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
    )
