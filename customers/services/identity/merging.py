"""Make two customers one person, keep two apart, and part again what was merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from customers.domain.identity.merging import MergeState
from customers.models import Customer, Merge, MergeDecision
from customers.selectors.identity.survivorship import survivorship
from customers.services.events import lifecycle
from customers.services.identity import merge_rows, merge_undo, merge_values
from customers.services.identity.merge_values import Journal
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION: Final = "customers.merge_customers"
_COLUMNS: Final = (
    *merge_values.PLAIN,
    *("name_sealed", "name_index", "national_id_sealed", "national_id_index"),
    *("marketing_status", "personalisation_allowed", "field_sources", "updated_at"),
)


class MergeRefused(LoanCrmError):
    """These two customers cannot be merged; `facts` hold the reason."""

    code = "merge_refused"


class UnmergeRefused(LoanCrmError):
    """This merge cannot be taken back now; `facts` hold the reason."""

    code = "unmerge_refused"


def merge(*, actor: Actor, kept_id: int, other_id: int, now: datetime, reason: str = "") -> Merge:
    """Make the other customer part of the kept one; the other's page leads to the kept one.

    Blanks are filled and values survive by the rules a field and source; a withdrawn consent on
    either side wins; contact points, events, loans, messages and all other rows go to the kept
    customer. The sources' ids lead to the kept customer from now on.

    Raises:
        PermissionRefused: The actor may not merge customers.
        MergeRefused: `same`, `unknown`, `merged_already` or `two_national_ids`.
    """
    with acting(actor, PERMISSION, now=now) as act:
        kept, other = _locked(kept_id, other_id)
        record = Merge.objects.create(
            kept=kept, other=other, reason=reason, merged_by=actor.label, merged_at=now
        )
        journal = Journal()
        _join(kept, other, journal, evidence=f"merge:{record.pk}", now=now)
        record.moved, record.changes = journal.moved, journal.changes
        # After the merge's own consent entries: only what comes later has arrived since.
        record.marks = merge_rows.marks()
        record.save(update_fields=["moved", "changes", "marks"])
        lifecycle.refresh_stages(customer_ids=[kept.pk], now=now)
        _decide(kept.pk, other.pk, MergeState.MERGED, actor, now)
        counts = {name: len(ids) for name, ids in journal.moved.items()}
        facts = {**_pair(record), **counts}
        act.record("customers.merge", on=record, facts=facts, reason=reason)
    return record


def unmerge(*, actor: Actor, merge_id: int, now: datetime, reason: str = "") -> Merge:
    """Part two customers again: every field that nobody changed since is as it was before.

    What was changed after the merge stays with the kept customer and is listed in `later_edits`;
    a consent withdrawn since then is withdrawn for both. Rows that arrived since stay with the
    kept customer and are listed in `arrived`.

    Raises:
        PermissionRefused: The actor may not merge customers.
        UnmergeRefused: `undone_already`, or `kept_merged_since`: take back that merge first.
    """
    with acting(actor, PERMISSION, now=now) as act:
        record = Merge.objects.select_for_update().get(pk=merge_id)
        if record.undone_at is not None:
            raise _unmerge_refused("undone_already")
        people = _lock([record.kept_id, record.other_id])
        kept, other = people[record.kept_id], people[record.other_id]
        if kept.merged_into_id is not None:
            raise _unmerge_refused("kept_merged_since")
        record.arrived = merge_rows.arrived_since(
            marks=record.marks, customer_id=kept.pk, moved=record.moved
        )
        record.later_edits = merge_undo.part(record=record, kept=kept, other=other, now=now)
        record.undone_at, record.undone_by = now, actor.label
        record.save(update_fields=["arrived", "later_edits", "undone_at", "undone_by"])
        lifecycle.refresh_stages(customer_ids=[kept.pk, other.pk], now=now)
        _decide(kept.pk, other.pk, MergeState.REFUSED, actor, now)
        counts = {
            "later_edits": len(record.later_edits),
            "arrived": sum(item["count"] for item in record.arrived),
        }
        facts = {**_pair(record), **counts}
        act.record("customers.unmerge", on=record, facts=facts, reason=reason)
    return record


def keep_apart(*, actor: Actor, decision_id: int, now: datetime) -> MergeDecision:
    """Decide that two customers are two persons; they are not proposed again.

    Raises:
        PermissionRefused: The actor may not merge customers.
        MergeRefused: `decided_already`.
    """
    with acting(actor, PERMISSION, now=now) as act:
        decision = MergeDecision.objects.select_for_update().get(pk=decision_id)
        if decision.state != MergeState.PROPOSED:
            raise _refused("decided_already")
        decision.state, decision.decided_by = MergeState.REFUSED, actor.label
        decision.decided_at = now
        decision.save(update_fields=["state", "decided_by", "decided_at"])
        act.record("customers.keep_apart", on=decision, facts=_pair(decision))
    return decision


def _join(
    kept: Customer, other: Customer, journal: Journal, *, evidence: str, now: datetime
) -> None:
    rules = survivorship()
    merge_values.merge_columns(kept=kept, other=other, rules=rules, journal=journal)
    merge_values.merge_attributes(kept=kept, other=other, rules=rules, journal=journal)
    merge_values.merge_contacts(kept=kept, other=other, journal=journal)
    merge_values.merge_consents(kept=kept, other=other, journal=journal, evidence=evidence, now=now)
    moved = merge_rows.move_all(source_id=other.pk, target_id=kept.pk)
    journal.moved.update(moved)
    # The other steps back first: only one living customer may hold a national id.
    other.merged_into, other.updated_at = kept, now
    other.save(update_fields=["merged_into", "updated_at"])
    kept.updated_at = now
    kept.save(update_fields=_COLUMNS)


def _locked(kept_id: int, other_id: int) -> tuple[Customer, Customer]:
    if kept_id == other_id:
        raise _refused("same")
    people = _lock([kept_id, other_id])
    if len(people) < 2:
        raise _refused("unknown")
    kept, other = people[kept_id], people[other_id]
    if kept.merged_into_id is not None or other.merged_into_id is not None:
        raise _refused("merged_already")
    ids = {kept.national_id_index or "", other.national_id_index or ""} - {""}
    if len(ids) > 1:
        raise _refused("two_national_ids")
    return kept, other


def _lock(ids: Sequence[int]) -> dict[int, Customer]:
    rows = Customer.objects.filter(pk__in=ids).order_by("pk")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    return {row.pk: row for row in rows}


def _decide(kept_id: int, other_id: int, state: MergeState, actor: Actor, now: datetime) -> None:
    both = MergeDecision.objects.filter(kept_id__in=(kept_id, other_id))
    both.filter(other_id__in=(kept_id, other_id)).update(
        state=state, decided_by=actor.label, decided_at=now
    )


def _pair(row: Merge | MergeDecision) -> dict[str, int]:
    return {"kept": row.kept_id, "other": row.other_id}


def _refused(reason: str) -> MergeRefused:
    texts = {
        "same": _("A customer cannot be merged with itself."),
        "unknown": _("One of the customers does not exist."),
        "merged_already": _("One of the customers was merged already."),
        "two_national_ids": _("Two different identity numbers are two persons."),
        "decided_already": _("Somebody has decided about this pair already."),
    }
    return MergeRefused(texts[reason], reason=reason)


def _unmerge_refused(reason: str) -> UnmergeRefused:
    texts = {
        "undone_already": _("This merge was taken back already."),
        "kept_merged_since": _("Take back the later merge of this customer first."),
    }
    return UnmergeRefused(texts[reason], reason=reason)
