"""Searches for duplicates that a person starts and a worker carries out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers import jobs
from customers.models import DuplicateSearch, SearchState
from customers.services import merging
from customers.services.duplicates import find_duplicates
from loancrm.kernel import access, audit, database_clock
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.database_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

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
    silent.update(state=SearchState.FAILED, problem=str(_("The worker was lost.")), finished_at=now)
    try:
        with transaction.atomic():
            search = DuplicateSearch.objects.create(
                limit=limit, actor_label=actor.label, created_at=now, heard_at=database_clock.now()
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
        state=SearchState.FAILED, problem=str(_("The worker was lost.")), finished_at=now
    )
    ids = list(silent.values_list("pk", flat=True))
    for search_id in ids:
        with transaction.atomic():
            waiting = silent.filter(pk=search_id)
            if waiting.update(state=SearchState.QUEUED, heard_at=Moment(), step="", done_count=0):
                enqueue(jobs.FIND_DUPLICATES, search_id=int(search_id))
    return len(ids)


def run(*, search_id: int, read_clock: Callable[[], datetime], today: date) -> None:
    """Carry a search out, once; a second call for the same one does nothing."""
    search = DuplicateSearch.objects.filter(pk=search_id)
    waiting = search.filter(state=SearchState.QUEUED)
    if not waiting.update(state=SearchState.RUNNING, heard_at=Moment()):
        return

    def tell(step: str, done: int, total: int) -> None:
        search.update(step=step, done_count=done, total_count=total, heard_at=Moment())

    try:
        report = find_duplicates(
            actor=system_actor(f"job:{jobs.FIND_DUPLICATES.name}"),
            limit=search.values_list("limit", flat=True).get(),
            is_merging_sure=False,
            rng=np.random.default_rng(_SEED),
            now=read_clock(),
            today=today,
            on_progress=tell,
        )
    except Exception:
        search.update(
            state=SearchState.FAILED,
            problem=str(_("An error occurred; see the log.")),
            finished_at=read_clock(),
        )
        raise
    search.update(
        state=SearchState.DONE,
        compared_count=report.compared,
        proposed_count=report.proposed,
        finished_at=read_clock(),
    )
