"""The audit trail: every write through a service leaves one entry, chained by hashes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from django.apps import apps
from django.db import transaction
from django.db.models import Max, Model, QuerySet

from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind, system_actor
from loancrm.kernel.auditing import anchors, deployment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import AuditEntry, AuditHead
from loancrm.kernel.words.phrases import gettext as _

GENESIS = "0" * 64
ANCHOR = "audit"
VERIFIED, BROKEN = "audit.verified", "audit.broken"
ACCEPTED = "audit.restore_accepted"
# The fact of a decision that tells up to which entry it has seen everything.
SEEN = "seen_entry"


class NotAccepted(LoanCrmError):
    """There is nothing to accept, or what is wrong is not what a restore leaves."""

    code = "not_accepted"


@dataclass(frozen=True, slots=True)
class ChainVerification:
    """Result of walking the chain.

    Attributes:
        entries: How many entries were read and fit.
        first_bad_id: The first entry that was changed, follows a removed one or was slipped in.
        is_truncated: Entries are missing at the end, by the head or by an anchor.
        broken_anchor: Number of entries at the first anchor that tells of another chain.
        head: Hash of the last entry that fits.
        anchors: How many anchors the chain was held against.
    """

    entries: int
    first_bad_id: int | None
    is_truncated: bool
    broken_anchor: int | None = None
    head: str = field(default="", compare=False)
    anchors: int = field(default=0, compare=False)

    @property
    def is_intact(self) -> bool:
        """Return whether no entry was changed, removed or added outside the chain."""
        return self.first_bad_id is None and not self.is_truncated and self.broken_anchor is None


def record(
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: str | int,
    now: datetime,
    reason: str = "",
    facts: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Append an entry to the chain, in the caller's transaction.

    Services record through `acting.Act`. Last in the transaction: the end of the chain stays locked
    until the commit.

    Args:
        object_type: Name or label of the object's model; stored as its label.
        facts: Ids, counts and old/new values without personal data; must be JSON.
    """
    with transaction.atomic(savepoint=False):
        head = _locked_head()
        entry = AuditEntry(
            at=now,
            actor_kind=actor.kind.value,
            actor_id=actor.id,
            actor_label=actor.label,
            action=action,
            object_type=one_spelling(object_type),
            object_id=str(object_id),
            reason=reason,
            facts=dict(facts or {}),
            previous_hash=head.entry_hash,
        )
        entry.entry_hash = _digest(entry)
        entry.save(force_insert=True)
        AuditHead.objects.filter(id=1).update(
            entry_count=head.entry_count + 1, entry_hash=entry.entry_hash
        )
    return entry


def _locked_head() -> AuditHead:
    """Return the end of the chain, locked; a new chain gets one."""
    heads = AuditHead.objects.select_for_update()
    head = heads.filter(id=1).first()
    if head is None:
        AuditHead.objects.get_or_create(id=1, defaults={"entry_hash": GENESIS})
        head = heads.get(id=1)
    return head


def type_of(model: type[Model] | Model) -> str:
    """Return how entries name objects of a model: `campaigns.Campaign`, the same everywhere."""
    return model._meta.label  # noqa: SLF001 - Django's documented way to a model's label


def about(obj: Model) -> QuerySet[AuditEntry]:
    """Return every entry about one object, oldest first."""
    entries = AuditEntry.objects.filter(object_type=type_of(obj), object_id=str(obj.pk))
    return entries.order_by("id")


def last_number() -> int:
    """Return the number of the newest entry, to be taken before a state is read and judged.

    Entries come in the order of their commits: what this one and all before it tell of is in the
    state, and whatever is not in it gets a higher number.
    """
    return AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0


def seen_by(obj: Model, *, action: str) -> int:
    """Return up to which entry the newest decision about an object has seen; its first without any.

    What a decision has not seen is told by numbers: the clocks of several hosts tell no order, and
    the decision's own entry comes after changes that were made while it was taken.

    Args:
        action: The decision's; its entries have the fact `SEEN`.
    """
    entries = about(obj)
    decision = entries.filter(action=action).last()
    if decision is not None:
        return int(decision.facts.get(SEEN, 0))
    first = entries.first()
    return first.pk if first else 0


@cache
def one_spelling(object_type: str) -> str:
    """Return a model's label for any way to write it; what is no model's name stays as it is."""
    wanted = object_type.lower()
    labels = {type_of(model) for model in apps.get_models()}
    found = [
        label for label in labels if wanted in {label.lower(), label.partition(".")[2].lower()}
    ]
    return found[0] if len(found) == 1 else object_type


