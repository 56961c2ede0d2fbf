"""Second pass: find the rows of one file that are the same person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from django.db import transaction
from django.db.models import Count

from customers.domain.identity.match_keys import Likeness, MatchKey, cluster
from customers.domain.imports.states import RowState
from customers.models import ImportBatch, ImportRow
from customers.services.imports.runs import ImportRun
from customers.services.imports.steps.sealed import open_row
from customers.services.imports.steps.stage import staged_rows
from loancrm.kernel.database import bulk
from loancrm.kernel.security import crypto

_PAGE: Final = 1_000
_COLUMNS: Final = (
    (MatchKey.EXTERNAL_ID, "external_id"),
    (MatchKey.NATIONAL_ID, "national_id_index"),
    (MatchKey.PHONE, "phone_index"),
    (MatchKey.EMAIL, "email_index"),
)


def match_in_file(batch: ImportBatch, run: ImportRun) -> int:
    """Give every row that is somebody else's second row the line of that person's first row.

    Only rows that share a value with another row are loaded, so memory follows the number of
    duplicates, not the length of the file.

    Returns:
        How many rows follow another.
    """
    bulk.refresh_statistics(ImportRow)
    with transaction.atomic():
        bulk.sort_in_memory()
        groups = [group for key, column in _COLUMNS for group in _groups(batch, key, column)]
    lines = sorted({line for _, members in groups for line in members})
    followers = cluster(groups, _likenesses(batch, lines, run))
    run.raise_if_requested()
    with transaction.atomic():
        for chunk in _chunks(iter(lines)):
            ImportRow.objects.filter(batch=batch, line__any_of=chunk).update(is_alone=False)
        for rows in _chunks(_ids(batch, followers)):
            bulk.update_rows(ImportRow, key="id", columns=["leader_line"], rows=rows)
    return len(followers)


def _groups(batch: ImportBatch, key: MatchKey, column: str) -> Iterator[tuple[MatchKey, list[int]]]:
    waiting = ImportRow.objects.filter(batch=batch, state=RowState.STAGED)
    rows = waiting.exclude(**{column: ""})
    shared = rows.order_by().values(column).annotate(n=Count("pk")).filter(n__gt=1).values(column)
    found = rows.filter(**{f"{column}__in": shared}).order_by(column, "line")
    pairs: Any = found.values_list(column, "line").iterator(chunk_size=_PAGE)
    for _, members in groupby(pairs, key=itemgetter(0)):
        yield key, [line for _, line in members]


def _likenesses(batch: ImportBatch, lines: list[int], run: ImportRun) -> dict[int, Likeness]:
    vault = crypto.vault()
    found = {}
    for chunk in _chunks(iter(lines)):
        run.raise_if_requested()
        for row in staged_rows(ImportRow.objects.filter(batch=batch, line__any_of=chunk)):
            person = open_row(row, vault)
            found[row.line] = person.keys.likeness(person.row)
    return found


def _ids(batch: ImportBatch, followers: dict[int, int]) -> Iterator[tuple[int, int]]:
    for chunk in _chunks(iter(followers)):
        rows = ImportRow.objects.filter(batch=batch, line__any_of=chunk)
        for pk, line in rows.values_list("pk", "line"):
            yield pk, followers[line]


def _chunks(items: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(items, _PAGE)):
        yield chunk
