"""Withdrawing consent: recorded once, in force at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

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
    wanted = {(item.customer_id, item.channel, item.purpose): item for item in withdrawals}
    customer_ids = sorted({item.customer_id for item in withdrawals})
    if not customer_ids:
        return 0
    with transaction.atomic():
        if connection.features.has_select_for_update:
            # Two clicks at once must not both find the consent granted and write two records.
            list(
                Customer.objects.filter(pk__in=customer_ids)
                .order_by("pk")
                .select_for_update()
                .values_list("pk")
            )
        already = set(
            ConsentState.objects.filter(customer_id__in=customer_ids, is_granted=False).values_list(
                "customer_id", "channel", "purpose"
            )
        )
        open_items = [item for key, item in wanted.items() if key not in already]
        ConsentRecord.objects.bulk_create(
            [
                ConsentRecord(
                    customer_id=item.customer_id,
                    channel=item.channel,
                    purpose=item.purpose,
                    is_granted=False,
                    source=item.source,
                    evidence=item.evidence,
                    at=now,
                    recorded_at=now,
                )
                for item in open_items
            ],
            batch_size=500,
        )
        ConsentState.objects.bulk_create(
            [
                ConsentState(
                    customer_id=item.customer_id,
                    channel=item.channel,
                    purpose=item.purpose,
                    is_granted=False,
                    changed_at=now,
                )
                for item in open_items
            ],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["customer", "channel", "purpose"],
            update_fields=["is_granted", "changed_at", "expires_at"],
        )
    return len(open_items)
