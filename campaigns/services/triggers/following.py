"""One round: take new events in, and begin the runs that are due."""

import logging
from datetime import datetime

from django.db import Error as DatabaseFault

from campaigns.models import Campaign
from campaigns.selectors.triggers import listening
from campaigns.services.campaigns import recurring
from campaigns.services.triggers import intake, waves
from loancrm.kernel.auditing import deployment
from loancrm.kernel.database import leases
from loancrm.kernel.database.errors import PASSING, trouble_of

logger = logging.getLogger(__name__)
# A burst of many thousands is several runs; the rest is the next round's.
MOST_RUNS = 20


def follow(*, holder: str, now: datetime) -> int:
    """Take in what happened and begin runs of it, one worker at a time.

    Nothing moves while sending waits for a person's confirmation. A campaign that cannot go on
    stops no other.

    Returns:
        How many runs began.
    """
    if not deployment.may_send():
        return 0
    if not leases.claim(name=intake.LEASE, holder=holder, seconds=intake.LEASE_SECONDS):
        return 0
    try:
        intake.take_in(holder=holder, now=now)
        waves.refuse_orphans()
        begun = 0
        for campaign in listening.with_due_triggers(now):
            begun += _runs_of(campaign, now)
        return begun
    finally:
        leases.release(name=intake.LEASE, holder=holder)


def _runs_of(campaign: Campaign, now: datetime) -> int:
    begun = 0
    try:
        while begun < MOST_RUNS and waves.start_run(campaign=campaign, now=now) is not None:
            begun += 1
    except DatabaseFault as error:
        if trouble_of(error) in PASSING:
            # The database is away: nobody's fault, and nothing else would work either.
            raise
        _hold(campaign, error)
    except Exception as error:  # noqa: BLE001 - a fault of one campaign holds that one
        _hold(campaign, error)
    return begun


def _hold(campaign: Campaign, error: Exception) -> None:
    # Its words may hold personal data.
    logger.error(
        "triggered run failed", extra={"campaign": campaign.pk, "error": type(error).__name__}
    )
    recurring.hold_runs(campaigns=Campaign.objects.filter(pk=campaign.pk))
