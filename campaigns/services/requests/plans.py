"""What a request tells the sending engine: a dispatch that is planned and not stored."""

from datetime import datetime

from campaigns.domain.requests.call import RequestPriority
from campaigns.domain.sending.states import DispatchSource, DispatchStatus, Priority
from campaigns.models import Dispatch, MessageTemplate
from customers.domain.consents.consent import Purpose


def plan_request(
    *, template: MessageTemplate, priority: RequestPriority, due_at: datetime
) -> Dispatch:
    """Return the plan of a request: it runs from the moment that it is stored.

    Args:
        template: With its touchpoint and channel.
    """
    channel = template.touchpoint.channel
    return Dispatch(
        source=DispatchSource.REQUEST,
        touchpoint=template.touchpoint,
        channel=channel,
        channel_kind=channel.kind if channel else "",
        name=template.name,
        subject=template.slug,
        purpose=template.purpose,
        service_kind=template.service_kind,
        product_kind=template.product_kind,
        priority=_priority(template, priority),
        variables=list(template.variables),
        unit_cost=channel.cost_per_part if channel else None,
        approved_parts=dict(template.touchpoint.approved_parts),
        # Nobody waits for it to begin, so no start can be missed.
        status=DispatchStatus.RUNNING,
        due_at=due_at,
    )


def _priority(template: MessageTemplate, asked: RequestPriority) -> Priority:
    """Return the place: marketing never before a campaign, a service never behind one."""
    if template.purpose == Purpose.SERVICE:
        return min(asked.rank, Priority.SERVICE)
    return max(asked.rank, Priority.NORMAL)
