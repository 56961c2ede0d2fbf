"""Third pass, deciding: who every staged person is, and what became of every row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final, TypeVar

from django.db import IntegrityError, OperationalError, transaction

from customers.domain.identity.match_keys import MatchKey
from customers.domain.imports.mapping import FileMapping
from customers.domain.imports.person_row import fold
from customers.domain.imports.states import ImportChangeKind, ImportMode, RowState
from customers.domain.values.quality import Code, QualityFinding
from customers.models import (
    AttributeDefinition,
    IdentityLink,
    ImportBatch,
    ImportRow,
    MergeDecision,
    RejectedRow,
)
from customers.selectors.identity.person_matching import (
    KnownLink,
    Match,
    PersonMatches,
    Probe,
    find_people,
    known_links,
)
from customers.services.imports.counts import ImportCounts
from customers.services.imports.runs import AS_REQUESTED, ImportRun
from customers.services.imports.steps.changes import ChangeLog
from customers.services.imports.steps.findings import Noticed, write_findings
from customers.services.imports.steps.person import ImportedPerson, WriteContext
from customers.services.imports.steps.sealed import StagedPerson, StagedRow, keys_of, open_row
from customers.services.imports.steps.stage import pages, quarantine
from customers.services.imports.steps.trust import trust_in
from customers.services.imports.steps.write import write_people
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.commands.progress import bar
from loancrm.kernel.database import bulk
from loancrm.kernel.database.bulk_load import load_rows
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import Vault

APPLY_BATCH: Final = 1_000
_ATTEMPTS: Final = 3
_Done = TypeVar("_Done")
_LINK: Final = (*("source", "external_id", "customer", "matched_by", "row_digest", "created_at"),)


@dataclass(frozen=True, slots=True)
class ApplyOrder:
    """What stays the same for all pages of a batch."""

    actor: Actor
    batch: ImportBatch
    mapping: FileMapping
    definitions: Mapping[str, AttributeDefinition]
    now: datetime
    run: ImportRun

    def acting(self) -> Act:
        """Open the door for one page: pages have a transaction each, and connections their own."""
        return acting(self.actor, AS_REQUESTED, on=self.batch, now=self.now)

    @property
    def definition_ids(self) -> str:
        """Return the keys of the attributes by name, as JSON."""
        return json.dumps({name: item.pk for name, item in self.definitions.items()})


@dataclass(slots=True)
class Group:
    """The rows of one person, and where that person went; `customer_id` 0 is nobody yet."""

    rows: list[StagedRow]
    state: RowState = RowState.UNCHANGED
    customer_id: int = 0
    matched_by: str = ""
    refusal: Code | None = None
    people: list[StagedPerson] = field(default_factory=list)
    rival_ids: tuple[int, ...] = ()
    notes: list[Code] = field(default_factory=list)


def apply_all(order: ApplyOrder, counts: ImportCounts) -> None:
    """Apply the rows still staged, in file order, each page in a transaction of its own."""
    done = counts.created + counts.updated + counts.unchanged + counts.merged
    with bar(total=counts.rows - counts.rejected - done, description="apply") as progress:
        for page in pages(order.batch.pk, size=APPLY_BATCH):
            order.run.raise_if_requested()
            groups = repeat_on_conflict(partial(_apply_page, order, page, counts))
            if order.batch.is_dry_run:
                # What the page itself wrote is gone with it.
                _write_noticed(order, groups, counts)
            for group in groups:
                _count(group, counts)
            progress.update(len(page))


def repeat_on_conflict(apply: Callable[[], _Done]) -> _Done:
    """Apply a page, again when somebody else created or locked one of its people meanwhile.

    Then they can be found.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return apply()
        except (IntegrityError, OperationalError):
            continue
    return apply()


def _apply_page(order: ApplyOrder, page: Sequence[StagedRow], counts: ImportCounts) -> list[Group]:
    groups = [Group(list(rows)) for _, rows in groupby(page, key=lambda row: row.leader_line)]
    with order.acting() as act:
        bulk.commit_lazily()
        links = known_links(
            source=order.mapping.source, external_ids=[row.external_id for row in page]
        )
        changed = [group for group in groups if not _is_known(group, links)]
        found = resolve_people(changed, links=links, mode=order.batch.mode)
        _refuse_repeated_ids(groups)
        groups = _join_by_customer(groups)
        write_groups(order, groups, links=links, found=found)
        finish_rows(order, groups, earlier=_seen_earlier(order, groups))
        _save_progress(order, groups, counts)
        rows = [row for group in groups for row in group.rows]
        lines = [row.line for row in rows]
        states = Counter(row.state for row in rows)
        audit_page(act, first_line=min(lines), last_line=max(lines), counts=states)
        if order.batch.is_dry_run:
            transaction.set_rollback(True)
    return groups


