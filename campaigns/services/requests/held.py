"""Messages of a template that wait for a person: let go on, or given up."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from campaigns import jobs
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Dispatch, Message, MessageTemplate
from campaigns.services.sending import sweeping, throttling
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.jobs import enqueue

RELEASES = "campaigns.launch_campaign"


@transaction.atomic
def release_held(*, template: MessageTemplate, actor: Actor, now: datetime) -> int:
    """Let held messages of a template go on; return how many dispatches.

    What is not what was approved any more stays held: it was frozen with another text, and can only
    be given up. What still has no provider is held again.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    access.require(actor, RELEASES)
    held = _held(template).exclude(hold_reason__startswith="changed_")
    blocked = held.filter(hold_reason="channel_blocked").values_list("channel_id", flat=True)
    throttling.unblock(channel_ids=list(blocked))
    released = held.update(status=DispatchStatus.RUNNING, hold_reason="", is_hold_told=False)
    audit.record(
        actor=actor,
        action="message_template.held_released",
        object_type=audit.type_of(template),
        object_id=template.pk,
        now=now,
        facts={"dispatches": released},
    )
    enqueue(jobs.TICK)
    return released


@transaction.atomic
def cancel_held(*, template: MessageTemplate, actor: Actor, now: datetime) -> int:
    """Give up the held messages of a template for good; return how many dispatches.

    Raises:
        PermissionRefused: The actor may not launch campaigns.
    """
    access.require(actor, RELEASES)
    ids = list(_held(template).select_for_update().values_list("pk", flat=True))
    sweeping.cancel_planned(Message.objects.filter(dispatch__in=ids), now=now)
    Dispatch.objects.filter(pk__in=ids).update(status=DispatchStatus.CANCELLED, completed_at=now)
    audit.record(
        actor=actor,
        action="message_template.held_cancelled",
        object_type=audit.type_of(template),
        object_id=template.pk,
        now=now,
        facts={"dispatches": len(ids)},
    )
    return len(ids)


def _held(template: MessageTemplate) -> QuerySet[Dispatch]:
    return Dispatch.objects.filter(request__template=template, status=DispatchStatus.HELD)
