"""The audit trail: every write through a service leaves one entry, chained by hashes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from loancrm.kernel.access import Actor
from loancrm.kernel.models import AuditEntry, AuditHead

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of walking the chain: how many entries were read and the first that does not fit."""

    entries: int
    first_bad_id: int | None
    is_truncated: bool

    @property
    def is_intact(self) -> bool:
        """Return whether no entry was changed, removed or added outside the chain."""
        return self.first_bad_id is None and not self.is_truncated


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

    Call it last in the transaction: the end of the chain stays locked until the commit.

    Args:
        facts: Ids, counts and old/new values without personal data; must be JSON.
    """
    with transaction.atomic():
        AuditHead.objects.get_or_create(id=1, defaults={"entry_hash": GENESIS})
        head = AuditHead.objects.select_for_update().get(id=1)
        entry = AuditEntry(
            at=now,
            actor_kind=actor.kind.value,
            actor_id=actor.id,
            actor_label=actor.label,
            action=action,
            object_type=object_type,
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


def type_of(model: type[Model] | Model) -> str:
    """Return how entries name objects of a model: `campaigns.Campaign`, the same everywhere."""
    return model._meta.label  # noqa: SLF001 - Django's documented way to a model's label


def verify() -> Verification:
    """Walk the whole chain and name the first entry that was changed, removed or slipped in.

    Cutting entries off the end shows because the head keeps their count; a rewrite of the whole
    chain together with its head shows only against a copy of the head kept elsewhere.
    """
    expected = GENESIS
    count = 0
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous_hash != expected or entry.entry_hash != _digest(entry):
            return Verification(entries=count, first_bad_id=entry.pk, is_truncated=False)
        expected = entry.entry_hash
        count += 1
    head = AuditHead.objects.filter(id=1).first()
    is_truncated = head is not None and (head.entry_count, head.entry_hash) != (count, expected)
    return Verification(entries=count, first_bad_id=None, is_truncated=is_truncated)


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
