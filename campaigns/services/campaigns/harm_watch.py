"""Pausing campaigns that harm people or a provider account, before anybody has to notice."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from campaigns import jobs
from campaigns.domain.campaigns import harm_watch
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.harm_watch import Harm, HarmFound
from campaigns.domain.experiments.harm import HarmBound
from campaigns.models import Campaign, Channel, Dispatch
from campaigns.selectors.campaigns import harm_counts
from campaigns.services.campaigns import authoring
from campaigns.services.sending import holding
from customers.domain.consents.consent import Purpose
from loancrm.kernel.access import system_actor
from loancrm.kernel.acting import acting

PAUSES = "campaigns.launch_campaign"


def pause_harmful(*, now: datetime) -> int:
    """Pause every running campaign whose failures, complaints or opt-outs are too many.

    And all running marketing through a provider account of which the same is true over the last
    day: a provider shuts the account, whichever campaign it was. Safe to repeat.

    Returns:
        How many campaigns were paused.
    """
    bounds = bounds_set()
    if not bounds:
        return 0
    paused = 0
    for pk, counts in harm_counts.of_campaigns(now=now).items():
        found = harm_watch.found_harm(counts, bounds)
        if found is not None:
            paused += _pause(Campaign.objects.filter(pk=pk), found, of_account=False, now=now)
    for pk, counts in harm_counts.of_accounts(now=now).items():
        found = harm_watch.found_harm(counts, bounds)
        if found is not None:
            through = Dispatch.objects.filter(channel_id=pk).values("campaign")
            campaigns = Campaign.objects.filter(pk__in=through, purpose=Purpose.MARKETING)
            paused += _pause(campaigns, found, of_account=True, now=now)
    return paused


def bounds_set() -> Mapping[Harm, HarmBound]:
    """Return the bounds that the settings name; a harm that is switched off has none."""
    rates: dict[Harm, tuple[float, ...]] = {
        Harm.FAILURES: settings.LOANCRM_HARM_FAILURES,
        Harm.COMPLAINTS: settings.LOANCRM_HARM_COMPLAINTS,
        Harm.OPT_OUTS: settings.LOANCRM_HARM_OPT_OUTS,
    }
    return {harm: HarmBound(*pair) for harm, pair in rates.items() if pair}


def write_recount(*, campaign: Campaign, now: datetime) -> None:
    """Count anew from now on, after a person has looked: the campaign, and the accounts it uses.

    What was too much for the campaign may be too much for its account as well, and would pause it
    again at once. In the caller's transaction.
    """
    through = Dispatch.objects.filter(campaign=campaign).values("channel")
    Channel.objects.filter(pk__in=through).update(harm_since=now)
    Campaign.objects.filter(pk=campaign.pk).update(
        harm_since=now,
        pause_reason="",
        is_pause_told=False,
        run_hold_mail_failures=0,
        run_hold_mail_after=None,
    )


def _pause(
    campaigns: QuerySet[Campaign], found: HarmFound, *, of_account: bool, now: datetime
) -> int:
    reason = harm_watch.pause_reason(found.harm, of_account=of_account)
    facts = {"reason": reason.value, "count": found.bad, "messages": found.messages}
    paused = 0
    for campaign in campaigns.filter(status=CampaignStatus.RUNNING).order_by("pk"):
        actor = system_actor(f"job:{jobs.WATCH_HARM.name}")
        with acting(actor, PAUSES, on=campaign, now=now) as act:
            locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
            if locked.status != CampaignStatus.RUNNING:
                # Somebody was faster.
                act.unchanged()
                continue
            authoring.move(
                locked,
                CampaignStatus.PAUSED,
                act=act,
                sources=(CampaignStatus.RUNNING,),
                facts=facts,
            )
            holding.pause(dispatches=Dispatch.objects.filter(campaign=campaign))
            Campaign.objects.filter(pk=campaign.pk).update(
                pause_reason=reason,
                is_pause_told=False,
                run_hold_mail_failures=0,
                run_hold_mail_after=None,
            )
            paused += 1
    return paused
