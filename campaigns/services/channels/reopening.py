"""Letting a blocked channel go on: a person has seen to the account, or a test went well."""

from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Channel, Dispatch
from campaigns.services.sending import throttling
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError


class ChannelNotBlocked(LoanCrmError):
    """There is no block to lift."""

    code = "channel_not_blocked"


def reopen_channel(
    *, channel: Channel, actor: Actor, now: datetime, blames_recipients: bool = False
) -> int:
    """Let a channel go on, with everything that was held for its sake.

    Args:
        blames_recipients: The refusals were about the people written to: from now on their code
            fails a message and no longer blocks the channel.

    Returns:
        How many dispatches go on.

    Raises:
        ChannelNotBlocked: Nothing blocks the channel.
        PermissionRefused: The actor may not launch campaigns.
    """
    with acting(actor, "campaigns.launch_campaign", now=now) as act:
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        if row.blocked_at is None:
            raise ChannelNotBlocked(_("The channel is not blocked."))
        if blames_recipients:
            Channel.objects.filter(pk=row.pk).update(tolerated_code=row.blocked_reason[:40])
        released = release(channel=row)
        act.record(
            "channel.reopened",
            on=row,
            facts={
                "slug": row.slug,
                "reason": row.blocked_reason,
                "blames_recipients": blames_recipients,
                "released": released,
            },
        )
    return released


def release(*, channel: Channel) -> int:
    """Lift a block and a pause; return how many held dispatches go on. In a transaction."""
    Channel.objects.filter(pk=channel.pk).update(**throttling.GOES_ON)
    return Dispatch.objects.filter(
        channel=channel, status=DispatchStatus.HELD, hold_reason=HoldReason.CHANNEL_BLOCKED
    ).update(status=DispatchStatus.RUNNING, hold_reason="", is_hold_told=False)
