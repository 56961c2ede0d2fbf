"""Storing what must not be lost although the database was away, full or closed for writing."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from loancrm.kernel.database.errors import PASSING, trouble_of

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0


def persist(action: Callable[[], _T], *, seconds: float) -> _T:
    """Run an action that is safe to run twice; on a passing trouble connect again and repeat it.

    Args:
        action: Opens its own transaction. It may have been committed although its session ended
            before it was told.
        seconds: For how long to go on trying.

    Raises:
        DatabaseError, InterfaceError: The trouble stayed or is of another kind, or the caller has a
            transaction open, which is lost as a whole.
    """
    ends = time.monotonic() + seconds
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return action()
        except (DatabaseError, InterfaceError) as error:
            if (
                not _is_passing(error)
                or connection.in_atomic_block
                or time.monotonic() + wait > ends
            ):
                raise
            logger.warning("database cannot be written", extra={"error": type(error).__name__})
            connection.close()
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def _is_passing(error: Exception) -> bool:
    """Return whether the same may go well a moment later: also after a deadlock."""
    trouble = trouble_of(error)
    if trouble is None:
        return isinstance(error, OperationalError | InterfaceError)
    return trouble in PASSING
