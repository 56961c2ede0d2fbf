"""Whoever complains hears no marketing through any channel, until somebody ends the stop."""

from datetime import datetime

from campaigns.domain.receipts.stops import Stop, StopReason, StopSource
from campaigns.models import Suppression
from campaigns.selectors.receipts import complaints
from campaigns.services.consents import stop_list
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

_BATCH = 500


def stop_complainers(*, actor: Actor, now: datetime) -> int:
    """Stop all marketing to whoever complained, by whatever way the complaint reached the log.

    Run every few seconds; messages of running campaigns meet the stop when their turn comes. The
    stop is of the stop list: it is seen on the customer's page and ended there, with a reason. A
    consent is left as it is; a complaint withdraws none.

    Returns:
        How many people were stopped.

    Raises:
        PermissionRefused: The actor may not stop contacts.
    """
    act = acting(actor, "campaigns.add_suppression", now=now)
    stopped = 0
    while found := complaints.unheard(now=now, limit=_BATCH):
        with act:
            stop_list.append(
                stops=[
                    Stop(
                        customer_id=customer_id,
                        channel="",
                        key=f"complaint:{customer_id}",
                        source=StopSource.COMPLAINT,
                        occurred_at=at,
                        reason=StopReason.COMPLAINED,
                    )
                    for customer_id, at in found.items()
                ],
                now=now,
            )
            act.record(
                "contacts.stop",
                on=(Suppression, "batch"),
                facts={"added": len(found), "reason": StopReason.COMPLAINED.value},
            )
        stopped += len(found)
    return stopped
