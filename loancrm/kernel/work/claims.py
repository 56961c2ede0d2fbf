"""One worker's claim on a piece of long work: written about only while it is held.

A worker that dies leaves a lease that runs out by the database's clock, and the next one goes on
from the checkpoint. A worker that was only slow finds its claim lost at its next word and stops.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final
from uuid import uuid4

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet

from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import RequestedAction, Work, WorkState
from loancrm.kernel.words.phrases import gettext as _

logger = logging.getLogger(__name__)
LEASE_SECONDS: Final = 120.0
MAX_ATTEMPTS: Final = 5
# Several times within a lease, and within the minute after which work counts as stuck.
_RENEW_SECONDS: Final = 20.0
# A sign of life of the last page is one for the next too, unless pages take long.
_FRESH_SECONDS: Final = 5.0
# After its time a run has this long to come to its next page.
_GRACE_SECONDS: Final = 240.0
_UNHELD: Final[Mapping[str, Any]] = {"holder": "", "lease_until": None}


class ClaimLost(LoanCrmError):
    """Another worker has the work: this one was silent for too long."""

    code = "work_claim_lost"

    def __init__(self) -> None:
        """Word it."""
        super().__init__(_("Another worker has taken this work over."))


class NoProgress(LoanCrmError):
    """Several attempts in a row got no further."""

    code = "work_no_progress"

    def __init__(self) -> None:
        """Word it."""
        text = _("It was begun %(attempts)s times and got no further; nothing more is tried.")
        super().__init__(text % {"attempts": MAX_ATTEMPTS})


class WorkInterrupted(Exception):
    """The run ends before its end; `action` says why, and is `NONE` when its time is up."""

    def __init__(self, action: RequestedAction) -> None:
        """Keep what was asked for."""
        super().__init__(action.value)
        self.action = action


def free(states: Collection[WorkState] = (WorkState.WAITING,)) -> Q:
    """Return which work may be claimed: what rests in one of these states, and what was left."""
    is_abandoned = Q(state=WorkState.RUNNING, lease_until__lt=Moment())
    return Q(state__in=[state.value for state in states]) | is_abandoned


def claim(
    work_id: int,
    *,
    now: datetime,
    seconds: float | None = None,
    states: Collection[WorkState] = (WorkState.WAITING,),
) -> WorkClaim | None:
    """Take work that is free; None when it is not, or another was faster.

    Args:
        now: Time at which the run begins.
        seconds: How long the run may last; None for as long as it takes.
        states: In which it may be taken, beside what another worker left.
    """
    taken = WorkClaim(work_id, now, seconds)
    found = Work.objects.filter(free(states), pk=work_id).update(
        state=WorkState.RUNNING,
        holder=taken.holder,
        lease_until=Moment(LEASE_SECONDS),
        heartbeat_at=Moment(),
        progress_at=Moment(),
        attempts=F("attempts") + 1,
        started_at=now,
        finished_at=None,
        last_error="",
    )
    return taken if found else None


def _signs() -> dict[str, Any]:
    """Return what every word of a holder writes: a sign of life."""
    return {"heartbeat_at": Moment(), "lease_until": Moment(LEASE_SECONDS)}


def _further() -> dict[str, Any]:
    """Return what is written when the run got on; the thread that renews the lease never says so.

    A step that hangs goes on giving signs of life.
    """
    return {"progress_at": Moment()}


def _ended(state: WorkState) -> dict[str, Any]:
    """Return what work is like that rests in a state: held by nobody, asked for nothing."""
    requested = {"requested_action": RequestedAction.NONE}
    return {**_signs(), "state": state, **requested, **_UNHELD}


def _new_holder() -> str:
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex}"


@dataclass(slots=True)
class WorkClaim:
    """The right to write about a piece of work.

    Attributes:
        started_at: When the run began; later times are counted from there.
        seconds: How long it may last; None for as long as it takes.
    """

    work_id: int
    started_at: datetime
    seconds: float | None = None
    holder: str = field(default_factory=_new_holder)
    _start: float = field(default_factory=time.monotonic)
    _signed_at: float = -math.inf

    def now(self) -> datetime:
        """Return the time that the run has reached."""
        return self.started_at + timedelta(seconds=self._lasted())

    def renew(self) -> None:
        """Give a sign of life.

        Raises:
            ClaimLost: The work is another worker's by now.
        """
        self._write({})

    def save_progress(self, **values: Any) -> None:
        """Store how far the work is, in the caller's transaction if there is one.

        Raises:
            ClaimLost: Nothing was stored; the caller's transaction must not be kept either.
        """
        self._write(_further() | values)

    def save_checkpoint(
        self, checkpoint: Mapping[str, Any], *, is_further: bool = True, **values: Any
    ) -> None:
        """Store from where the next attempt goes on.

        Args:
            is_further: The work got on since the last one: attempts are counted anew from here.

        Raises:
            ClaimLost: Nothing was stored; the caller's transaction must not be kept either.
        """
        anew = {"attempts": 0} if is_further else {}
        self._write({"checkpoint": dict(checkpoint), **_further(), **anew, **values})

    def raise_if_requested(self) -> None:
        """Stop here if somebody asked for it or the time is up; call it between transactions.

        A sign of life too, where the last one is not fresh: it would commit, and so wait for the
        disk, once more for every page.

        Raises:
            WorkInterrupted: The run must end.
            ClaimLost: The work is another worker's by now.
        """
        if time.monotonic() - self._signed_at > _FRESH_SECONDS:
            self.renew()
        held = list(self._held().values_list("requested_action", flat=True))
        if not held:
            raise ClaimLost
        if held[0]:
            raise WorkInterrupted(RequestedAction(held[0]))
        if self.seconds is not None and self._lasted() > self.seconds:
            raise WorkInterrupted(RequestedAction.NONE)

    def refuse_standstill(self) -> None:
        """Refuse an attempt after several that have got no further: it would not either.

        Raises:
            NoProgress: There were that many.
        """
        if Work.objects.values_list("attempts", flat=True).get(pk=self.work_id) > MAX_ATTEMPTS:
            raise NoProgress

    def finish(self, **values: Any) -> None:
        """Give the work back as done.

        In the transaction that writes what was found, so that of cancelled work nothing stays.

        Raises:
            WorkInterrupted: Somebody has asked to cancel it.
            ClaimLost: The work is another worker's by now.
        """
        self._end(WorkState.DONE, **{"finished_at": self.now(), **values})

    def fail(self, error: str, **values: Any) -> None:
        """Give the work back as failed, with the reason in words.

        Raises:
            WorkInterrupted: Somebody has asked to cancel it.
            ClaimLost: The work is another worker's by now.
        """
        self._end(WorkState.FAILED, last_error=error, finished_at=self.now(), **values)

    def pause(self, **values: Any) -> None:
        """Give the work back as paused, as somebody asked for.

        Raises:
            WorkInterrupted: Somebody has asked to cancel it since.
            ClaimLost: The work is another worker's by now.
        """
        self._end(WorkState.PAUSED, **values)

    def cancel(self, **values: Any) -> None:
        """Give the work back as cancelled, as somebody asked for.

        Raises:
            ClaimLost: The work is another worker's by now.
        """
        self._write(_ended(WorkState.CANCELLED) | {"finished_at": self.now(), **values})

    def release(self, **values: Any) -> None:
        """Give the work back for another worker to go on; who stops in order has not failed.

        Raises:
            ClaimLost: The work is another worker's by now.
        """
        self._write({"state": WorkState.WAITING, **_UNHELD, "attempts": 0, **values})

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Give signs of life meanwhile: a single step may take longer than a lease lasts.

        It ends when the run's time is long over, so that a step without end loses its claim.
        """
        over = Event()
        renewer = Thread(target=self._renew, args=(over,), name="work lease", daemon=True)
        renewer.start()
        try:
            yield
        finally:
            over.set()
            renewer.join()

    def _renew(self, over: Event) -> None:
        while not over.wait(_RENEW_SECONDS):
            if self.seconds is not None and self._lasted() > self.seconds + _GRACE_SECONDS:
                return
            try:
                self.renew()
            except ClaimLost:
                return
            except DatabaseError:
                logger.warning("lease not renewed", extra={"work_id": self.work_id})
            finally:
                connection.close()

    def _end(self, state: WorkState, **values: Any) -> None:
        """End the run, unless the work is to be cancelled: nobody who was told so is disappointed.

        A request to pause is overtaken by an end.
        """
        to_cancel = Q(requested_action=RequestedAction.CANCEL)
        if self._held().exclude(to_cancel).update(**{**_ended(state), **values}):
            return
        if self._held().filter(to_cancel).exists():
            raise WorkInterrupted(RequestedAction.CANCEL)
        raise ClaimLost

    def _write(self, values: Mapping[str, Any]) -> None:
        """Write while the claim is held, and give a sign of life."""
        if not self._held().update(**{**_signs(), **values}):
            raise ClaimLost
        # Where the caller's transaction is rolled back, the sign is as old as its beginning.
        self._signed_at = time.monotonic()

    def _held(self) -> QuerySet[Work]:
        return Work.objects.filter(pk=self.work_id, holder=self.holder, state=WorkState.RUNNING)

    def _lasted(self) -> float:
        return time.monotonic() - self._start
