"""Storing what must not be lost although the database session was cut."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0


def persist(action: Callable[[], _T], *, seconds: float) -> _T:
    """Run an action that is safe to run twice; on a lost session connect again and repeat it.

    Args:
        action: Opens its own transaction. It may have been committed although its session ended
            before it was told.
        seconds: For how long to go on trying.

    Raises:
        OperationalError, InterfaceError: The database stayed away, or the caller has a transaction
            open, which is lost as a whole.
    """
    ends = time.monotonic() + seconds
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() + wait > ends:
                raise
            logger.warning("database session lost", extra={"error": type(error).__name__})
            connection.close()
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
