"""Choosing how many people get no marketing at all, from the next period on."""

import secrets
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from campaigns.domain.experiments.global_control import LARGEST_SHARE, PeriodLength, next_start
from campaigns.models import GlobalControlChoice
from campaigns.selectors.sending import global_control
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION = "campaigns.add_globalcontrolchoice"
SHORTEST_REASON = 10


class GlobalControlRefused(LoanCrmError):
    """The share is too large, or the reason says too little."""

    code = "global_control_refused"


def choose(
    *, actor: Actor, share: Decimal, length: PeriodLength, reason: str, now: datetime
) -> GlobalControlChoice:
    """Choose the share and the length of periods that hold from the next period on.

    The period that runs stays as it is: a group that changes on the way compares nothing. A choice
    that was to hold from the same day is replaced by this one, and stays on record.

    Raises:
        PermissionRefused: The actor may not choose.
        GlobalControlRefused: The share is not within 0 to 20 %, or the reason is too short.
    """
    act = acting(actor, PERMISSION, now=now)
    if not 0 <= share <= LARGEST_SHARE:
        raise GlobalControlRefused(_("The share has to lie between 0 and 20 percent."))
    why = reason.strip()
    if len(why) < SHORTEST_REASON:
        raise GlobalControlRefused(
            _("Say why, and who agreed, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    today = now.astimezone(clock.company_zone()).date()
    with act:
        row = GlobalControlChoice.objects.create(
            share=share,
            period_length=length,
            valid_from=next_start(global_control.choices(), length, today),
            salt=UUID(bytes=secrets.token_bytes(16), version=4),
            reason=why,
            recorded_by=actor.user,
            recorded_at=now,
        )
        act.record(
            "global_control.chosen",
            on=row,
            facts={
                "share": str(share),
                "period_length": str(length),
                "valid_from": row.valid_from.isoformat(),
            },
            reason=why[:300],
        )
    return row
