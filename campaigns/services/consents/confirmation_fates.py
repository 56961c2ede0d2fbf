"""Deciding about confirmations of unknown fate: a person found out whether somebody was asked."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from django.db import transaction

from campaigns.selectors.receipts import unknown_confirmations
from customers.models import OptInRequest
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit

_IDS_NAMED = 100


class ConfirmationFate(StrEnum):
    """What a person found out, and what is to happen then."""

    WAS_SENT = "was_sent"
    SEND_AGAIN = "send_again"


@transaction.atomic
def decide(
    *, request_ids: Sequence[int], fate: ConfirmationFate, actor: Actor, now: datetime
) -> int:
    """Store the fate of confirmations; those decided or confirmed meanwhile stay as they are.

    Who was not asked is asked by the next run, with every check and with the same key.

    Returns:
        How many were decided by this call.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    access.require(actor, "campaigns.launch_campaign")
    rows = unknown_confirmations.found(now).filter(pk__in=request_ids).select_for_update()
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        return 0
    decided = OptInRequest.objects.filter(pk__in=ids)
    match fate:
        case ConfirmationFate.WAS_SENT:
            decided.update(next_try_at=None)
        case ConfirmationFate.SEND_AGAIN:
            decided.update(sent_at=None, next_try_at=None, tries=0)
        case _:
            assert_never(fate)
    audit.record(
        actor=actor,
        action="optinrequest.fate_decided",
        object_type=OptInRequest._meta.label,  # noqa: SLF001 - Django's registry
        object_id="some",
        now=now,
        facts={"fate": fate, "count": len(ids), "requests": ids[:_IDS_NAMED]},
    )
    return len(ids)