def verify(*, known_heads: Mapping[int, str] | None = None) -> ChainVerification:
    """Walk the whole chain and name the first entry that was changed, removed or slipped in.

    Cutting entries off the end shows because the head keeps their count; a rewrite of the whole
    chain together with its head shows only against heads that were kept elsewhere.

    Args:
        known_heads: {number of entries: hash of the last of them}, from anchors.
    """
    heads = dict(known_heads or {})
    expected = GENESIS
    count = 0
    broken_anchor = None
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous_hash != expected or entry.entry_hash != _digest(entry):
            return ChainVerification(
                count, entry.pk, is_truncated=False, broken_anchor=broken_anchor
            )
        expected = entry.entry_hash
        count += 1
        if broken_anchor is None and heads.get(count, expected) != expected:
            broken_anchor = count
    head = AuditHead.objects.filter(id=1).first()
    is_cut = head is not None and (head.entry_count, head.entry_hash) != (count, expected)
    is_cut = is_cut or (head is None and count > 0) or max(heads, default=0) > count
    return ChainVerification(count, None, is_cut, broken_anchor, head=expected, anchors=len(heads))


def verify_and_anchor(*, now: datetime) -> ChainVerification:
    """Hold the chain against its anchors; where it is whole, write down what it looks like now.

    What was found is an entry of its own, so that compliance sees that somebody looked, and when.
    """
    known = _known_heads()
    found = verify(known_heads=known)
    with transaction.atomic():
        record(
            actor=system_actor("verify_audit"),
            action=VERIFIED if found.is_intact else BROKEN,
            object_type=type_of(AuditEntry),
            object_id=found.first_bad_id or found.broken_anchor or found.entries,
            now=now,
            facts={"entries": found.entries, "is_truncated": found.is_truncated},
        )
    if found.is_intact and known.get(found.entries) != found.head:
        anchor = {"at": now.isoformat(), "entries": found.entries, "head": found.head}
        anchors.write(ANCHOR, anchor, logged=anchor)
    return found


def accept_restore(*, actor: Actor, reason: str, now: datetime) -> AuditEntry:
    """Let the checks of all chains go on from what they are now, after a restore.

    A restored trail lacks entries that its anchors know; everything in it still fits together. One
    that does not was changed otherwise, and no word makes it whole.

    Raises:
        PermissionRefused: The actor may not say so.
        NotAccepted: No anchor tells of another chain, the trail itself is broken, or no reason is
            given.
    """
    access.require(actor, "kernel.confirm_sending")
    if actor.kind is not ActorKind.USER or not reason.strip():
        raise NotAccepted(_("Only a person can accept a restore, with a reason."))
    found = verify(known_heads=_known_heads())
    if found.first_bad_id is not None:
        raise NotAccepted(_("The audit trail itself was changed; that is not from a restore."))
    if found.is_intact:
        raise NotAccepted(_("The audit trail fits its anchors; there is nothing to accept."))
    with transaction.atomic():
        return note_accepted(
            actor=actor,
            reason=reason,
            now=now,
            facts={"entries": found.entries, "broken_anchor": found.broken_anchor},
        )


def note_accepted(
    *, actor: Actor, reason: str, now: datetime, facts: Mapping[str, object]
) -> AuditEntry:
    """Write that a person has accepted a restore; the caller has checked who and why.

    Every chain that has anchors gets one that says so, after the commit.
    """
    row = deployment.current()
    anchored = max(_known_heads(), default=0)
    entry = record(
        actor=actor,
        action=ACCEPTED,
        object_type=type_of(AuditEntry),
        object_id=row.pk,
        now=now,
        reason=reason,
        facts={**facts, "anchored_entries": anchored, "epoch": row.epoch},
    )
    head = AuditHead.objects.get(id=1)
    said = {"at": now.isoformat(), "is_accepted": True, "entry": entry.pk}
    whole = {**said, "entries": head.entry_count, "head": head.entry_hash}

    def write() -> None:
        for name in {ANCHOR, *anchors.names()}:
            anchor = whole if name == ANCHOR else said
            anchors.write(name, anchor, logged=anchor)

    transaction.on_commit(write)
    return entry


def _known_heads() -> dict[int, str]:
    return {anchor["entries"]: anchor["head"] for anchor in anchors.read(ANCHOR)}


def _digest(entry: AuditEntry) -> str:
    content = {
        "at": entry.at.isoformat(),
        "actor": [entry.actor_kind, entry.actor_id, entry.actor_label],
        "action": entry.action,
        "object": [entry.object_type, entry.object_id],
        "reason": entry.reason,
        "facts": entry.facts,
        "previous": entry.previous_hash,
    }
    encoded = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(encoded.encode()).hexdigest()
