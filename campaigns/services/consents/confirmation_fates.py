"""Deciding about confirmations of unknown fate: a person found out whether somebody was asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from campaigns.domain.sending.fates import ConfirmationFate
from campaigns.selectors.receipts import unknown_confirmations
from customers.models import OptInRequest
from customers.services.consents import opt_ins
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

_IDS_NAMED = 100


def decide(
    *, request_ids: Sequence[int], fate: ConfirmationFate, actor: Actor, now: datetime
) -> int:
    """Store the fate of confirmations; those decided or confirmed meanwhile stay as they are.

    Who was not asked is asked by the next run, with every check and with the same key; a link that
    has expired is valid anew.

    Returns:
        How many were decided by this call.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, "campaigns.launch_campaign", now=now) as act:
        rows = unknown_confirmations.found(now).filter(pk__in=request_ids).select_for_update()
        ids = list(rows.values_list("pk", flat=True))
        if not ids:
            act.unchanged()
            return 0
        decided = OptInRequest.objects.filter(pk__in=ids)
        match fate:
            case ConfirmationFate.WAS_SENT:
                decided.update(next_try_at=None)
            case ConfirmationFate.SEND_AGAIN:
                decided.filter(expires_at__lte=now).update(
                    expires_at=now + timedelta(days=opt_ins.VALID_DAYS)
                )
                decided.update(sent_at=None, next_try_at=None, tries=0)
            case _:
                assert_never(fate)
        act.record(
            "optinrequest.fate_decided",
            on=(OptInRequest, "some"),
            facts={"fate": fate, "count": len(ids), "requests": ids[:_IDS_NAMED]},
        )
    return len(ids)
