"""One run of a piece of long work, from its claim to whatever ends it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from django.db import DatabaseError, InterfaceError

from loancrm.kernel.database.errors import PASSING, Trouble, trouble_of, words_of
from loancrm.kernel.database.reconnecting import persist
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import RequestedAction
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work.claims import ClaimLost, WorkClaim, WorkInterrupted, claim

logger = logging.getLogger(__name__)
# A session that was lost is begun anew; a server that is away for longer lets the lease run out.
_RECONNECT_SECONDS: Final = 5.0


def execute(
    *,
    work_id: int,
    perform: Callable[[WorkClaim], None],
    now: datetime,
    seconds: float | None = None,
) -> bool:
    """Do work that is free in one run; return whether it was free.

    For kinds that leave nothing behind when they stop: what is refused fails with its reason, what
    somebody asked for happens, what a passing trouble of the database stopped waits.

    Args:
        perform: Does the work and ends its claim by `finish`, together with what it found.
        now: Time at which the run begins.
        seconds: How long the run may last; None for as long as it takes.
    """
    held = claim(work_id, now=now, seconds=seconds)
    if held is None:
        return False
    with suppress(ClaimLost):
        _run(held, perform)
    return True


def _run(held: WorkClaim, perform: Callable[[WorkClaim], None]) -> None:
    try:
        with held.renewing():
            held.raise_if_requested()
            held.refuse_standstill()
            perform(held)
    except WorkInterrupted as stop:
        _rest(held, stop.action)
    except ClaimLost:
        logger.info("work taken over by another worker", extra={"work_id": held.work_id})
    except LoanCrmError as error:
        _give_back(held, partial(held.fail, error.message))
    except Exception as error:
        trouble = trouble_of(error)
        with suppress(ClaimLost, DatabaseError, InterfaceError):
            if trouble in PASSING:
                release_after(trouble, held.release)
            else:
                _give_back(held, partial(held.fail, _("An error occurred; see the log.")))
        if trouble not in PASSING:
            raise
        # The database's own words may quote rows.
        logger.error(  # noqa: TRY400
            "work waits", extra={"work_id": held.work_id, "reason": trouble.value}
        )


def release_after(trouble: Trouble, release: Callable[..., None]) -> None:
    """Give work back that a trouble of the database has stopped, by a new session where need be.

    Raises:
        ClaimLost: The work is another worker's by now.
        DatabaseError, InterfaceError: The trouble stays; the lease will run out.
    """
    persist(partial(release, last_error=words_of(trouble)), seconds=_RECONNECT_SECONDS)


def _rest(held: WorkClaim, action: RequestedAction) -> None:
    match action:
        case RequestedAction.PAUSE:
            _give_back(held, held.pause)
        case RequestedAction.CANCEL:
            held.cancel()
        case RequestedAction.NONE:
            held.release()


def _give_back(held: WorkClaim, end: Callable[[], None]) -> None:
    """End the run in a way, or as cancelled where somebody has asked for that meanwhile."""
    try:
        end()
    except WorkInterrupted:
        held.cancel()
