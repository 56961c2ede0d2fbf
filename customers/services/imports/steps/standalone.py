"""Third pass, first part: rows that share nothing with another row of their file.

What becomes of such a row depends on no other, so PostgreSQL applies them by itself, thousands in
one statement and several statements at a time. A row that leads to somebody and says something new
is left for `apply_all`, which needs Python to decide.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from django.db import connection
from django.db.models import F, Max, Min

from customers.domain.imports.states import ImportMode, RowState
from customers.models import (
    AttributeValue,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    IdentityLink,
    ImportBatch,
    ImportRow,
)
from customers.services.imports.counts import ImportCounts
from customers.services.imports.steps import apply, new_customers
from customers.services.imports.steps.apply import ApplyOrder, repeat_on_conflict
from loancrm.kernel.commands.progress import bar
from loancrm.kernel.database import bulk

WINDOW_LINES: Final = 2_000
_MAX_CONNECTIONS: Final = 4
_MANY: Final = 10_000
_FILLED: Final = (
    *(Customer, ContactPoint, IdentityLink, AttributeValue, ConsentRecord, ConsentState),
)


def apply_standalone(order: ApplyOrder, counts: ImportCounts) -> None:
    """Apply the standalone rows that are new or unchanged; the rest stays staged.

    A dry run does without: it keeps nothing, so the second part would meet the same rows again.
    SQLite does without: it has one writer, for which the second part is as fast.

    Raises:
        WorkInterrupted: Somebody asked to stop, or the run's time is up.
        ClaimLost: Another worker took over.
    """
    batch = order.batch
    if (
        connection.vendor != "postgresql"
        or batch.is_dry_run
        or order.run.checkpoint.get("is_lone_done")
    ):
        return
    with bar(total=counts.rows - counts.rejected, description="apply") as progress:
        windows = iter(_windows(batch))
        workers = _connections()
        if workers == 1:
            _work(order, windows, progress)
        else:
            _work_together(order, windows, progress, workers)
    # Counted by the windows themselves, so that a run that goes on later counts nothing twice.
    counted = ImportBatch.objects.values_list("created_count", "unchanged_count").get(pk=batch.pk)
    counts.created, counts.unchanged = counted
    if counts.created >= _MANY:
        # What follows, and the next import, would else look for a few people by reading all.
        for model in _FILLED:
            bulk.refresh_statistics(model)
    order.run.checkpoint.update(is_lone_done=True, tally=counts.as_json())
    order.run.save_checkpoint()


def _apply_window(order: ApplyOrder, lines: range) -> int:
    """Apply the standalone rows of some lines that are new or unchanged; return how many."""
    is_growing = order.batch.mode != ImportMode.UPDATE
    with order.acting() as act:
        bulk.commit_lazily()
        bulk.find_by_index()
        unchanged = new_customers.mark_unchanged(order=order, lines=lines)
        created = new_customers.bulk_insert(order=order, lines=lines) if is_growing else 0
        if not created and not unchanged:
            act.unchanged()
            return 0
        # What follows locks rows that the windows beside this one need too: nothing slow may be
        # left.
        bulk.check_now()
        order.run.save_checkpoint(
            {
                "created_count": F("created_count") + created,
                "unchanged_count": F("unchanged_count") + unchanged,
            },
            done_count=F("done_count") + created + unchanged,
        )
        states = {"created": created, "unchanged": unchanged}
        apply.audit_page(act, first_line=lines.start, last_line=lines.stop - 1, counts=states)
    return created + unchanged


def _windows(batch: ImportBatch) -> list[range]:
    """Return the lines of the rows still to be applied, in pieces of one window."""
    waiting = ImportRow.objects.filter(batch=batch, state=RowState.STAGED.value, is_alone=True)
    first, last = waiting.aggregate(first=Min("leader_line"), last=Max("leader_line")).values()
    if first is None:
        return []
    return [range(start, start + WINDOW_LINES) for start in range(first, last + 1, WINDOW_LINES)]


def _connections() -> int:
    """Return how many connections may work side by side.

    What an open transaction of the caller has written could not be seen by others.
    """
    if connection.in_atomic_block:
        return 1
    return max(2, min(os.cpu_count() or 1, _MAX_CONNECTIONS))


def _work_together(
    order: ApplyOrder, windows: Iterator[range], progress: Any, workers: int
) -> None:
    with ThreadPoolExecutor(workers, thread_name_prefix="import") as pool:
        done = [pool.submit(_work_apart, order, windows, progress) for _ in range(workers)]
    for future in done:
        future.result()


def _work_apart(order: ApplyOrder, windows: Iterator[range], progress: Any) -> None:
    """Work on a connection of this thread's own; where one stops, all stop after their window."""
    try:
        _work(order, windows, progress)
    except BaseException:
        deque(windows, maxlen=0)
        raise
    finally:
        connection.close()


def _work(order: ApplyOrder, windows: Iterator[range], progress: Any) -> None:
    """Apply window after window; several threads may take them from the same iterator."""
    for lines in windows:
        order.run.raise_if_requested()
        progress.update(repeat_on_conflict(partial(_apply_window, order, lines)))
