"""How often Python looks for objects that only point at each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNG_OBJECTS: Final = 200_000


@contextmanager
def few_collections() -> Iterator[None]:
    """Let the collector rest while rows come and go by the thousand.

    Rows hold no cycles and go as soon as their page is done; looking for cycles after every 700 new
    objects, through all that the program holds, took a third of an import's time.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(_YOUNG_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
