"""Who is working on a batch, how far it is, and what people ask of it meanwhile.

The batch's row carries all of it: a worker that dies leaves a claim that runs out, and the next one
goes on from the last committed page. A worker that was only slow finds its key replaced and stops.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db.models import Q
from django.utils.translation import gettext as _

from customers.models import ImportBatch, ImportState, ImportWish
from loancrm.kernel.errors import LoanCrmError

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
        now = self.now()
        free = Q(run_key="") | Q(run_until__lt=now) | Q(run_until__isnull=True)
        batches = ImportBatch.objects.filter(free, pk=self.batch_id, state__in=list(states))
        return bool(batches.update(run_key=self.key, run_until=now + CLAIM))

    def keep(self, **fields: Any) -> None:
        """Store progress and renew the claim, in the caller's transaction if there is one.

        Raises:
            RunLost: The batch is another worker's by now.
        """
        held = ImportBatch.objects.filter(pk=self.batch_id, run_key=self.key)
        if not held.update(run_until=self.now() + CLAIM, **fields):
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

    def release(self, **fields: Any) -> None:
        """Give the batch back."""
        held = ImportBatch.objects.filter(pk=self.batch_id, run_key=self.key)
        held.update(run_key="", run_until=None, **fields)
