"""The one door to the consent ledger: every change recorded once, in force at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from customers.domain.consent import ConsentFact, is_in_force
from customers.models import ConsentRecord, ConsentState, Customer
from loancrm.kernel import audit
from loancrm.kernel.access import Actor, require


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One customer takes back the consent for one channel and purpose.

    Attributes:
        source: Where it came from, such as `unsubscribe_link`.
        evidence: What proves it: an id, never the words of the person.
    """

    customer_id: int
    channel: str
    purpose: str
    source: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A grant or withdrawal for one channel and purpose.

    Attributes:
        policy_version: Which text the person agreed to, for grants.
        source: Where it came from, such as `preference_centre`.
        evidence: What proves it: an id or a digest, never the words of the person.
        expires_at: When a grant ends by itself.
    """

    customer_id: int
    channel: str
    purpose: str
    is_granted: bool
    source: str
    evidence: str = ""
    policy_version: str = ""
    expires_at: datetime | None = None


def withdraw(*, actor: Actor, withdrawals: Sequence[Withdrawal], now: datetime) -> int:
    """Take back consents; what is withdrawn already is left as it is.

    A customer without any record gets one too, so that a later import cannot grant by mistake.

    Returns:
        How many consents changed.

    Raises:
        PermissionRefused: The actor may not change consents.
    """
    require(actor, "customers.change_consentstate")
    with transaction.atomic():
        changed = append_withdrawals(withdrawals=withdrawals, now=now)
        if changed:
            audit.record(
                actor=actor,
                action="consents.withdraw",
                object_type="consent",
                object_id="batch",
                now=now,
                facts={"changed": changed},
            )
    return changed


def append_withdrawals(*, withdrawals: Sequence[Withdrawal], now: datetime) -> int:
    """Take back consents for a service that checks the permission and writes the audit entry."""
    changes = [
        ConsentChange(
            customer_id=item.customer_id,
            channel=item.channel,
            purpose=item.purpose,
            is_granted=False,
            source=item.source,
            evidence=item.evidence,
        )
        for item in withdrawals
    ]
    return len(append_changes(changes=changes, now=now))


def append_changes(*, changes: Sequence[ConsentChange], now: datetime) -> list[ConsentChange]:
    """Write grants and withdrawals for a service that checks the permission and audits itself.

    What is so already is left as it is. Of several changes of one consent the last one counts.

    Returns:
        The changes that were new, each with a row of the ledger.
    """
    wanted = {(item.customer_id, item.channel, item.purpose): item for item in changes}
    customer_ids = sorted({item.customer_id for item in changes})
    if not customer_ids:
        return []
    with transaction.atomic():
        if connection.features.has_select_for_update:
            # Two clicks at once must not both find the consent granted and write two records.
            list(
                Customer.objects.filter(pk__in=customer_ids)
                .order_by("pk")
                .select_for_update()
                .values_list("pk")
            )
        known = _stored(customer_ids)
        fresh = [item for key, item in wanted.items() if not _is_so(item, known.get(key), now)]
        _write(fresh, now)
    return fresh


def _stored(customer_ids: Sequence[int]) -> dict[tuple[int, str, str], ConsentFact]:
    rows = ConsentState.objects.filter(customer_id__in=customer_ids).values_list(
        "customer_id", "channel", "purpose", "is_granted", "changed_at", "expires_at"
    )
    return {
        (customer_id, channel, purpose): ConsentFact(is_granted, changed_at, expires_at)
        for customer_id, channel, purpose, is_granted, changed_at, expires_at in rows
    }


def _is_so(change: ConsentChange, fact: ConsentFact | None, now: datetime) -> bool:
    if fact is None:
        return False
    if not change.is_granted:
        return not fact.is_granted
    return is_in_force(fact, now=now) and fact.expires_at == change.expires_at


def _write(changes: Sequence[ConsentChange], now: datetime) -> None:
    ConsentRecord.objects.bulk_create(
        [
            ConsentRecord(
                customer_id=item.customer_id,
                channel=item.channel,
                purpose=item.purpose,
                is_granted=item.is_granted,
                policy_version=item.policy_version,
                source=item.source,
                evidence=item.evidence,
                at=now,
                expires_at=item.expires_at,
                recorded_at=now,
            )
            for item in changes
        ],
        batch_size=500,
    )
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer_id=item.customer_id,
                channel=item.channel,
                purpose=item.purpose,
                is_granted=item.is_granted,
                changed_at=now,
                expires_at=item.expires_at,
            )
            for item in changes
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["customer", "channel", "purpose"],
        update_fields=["is_granted", "changed_at", "expires_at"],
    )