def _is_known(group: Group, links: Mapping[str, KnownLink]) -> bool:
    """Recognise rows that were applied before and have not changed at the source."""
    found = [links.get(row.external_id) for row in group.rows]
    owners = {link.customer_id for link in found if link is not None}
    if len(owners) != 1 or any(
        link is None or link.row_digest != row.row_digest
        for link, row in zip(found, group.rows, strict=True)
    ):
        return False
    group.customer_id = owners.pop()
    return True


def write_groups(
    order: ApplyOrder,
    groups: Sequence[Group],
    *,
    links: Mapping[str, KnownLink],
    found: PersonMatches,
) -> None:
    """Write the people that are to be written; each group is told what became of it."""
    vault = crypto.vault()
    writable = [group for group in groups if group.people and group.refusal is None]
    people = []
    for group in writable:
        person = _folded(group, vault)
        customer = found.customers.get(group.customer_id)
        points = found.points.get(group.customer_id, ())
        people.append(ImportedPerson(person.row, person.keys, customer, points, group.customer_id))
    context = WriteContext(
        source=order.mapping.source,
        evidence=f"import:{order.batch.pk}",
        definitions=order.definitions,
        owners=found.owners,
        national_id_owners=found.national_id_owners,
        now=order.now,
        vault=vault,
        changes=ChangeLog(order.batch.pk, vault),
        trust=trust_in(order.mapping.source),
    )
    write_people(people, context)
    for group, written in zip(writable, people, strict=True):
        group.customer_id = written.customer_id
        group.notes = written.notes
        if written.is_changed:
            group.state = RowState.CREATED if written.is_new else RowState.UPDATED
    created = {written.customer_id for written in people if written.is_new}
    _write_links(order, writable, links, created)
    _propose_merges(order, writable)


def _folded(group: Group, vault: Vault) -> StagedPerson:
    """Return what the rows of a person say together."""
    if len(group.people) == 1:
        return group.people[0]
    row = fold(tuple(person.row for person in group.people))
    return StagedPerson(row, keys_of(row, vault))


def resolve_people(
    changed: Sequence[Group], *, links: Mapping[str, KnownLink], mode: str
) -> PersonMatches:
    """Find out who the changed persons are; each group is told."""
    vault = crypto.vault()
    probes = []
    for group in changed:
        group.people = [open_row(row, vault) for row in group.rows]
        person = _folded(group, vault)
        likeness = person.keys.likeness(person.row)
        probes.append(Probe(tuple(row.external_id for row in group.rows), likeness))
    found = find_people(probes=probes, links=links)
    for group, match in zip(changed, found.matches, strict=True):
        group.customer_id, group.rival_ids = match.customer_id or 0, match.rival_ids
        group.matched_by = match.key.value if match.key else ""
        group.refusal = _refusal(mode, match)
    return found


def _refusal(mode: str, match: Match) -> Code | None:
    if match.is_conflict:
        return Code.IDENTITY_CONFLICT
    if mode == ImportMode.INSERT and match.customer_id is not None:
        return Code.EXISTS_ALREADY
    if mode == ImportMode.UPDATE and match.customer_id is None:
        return Code.NOT_FOUND
    return None


def _refuse_repeated_ids(groups: Sequence[Group]) -> None:
    """Refuse later rows with an id of the source that the file gives to another person too."""
    seen: set[str] = set()
    for group in groups:
        ids = {row.external_id for row in group.rows}
        if group.refusal is None and ids & seen:
            group.refusal = Code.IDENTITY_CONFLICT
        seen |= ids


def _join_by_customer(groups: list[Group]) -> list[Group]:
    """Put groups together that turned out to be the same stored customer."""
    by_customer: dict[int, Group] = {}
    joined = []
    for group in groups:
        first = by_customer.get(group.customer_id)
        if first is None or group.refusal is not None:
            joined.append(group)
            if group.customer_id and group.refusal is None:
                by_customer[group.customer_id] = group
            continue
        first.rows += group.rows
        first.people += group.people
        first.rival_ids += group.rival_ids
        first.matched_by = first.matched_by or group.matched_by
    return joined


