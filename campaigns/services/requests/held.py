"""Messages of a template that wait for a person: let go on, or given up."""

from datetime import datetime

from django.db.models import Q, QuerySet

from campaigns import jobs
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Dispatch, Message, MessageTemplate
from campaigns.services.sending import sweeping, throttling
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.jobs import enqueue

RELEASES = "campaigns.launch_campaign"


def release_held(*, template: MessageTemplate, actor: Actor, now: datetime) -> int:
    """Let held messages of a template go on; return how many dispatches.

    What is not what was approved any more stays held: it was frozen with another text, and can only
    be given up. What still has no provider, or none but one with another signature, is held again.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, RELEASES, now=now) as act:
        is_changed = Q(hold_reason__startswith="changed_")
        held = _held(template).exclude(is_changed & ~Q(hold_reason=HoldReason.CHANGED_STAND_INS))
        blocked = held.filter(hold_reason=HoldReason.CHANNEL_BLOCKED)
        throttling.unblock(channel_ids=list(blocked.values_list("channel_id", flat=True)))
        released = held.update(status=DispatchStatus.RUNNING, hold_reason="", is_hold_told=False)
        facts = {"dispatches": released}
        act.record("message_template.held_released", on=template, facts=facts)
        enqueue(jobs.TICK)
    return released


def cancel_held(*, template: MessageTemplate, actor: Actor, now: datetime) -> int:
    """Give up the held messages of a template for good; return how many dispatches.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, RELEASES, now=now) as act:
        ids = list(_held(template).select_for_update().values_list("pk", flat=True))
        sweeping.cancel_planned(Message.objects.filter(dispatch__in=ids), now)
        Dispatch.objects.filter(pk__in=ids).update(
            status=DispatchStatus.CANCELLED, completed_at=now
        )
        facts = {"dispatches": len(ids)}
        act.record("message_template.held_cancelled", on=template, facts=facts)
    return len(ids)


def _held(template: MessageTemplate) -> QuerySet[Dispatch]:
    return Dispatch.objects.filter(request__template=template, status=DispatchStatus.HELD)
