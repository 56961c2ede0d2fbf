"""Searches for duplicates that a person starts and a worker carries out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Q

from customers import jobs
from customers.models import DuplicateSearch, SearchState
from customers.services.identity import merging
from customers.services.identity.duplicates import DuplicateReport, find_duplicates
from loancrm.kernel import access
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.row_holds import WorkTakenOver, take_row
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.words.phrases import gettext as _

LIMIT: Final = 200_000
# A worker tells something every few seconds; after so long without a word it is gone.
SILENCE: Final = timedelta(minutes=15)
# Whoever was begun anew for so long never ends.
GIVEN_UP: Final = timedelta(hours=12)
_SEED: Final = 1
_OPEN: Final = (SearchState.QUEUED, SearchState.RUNNING)


class SearchRunning(LoanCrmError):
    """Another search for duplicates is not over yet."""

    code = "duplicate_search_running"


def start(*, actor: Actor, now: datetime, limit: int = LIMIT) -> DuplicateSearch:
    """Let a worker look through the customers changed last; it proposes and merges nobody.

    A search whose worker was not heard of for a quarter of an hour is given up first.

    Raises:
        PermissionRefused: The actor may not merge customers.
        SearchRunning: There is one already.
    """
    access.require(actor, merging.PERMISSION)
    silent = DuplicateSearch.objects.filter(
        state__in=_OPEN, heard_at__lt=Moment(-SILENCE.total_seconds())
    )
    silent.update(state=SearchState.FAILED, problem=_("The worker was lost."), finished_at=now)
    try:
        with transaction.atomic():
            search = DuplicateSearch.objects.create(
                limit=limit, actor_label=actor.label, created_at=now, heard_at=shared_clock.now()
            )
            audit.record(
                actor=actor,
                action="customers.search_duplicates",
                object_type="customers.DuplicateSearch",
                object_id=search.pk,
                now=now,
                facts={"limit": limit},
            )
            enqueue(jobs.FIND_DUPLICATES, search_id=int(search.pk))
    except IntegrityError as error:
        raise SearchRunning(_("A search for duplicates is running already.")) from error
    return search


def wake(*, now: datetime) -> int:
    """Begin searches anew whose worker was not heard of; give up those that are too old.

    Returns:
        How many were begun anew.
    """
    silent = DuplicateSearch.objects.filter(
        state__in=_OPEN, heard_at__lt=Moment(-SILENCE.total_seconds())
    )
    silent.filter(created_at__lt=now - GIVEN_UP).update(
        state=SearchState.FAILED, problem=_("The worker was lost."), finished_at=now
    )
    ids = list(silent.values_list("pk", flat=True))
    for search_id in ids:
        with transaction.atomic():
            waiting = silent.filter(pk=search_id)
            if waiting.update(state=SearchState.QUEUED, heard_at=Moment(), step="", done_count=0):
                enqueue(jobs.FIND_DUPLICATES, search_id=int(search_id))
    return len(ids)


def run(*, search_id: int, read_clock: Callable[[], datetime], today: date) -> None:
    """Carry a search out, once; a second call for the same one does nothing.

    A worker that was silent for so long that another has begun anew ends at its next word.
    """
    search = DuplicateSearch.objects.filter(pk=search_id)
    hold = take_row(
        search,
        free=Q(state=SearchState.QUEUED),
        values={"state": SearchState.RUNNING},
        heard_field="heard_at",
    )
    if hold is None:
        return

    def tell(step: str, done: int, total: int) -> None:
        hold.write({"step": step, "done_count": done, "total_count": total})

    def finish(report: DuplicateReport) -> None:
        hold.write(
            {
                "state": SearchState.DONE,
                "compared_count": report.compared,
                "proposed_count": report.proposed,
                "finished_at": read_clock(),
            }
        )

    try:
        find_duplicates(
            actor=system_actor(f"job:{jobs.FIND_DUPLICATES.name}"),
            limit=search.values_list("limit", flat=True).get(),
            is_merging_sure=False,
            rng=np.random.default_rng(_SEED),
            now=read_clock(),
            today=today,
            on_progress=tell,
            finish=finish,
        )
    except WorkTakenOver:
        return
    except Exception:
        with suppress(WorkTakenOver):
            hold.write(
                {
                    "state": SearchState.FAILED,
                    "problem": _("An error occurred; see the log."),
                    "finished_at": read_clock(),
                }
            )
        raise
