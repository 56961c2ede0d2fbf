"""Who is working on a batch, how far it is, and what people ask of it meanwhile.

The batch's row carries all of it: a worker that dies leaves a claim that runs out, and the next one
goes on from the last committed page. A worker that was only slow finds its key replaced and stops.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Final
from uuid import uuid4

from django.db import DatabaseError, connection
from django.db.models import Q

from customers.models import ImportBatch, ImportState, ImportWish
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

logger = logging.getLogger(__name__)
# Several times within a claim, so that one failure costs nothing.
_RENEW_SECONDS: Final = 30.0
_GRACE_SECONDS: Final = 240.0
CLAIM: Final = timedelta(seconds=120)
WORKING: Final = (
    ImportState.QUEUED,
    ImportState.STAGING,
    ImportState.MATCHING,
    ImportState.APPLYING,
    ImportState.UNDOING,
)


class RunLost(LoanCrmError):
    """Another worker has taken the batch over."""

    code = "import_run_lost"


class RunInterrupted(Exception):
    """The run ends before its end; `wish` says why, and is empty when its time is up."""

    def __init__(self, wish: ImportWish) -> None:
        """Keep the wish."""
        super().__init__(wish.value)
        self.wish = wish


@dataclass(slots=True)
class Run:
    """One worker's hold on a batch.

    Attributes:
        started_at: When the run began; later times are counted from there.
        seconds: How long it may last; None for as long as it takes.
    """

    batch_id: int
    started_at: datetime
    key: str = field(default_factory=lambda: uuid4().hex)
    seconds: float | None = None
    _start: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return the time that the run has reached."""
        return self.started_at + timedelta(seconds=time.monotonic() - self._start)

    def claim(self, states: Collection[ImportState] = WORKING) -> bool:
        """Take the batch unless it is held by a living worker or rests; return whether it is."""
        free = Q(run_key="") | Q(run_until__lt=Moment()) | Q(run_until__isnull=True)
        batches = ImportBatch.objects.filter(free, pk=self.batch_id, state__in=list(states))
        return bool(
            batches.update(run_key=self.key, run_until=Moment(CLAIM.total_seconds()), problem="")
        )

    def keep(self, **fields: Any) -> None:
        """Store progress and renew the claim, in the caller's transaction if there is one.

        Raises:
            RunLost: The batch is another worker's by now.
        """
        held = ImportBatch.objects.filter(pk=self.batch_id, run_key=self.key)
        if not held.update(run_until=Moment(CLAIM.total_seconds()), **fields):
            raise RunLost(_("Another worker has taken over this import."), batch_id=self.batch_id)

    def pause_point(self) -> None:
        """Stop here if somebody asked for it or the time is up; call it between transactions.

        Raises:
            RunInterrupted: The run must end.
            RunLost: The batch is another worker's by now.
        """
        self.keep()
        wish = ImportBatch.objects.values_list("wish", flat=True).get(pk=self.batch_id)
        if wish:
            raise RunInterrupted(ImportWish(wish))
        if self.seconds is not None and time.monotonic() - self._start > self.seconds:
            raise RunInterrupted(ImportWish.NONE)

    def give_up(self, **fields: Any) -> None:
        """Give the batch back with what became of it, if the database still takes it.

        Where it does not, the claim runs out by itself and the batch is found later.
        """
        try:
            self.release(**fields)
        except DatabaseError:
            logger.warning("import not given back", extra={"batch_id": self.batch_id})

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renew the claim meanwhile: a single step may take longer than a claim lasts.

        It ends when the run's time is long over, so that a step without end loses its claim.
        """
        over = Event()
        renewer = Thread(target=self._renew, args=(over,), name="import claim", daemon=True)
        renewer.start()
        try:
            yield
        finally:
            over.set()
            renewer.join()

    def _renew(self, over: Event) -> None:
        try:
            while not over.wait(_RENEW_SECONDS):
                if self.seconds is not None and self._lasted() > self.seconds + _GRACE_SECONDS:
                    return
                held = ImportBatch.objects.filter(pk=self.batch_id, run_key=self.key)
                held.update(run_until=Moment(CLAIM.total_seconds()))
        except DatabaseError:
            logger.warning("claim not renewed", extra={"batch_id": self.batch_id})
        finally:
            connection.close()

    def _lasted(self) -> float:
        return time.monotonic() - self._start

    def release(self, **fields: Any) -> None:
        """Give the batch back."""
        held = ImportBatch.objects.filter(pk=self.batch_id, run_key=self.key)
        held.update(run_key="", run_until=None, **fields)
