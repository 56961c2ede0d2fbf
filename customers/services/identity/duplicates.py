"""Look through the stored customers for people who are there twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from django.db.models import Q

from customers.domain.identity.match_keys import LIKENESS
from customers.domain.identity.merging import MergeState
from customers.domain.linkage.resolution import Resolution, resolve
from customers.domain.linkage.wide import Progress, resolve_wide
from customers.models import Customer, MergeDecision
from customers.selectors.identity.linkage_people import latest_ids, load_people
from customers.services.identity import merging
from customers.services.identity.merging import MergeRefused
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.database import locks

# Customers that are compared all at once; about a kilobyte each.
IN_MEMORY: Final = 20_000
_BATCH: Final = 500
# Reasons for which a merge is refused when somebody erased or merged one of the two meanwhile.
_GONE: Final = frozenset({"unknown", "merged_already"})


def _no_progress(_step: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """What a search found.

    Attributes:
        skipped: People who were erased or merged by others during the search.
    """

    compared: int
    proposed: int
    merged: int
    skipped: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command prints it."""
        return asdict(self)


def _finish_nothing(_report: DuplicateReport) -> None:
    """Store the report nowhere."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    kept_id: int
    other_id: int
    probability: float


def find_duplicates(  # noqa: PLR0913 - choices of one run
    *,
    actor: Actor,
    limit: int,
    is_merging_sure: bool,
    rng: np.random.Generator,
    now: datetime,
    today: date,
    on_progress: Progress = _no_progress,
    finish: Callable[[DuplicateReport], None] = _finish_nothing,
) -> DuplicateReport:
    """Queue the customers that seem to be one person; the older one would be kept.

    What a person decided about a pair is never proposed again or overruled. Up to `IN_MEMORY`
    customers are compared at once; more are read page by page, several times.

    Args:
        actor: Who asks.
        limit: How many customers, those changed last.
        is_merging_sure: Merge the pairs that are sure instead of queueing them.
        rng: For the pairs that show how often values agree by accident, and for samples.
        now: Time of the proposals and merges.
        today: For the plausibility of birth dates.
        on_progress: Told the step, how much of it is done and of how much.
        finish: Stores the report in the transaction of the proposals: a search that is begun anew
            finds them decided already and would report none.

    Raises:
        PermissionRefused: The actor may not merge customers.
    """
    act = acting(actor, merging.PERMISSION, now=now)
    ids = latest_ids(limit=limit)
    found = _resolved(ids, rng, today, on_progress)
    decided = _decided()
    merged, gone = (
        _merge_sure(actor, found, ids, decided, now) if is_merging_sure else (set(), set())
    )
    wanted = [
        _Proposal(
            kept_id=min(ids[pair.one], ids[pair.other]),
            other_id=max(ids[pair.one], ids[pair.other]),
            probability=pair.probability,
        )
        for pair in [*found.sure, *found.doubtful]
    ]
    proposals = [
        item
        for item in wanted
        if (item.kept_id, item.other_id) not in decided
        and not merged & {item.kept_id, item.other_id}
    ]
    with act:
        named = {pk for item in proposals for pk in (item.kept_id, item.other_id)}
        living = locks.lock_against_deletion(
            Customer.objects.live().filter(pk__any_of=sorted(named))
        )
        possible = [item for item in proposals if {item.kept_id, item.other_id} <= living]
        _propose(act, possible)
        skipped = len(gone | (named - living))
        report = DuplicateReport(len(ids), len(possible), len(merged), skipped)
        finish(report)
    return report


def _resolved(
    ids: Sequence[int], rng: np.random.Generator, today: date, on_progress: Progress
) -> Resolution:
    if len(ids) <= IN_MEMORY:
        return resolve(load_people(ids, today=today), rng=rng)
    return resolve_wide(
        count=len(ids),
        load=lambda positions: load_people([ids[at] for at in positions], today=today),
        rng=rng,
        on_progress=on_progress,
    )


def _merge_sure(
    actor: Actor,
    found: Resolution,
    ids: Sequence[int],
    decided: set[tuple[int, int]],
    now: datetime,
) -> tuple[set[int], set[int]]:
    """Merge records into the first of their person; return the ids merged, and those not there.

    Where people have a say about any two of a person's records, all of them are left to people.
    """
    open_to_people = {pk for pair in decided for pk in pair}
    groups: dict[int, list[int]] = {}
    for position, leader in enumerate(found.leaders):
        if position != leader:
            groups.setdefault(leader, []).append(ids[position])
    merged: set[int] = set()
    gone: set[int] = set()
    for leader, others in groups.items():
        kept_id = ids[leader]
        if len(open_to_people & {kept_id, *others}) > 1:
            continue
        for other_id in others:
            if lost := _merge_unless_gone(actor, kept_id, other_id, now):
                gone |= lost
            else:
                merged.add(other_id)
    return merged, gone


def _merge_unless_gone(actor: Actor, kept_id: int, other_id: int, now: datetime) -> set[int]:
    """Merge two customers; return which of them somebody erased or merged meanwhile."""
    try:
        merging.merge(actor=actor, kept_id=kept_id, other_id=other_id, now=now, reason=LIKENESS)
    except MergeRefused as error:
        if error.facts["reason"] not in _GONE:
            raise
        pair = {kept_id, other_id}
        living = Customer.objects.live().filter(pk__in=pair)
        return pair - set(living.values_list("pk", flat=True))
    return set()


def _propose(act: Act, proposals: Sequence[_Proposal]) -> None:
    if not proposals:
        act.unchanged()
        return
    MergeDecision.objects.bulk_create(
        [
            MergeDecision(
                kept_id=item.kept_id,
                other_id=item.other_id,
                matched_by=LIKENESS,
                probability=item.probability,
                created_at=act.now,
            )
            for item in proposals
        ],
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    facts = {"proposed": len(proposals)}
    act.record("customers.propose_merges", on=(MergeDecision, "batch"), facts=facts)


def _decided() -> set[tuple[int, int]]:
    """Return the pairs that are proposed or decided already, smaller id first."""
    wanted = Q(state=MergeState.PROPOSED) | Q(state=MergeState.REFUSED)
    rows = MergeDecision.objects.filter(wanted).values_list("kept_id", "other_id")
    return {(min(pair), max(pair)) for pair in rows.iterator()}
