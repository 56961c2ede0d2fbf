"""Third pass, first part: the rows that share nothing with another row, several pages at a time.

Nearly all rows of nearly all files are such. Each page is a transaction on a connection of its own,
so that the database works on several processors while this process prepares the next rows.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import connection
from django.db.models import Max, Min

from customers.models import ImportBatch, ImportRow, RowState
from customers.services import imports_apply
from customers.services.imports_apply import ApplyOrder, apply_lone_page, repeat_on_conflict
from customers.services.imports_stage import lone_rows
from customers.services.imports_tally import Tally
from loancrm.kernel.progress import bar

_MAX_CONNECTIONS: Final = 4


def apply_lone(order: ApplyOrder, tally: Tally) -> None:
    """Apply the lone rows that are new or unchanged; the rest stays staged.

    A dry run does without: it keeps nothing, so the second part would meet the same rows again.

    Raises:
        RunInterrupted: Somebody asked to stop, or the run's time is up.
        RunLost: Another worker took over.
    """
    batch = order.batch
    if batch.is_dry_run or batch.checkpoint.get("is_lone_done"):
        return
    with bar(total=tally.rows - tally.rejected, description="apply") as progress:
        windows = iter(_windows(batch))
        workers = _connections()
        if workers == 1:
            _work(order, windows, progress)
        else:
            _work_together(order, windows, progress, workers)
    # Counted by the pages themselves, so that a run that goes on later counts nothing twice.
    counted = ImportBatch.objects.values_list("created_count", "unchanged_count").get(pk=batch.pk)
    tally.created, tally.unchanged = counted
    batch.checkpoint |= {"is_lone_done": True, "tally": tally.as_json()}
    order.run.keep(checkpoint=batch.checkpoint)


def _windows(batch: ImportBatch) -> list[range]:
    """Return the lines of the rows still to be applied, in pieces of one page."""
    waiting = ImportRow.objects.filter(batch=batch, state=RowState.STAGED.value, is_alone=True)
    first, last = waiting.aggregate(first=Min("leader_line"), last=Max("leader_line")).values()
    if first is None:
        return []
    size = imports_apply.APPLY_BATCH
    return [range(start, start + size) for start in range(first, last + 1, size)]


def _connections() -> int:
    """Return how many connections may work side by side.

    SQLite has one writer; an open transaction of the caller could not be seen by others.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return 1
    return max(2, min(os.cpu_count() or 1, _MAX_CONNECTIONS))


def _work_together(
    order: ApplyOrder, windows: Iterator[range], progress: bar, workers: int
) -> None:
    with ThreadPoolExecutor(workers, thread_name_prefix="import") as pool:
        done = [pool.submit(_work_apart, order, windows, progress) for _ in range(workers)]
    for future in done:
        future.result()


def _work_apart(order: ApplyOrder, windows: Iterator[range], progress: bar) -> None:
    """Work on a connection of this thread's own; where one stops, all stop after their page."""
    try:
        _work(order, windows, progress)
    except BaseException:
        deque(windows, maxlen=0)
        raise
    finally:
        connection.close()


def _work(order: ApplyOrder, windows: Iterator[range], progress: bar) -> None:
    """Apply window after window; several threads may take them from the same iterator."""
    for lines in windows:
        order.run.pause_point()
        page = lone_rows(order.batch.pk, lines)
        if page:
            groups = repeat_on_conflict(apply_lone_page, order, page)
            progress.update(len(groups))
