"""Look through the stored customers for people who are there twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Q

from customers.domain.linkage.resolution import Resolution, resolve
from customers.models import MergeDecision, MergeState
from customers.selectors.linkage_people import load_people
from customers.services import merging
from loancrm.kernel import access, audit
from loancrm.kernel.access import Actor

LIKENESS: Final = "likeness"
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class DuplicateReport:
    """What a search found."""

    compared: int
    proposed: int
    merged: int

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Proposal:
    kept_id: int
    other_id: int
    probability: float


def find_duplicates(
    *,
    actor: Actor,
    limit: int,
    is_merging_sure: bool,
    rng: np.random.Generator,
    now: datetime,
    today: date,
) -> DuplicateReport:
    """Queue the customers that seem to be one person; the older one would be kept.

    What a person decided about a pair is never proposed again or overruled.

    Args:
        actor: Who asks.
        limit: How many customers, those changed last; their values are held in memory.
        is_merging_sure: Merge the pairs that are sure instead of queueing them.
        rng: For the pairs that show how often values agree by accident.
        now: Time of the proposals and merges.
        today: For the plausibility of birth dates.

    Raises:
        PermissionRefused: The actor may not merge customers.
    """
    access.require(actor, merging.PERMISSION)
    people = load_people(limit=limit, today=today)
    found = resolve([person for _, person in people], rng=rng)
    ids = [pk for pk, _ in people]
    decided = _decided(ids)
    merged = _merge_sure(actor, found, ids, decided, now) if is_merging_sure else set()
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
    _propose(actor, proposals, now)
    return DuplicateReport(len(people), len(proposals), len(merged))


def _merge_sure(
    actor: Actor,
    found: Resolution,
    ids: Sequence[int],
    decided: set[tuple[int, int]],
    now: datetime,
) -> set[int]:
    """Merge records into the first of their person; return the ids that are gone.

    Where people have a say about any two of a person's records, all of them are left to people.
    """
    open_to_people = {pk for pair in decided for pk in pair}
    groups: dict[int, list[int]] = {}
    for position, leader in enumerate(found.leaders):
        groups.setdefault(leader, []).append(ids[position])
    merged = set()
    for kept_id, *others in groups.values():
        if not others or len(open_to_people & {kept_id, *others}) > 1:
            continue
        for other_id in others:
            merging.merge(actor=actor, kept_id=kept_id, other_id=other_id, now=now, reason=LIKENESS)
            merged.add(other_id)
    return merged


def _propose(actor: Actor, proposals: Sequence[_Proposal], now: datetime) -> None:
    if not proposals:
        return
    with transaction.atomic():
        MergeDecision.objects.bulk_create(
            [
                MergeDecision(
                    kept_id=item.kept_id,
                    other_id=item.other_id,
                    matched_by=LIKENESS,
                    probability=item.probability,
                    created_at=now,
                )
                for item in proposals
            ],
            batch_size=_BATCH,
            ignore_conflicts=True,
        )
        audit.record(
            actor=actor,
            action="customers.propose_merges",
            object_type="customers.MergeDecision",
            object_id="batch",
            now=now,
            facts={"proposed": len(proposals)},
        )


def _decided(ids: Sequence[int]) -> set[tuple[int, int]]:
    """Return the pairs that are proposed or decided already, smaller id first."""
    wanted = Q(state=MergeState.PROPOSED) | Q(state=MergeState.REFUSED)
    rows = MergeDecision.objects.filter(wanted).values_list("kept_id", "other_id")
    known = set(ids)
    return {(min(pair), max(pair)) for pair in rows.iterator() if set(pair) <= known}
