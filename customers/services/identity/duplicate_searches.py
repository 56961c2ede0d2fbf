"""Searches for duplicates that a person starts and a worker does."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import numpy as np

from customers import jobs, labels
from customers.models import DuplicateSearch
from customers.services.identity import merging
from customers.services.identity.duplicates import DuplicateReport, find_duplicates
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute

LIMIT: Final = 200_000
_SEED: Final = 1


class SearchRunning(LoanCrmError):
    """Another search for duplicates is not over yet."""

    code = "duplicate_search_running"


def start(*, actor: Actor, now: datetime, limit: int = LIMIT) -> DuplicateSearch:
    """Let a worker look through the customers changed last; it proposes and merges nobody.

    Raises:
        PermissionRefused: The actor may not merge customers.
        SearchRunning: There is one already.
    """
    act = acting(actor, merging.PERMISSION, now=now)
    try:
        with act:
            work = works.start(
                kind=jobs.DUPLICATE_SEARCH,
                actor=actor,
                now=now,
                exclusive_key=jobs.DUPLICATE_SEARCH,
            )
            search = DuplicateSearch.objects.create(work=work, limit=limit)
            act.record("customers.search_duplicates", on=search, facts={"limit": limit})
    except works.WorkOpenAlready as error:
        raise SearchRunning(_("A search for duplicates is running already.")) from error
    return search


def run(*, work_id: int, now: datetime, today: date) -> None:
    """Do a search; nothing when it is in hand or over.

    What it proposes is written in one transaction with its end: a worker that died has left
    nothing, and the search is done from the beginning.
    """

    def perform(claim: WorkClaim) -> None:
        def save_progress(step: str, done: int, total: int) -> None:
            in_words = labels.SEARCH_STEPS.phrase(step)
            claim.save_progress(step=in_words, done_count=done, total_count=total)
            claim.raise_if_requested()

        def finish(report: DuplicateReport) -> None:
            claim.finish()
            DuplicateSearch.objects.filter(work_id=work_id).update(
                compared_count=report.compared,
                proposed_count=report.proposed,
                skipped_count=report.skipped,
            )

        find_duplicates(
            actor=system_actor(f"job:{jobs.FIND_DUPLICATES.name}"),
            limit=DuplicateSearch.objects.values_list("limit", flat=True).get(work_id=work_id),
            is_merging_sure=False,
            rng=np.random.default_rng(_SEED),
            now=now,
            today=today,
            on_progress=save_progress,
            finish=finish,
        )

    execute(work_id=work_id, perform=perform, now=now)