def _write_links(
    order: ApplyOrder,
    groups: Sequence[Group],
    links: Mapping[str, KnownLink],
    created: Collection[int],
) -> None:
    changes = ChangeLog(order.batch.pk, crypto.vault())
    new: dict[str, tuple[object, ...]] = {}
    changed: dict[str, str] = {}
    for group in groups:
        owner, matched_by = group.customer_id, group.matched_by or MatchKey.EXTERNAL_ID.value
        times = Counter(row.external_id for row in group.rows)
        for row in group.rows:
            if times[row.external_id] > 1:
                # Which of several rows with one id comes first matters every time.
                row.row_digest = ""
            known = links.get(row.external_id)
            key = (order.mapping.source, row.external_id)
            if known is None:
                if owner not in created and row.external_id not in new:
                    changes.note(owner, ImportChangeKind.LINK, row.external_id, before=None)
                rest = (owner, matched_by, row.row_digest, order.now)
                new[row.external_id] = (*key, *rest)
            elif known.row_digest != row.row_digest:
                changed[row.external_id] = row.row_digest
    changes.save()
    load_rows(IdentityLink, _LINK, new.values())
    stored = IdentityLink.objects.filter(source=order.mapping.source, external_id__in=changed)
    digests = [(pk, changed[name]) for pk, name in stored.values_list("pk", "external_id")]
    bulk.update_rows(IdentityLink, key="id", columns=["row_digest"], rows=digests)


def _propose_merges(order: ApplyOrder, groups: Sequence[Group]) -> None:
    proposals = [
        MergeDecision(
            kept_id=group.customer_id,
            other_id=rival,
            matched_by=group.matched_by,
            batch_id=order.batch.pk,
            created_at=order.now,
        )
        for group in groups
        for rival in sorted(set(group.rival_ids) - {group.customer_id})
    ]
    MergeDecision.objects.bulk_create(proposals, ignore_conflicts=True)


def finish_rows(
    order: ApplyOrder, groups: Sequence[Group], *, earlier: Collection[int | None]
) -> None:
    """Note in the staged rows what became of them, and put the refused ones in quarantine.

    Args:
        earlier: Customers whom an earlier page of the batch has met already.
    """
    vault = crypto.vault()
    done, refused = [], []
    for group in groups:
        if group.refusal is not None:
            group.state = RowState.REJECTED
            refused.append(
                quarantine(
                    batch_id=order.batch.pk,
                    row=group.rows[0],
                    code=group.refusal,
                    vault=vault,
                    now=order.now,
                )
            )
        elif group.customer_id in earlier:
            group.state = RowState.MERGED
        for position, row in enumerate(group.rows):
            row.state = (group.state if position == 0 else RowState.MERGED).value
            customer_id = group.customer_id or None if group.refusal is None else None
            done.append((row.id, row.state, customer_id))
    RejectedRow.objects.bulk_create(refused)
    bulk.update_rows(
        ImportRow,
        key="id",
        columns=["state", "customer"],
        rows=done,
        # The values now live where they belong; a second copy would only have to be protected.
        constants={"content": None},
    )


def _seen_earlier(order: ApplyOrder, groups: Sequence[Group]) -> set[int | None]:
    ids = [group.customer_id for group in groups if group.state is not RowState.CREATED]
    rows = ImportRow.objects.filter(batch=order.batch, customer_id__any_of=ids)
    return set(rows.values_list("customer_id", flat=True))


def _save_progress(order: ApplyOrder, groups: Sequence[Group], counts: ImportCounts) -> None:
    """Store the figures with the page, so that a run that goes on later counts nothing twice."""
    _write_noticed(order, groups, counts)
    reached = counts.silent_copy()
    for group in groups:
        _count(group, reached)
    order.run.checkpoint["tally"] = reached.as_json()
    order.run.save_checkpoint(
        reached.columns(),
        done_count=reached.created + reached.updated + reached.unchanged + reached.merged,
    )


def _write_noticed(order: ApplyOrder, groups: Sequence[Group], counts: ImportCounts) -> None:
    noticed = [Noticed(line, found) for group in groups for line, found in _noticed(group)]
    write_findings(order.batch, noticed, counted=counts.by_reason)


def audit_page(act: Act, *, first_line: int, last_line: int, counts: Mapping[str, int]) -> None:
    """Record that a page was applied; call it last in its transaction."""
    facts = {"first_line": first_line, "last_line": last_line, **counts}
    act.record("customers.import_page", facts=facts)


def _count(group: Group, counts: ImportCounts) -> None:
    for row in group.rows:
        state = RowState(row.state)
        setattr(counts, state.value, getattr(counts, state.value) + 1)
    for line, found in _noticed(group):
        counts.note(line, found)


def _noticed(group: Group) -> Iterator[tuple[int, QualityFinding]]:
    """Yield (line, finding) of what applying a person's rows has told."""
    for row in group.rows:
        if row.state == RowState.MERGED:
            yield row.line, QualityFinding(Code.DUPLICATE)
    for code in (group.refusal, *group.notes):
        if code is not None:
            yield group.rows[0].line, QualityFinding(code)
