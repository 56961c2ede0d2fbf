"""Third pass, first part: the rows that share nothing with another row, several pages at a time.

Nearly all rows of nearly all files are such. Each page is a transaction on a connection of its own,
so that the database works on several processors while this process prepares the next rows.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Max, Min

from customers.models import ImportBatch, ImportRow, RowState
from customers.selectors.person_matching import KnownLink, customers_of_one_link, known_links
from customers.services import imports_apply
from customers.services.imports_apply import ApplyOrder, Group, repeat_on_conflict
from customers.services.imports_stage import lone_digests, lone_rows
from customers.services.imports_tally import Tally
from loancrm.kernel import bulk
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


def _apply_page(order: ApplyOrder, lines: range) -> int:
    """Apply the lone rows of some lines that lead to nobody, or are unchanged; return how many.

    What becomes of a row that shares nothing with another row of the file does not depend on any
    other, so such pages may be applied in any order, and beside each other. The rows that lead to
    somebody and say something new are left for `apply_all`.
    """
    batch_id = int(order.batch.pk)
    with transaction.atomic():
        bulk.commit_lazily()
        digests = lone_digests(batch_id, lines)
        links = known_links(source=order.mapping.source, external_ids=list(digests))
        unchanged = _mark_unchanged(order, digests, links)
        rows = lone_rows(batch_id, lines) if len(unchanged) < len(digests) else []
        groups = [Group([row]) for row in rows if row.external_id not in unchanged]
        found = imports_apply.resolve_people(groups, links=links, mode=order.batch.mode)
        new = [group for group in groups if _is_new(group, found.owners)]
        imports_apply.write_groups(order, new, links=links, found=found)
        imports_apply.finish_rows(order, new, earlier=frozenset())
        if not new and not unchanged:
            return 0
        # What follows locks rows that the pages beside this one need too: nothing slow may be left.
        bulk.check_now()
        order.run.keep(
            done_count=F("done_count") + len(new) + len(unchanged),
            created_count=F("created_count") + len(new),
            unchanged_count=F("unchanged_count") + len(unchanged),
        )
        counts = {"created": len(new), "unchanged": len(unchanged)}
        imports_apply.audit_page(
            order, first_line=lines.start, last_line=lines.stop - 1, counts=counts
        )
    return len(new) + len(unchanged)


def _is_new(group: Group, owners: Collection[tuple[str, str]]) -> bool:
    """Return whether a person is nobody yet and brings no contact that is somebody's primary one.

    A contact of somebody else's is reported, which happens in file order.
    """
    if group.customer_id or group.refusal is not None:
        return False
    return not any(key in owners for person in group.people for key in person.keys.contacts)


def _mark_unchanged(
    order: ApplyOrder, digests: Mapping[str, tuple[int, str]], links: Mapping[str, KnownLink]
) -> set[str]:
    """Mark the rows that were applied before and have not changed; return their external ids.

    A customer to whom several ids lead is left out: which row is the first counts there.
    """
    owners = {
        external_id: links[external_id].customer_id
        for external_id, (_pk, digest) in digests.items()
        if external_id in links and links[external_id].row_digest == digest
    }
    safe = customers_of_one_link(source=order.mapping.source, customer_ids=list(owners.values()))
    known = {external_id: owner for external_id, owner in owners.items() if owner in safe}
    bulk.update_rows(
        ImportRow,
        key="id",
        columns=["customer"],
        rows=[(digests[external_id][0], owner) for external_id, owner in known.items()],
        constants={"state": RowState.UNCHANGED.value, "payload_sealed": None},
    )
    return set(known)


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
    order: ApplyOrder, windows: Iterator[range], progress: Any, workers: int
) -> None:
    with ThreadPoolExecutor(workers, thread_name_prefix="import") as pool:
        done = [pool.submit(_work_apart, order, windows, progress) for _ in range(workers)]
    for future in done:
        future.result()


def _work_apart(order: ApplyOrder, windows: Iterator[range], progress: Any) -> None:
    """Work on a connection of this thread's own; where one stops, all stop after their page."""
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
        order.run.pause_point()
        progress.update(repeat_on_conflict(partial(_apply_page, order, lines)))
