"""Campaigns that ran elsewhere: what is known of them, and the rows that stand for them here."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.partners.touches import TouchChannel
from campaigns.models import Campaign
from customers.domain.events.event import EventName
from loancrm.kernel.acting import Act
from loancrm.kernel.errors import LoanCrmError


class CampaignNotImported(LoanCrmError):
    """A campaign of this name was run here; foreign touches cannot be added to it."""

    code = "campaign_not_imported"


class GoalFixed(LoanCrmError):
    """A campaign's goal and window are fixed once it has messages."""

    code = "goal_fixed"


@dataclass(frozen=True, slots=True)
class PastGoal:
    """What counts as success of a past campaign, and for how long after the first touch."""

    event_name: str = EventName.APPLICATION_SUBMITTED
    window_days: int = 7


@dataclass(frozen=True, slots=True)
class PastCampaign:
    """A campaign that ran elsewhere; a goal of None is the stored one, or the default."""

    slug: str
    channel: TouchChannel
    goal: PastGoal | None = None


def refuse_unfit(past: PastCampaign) -> None:
    """Refuse a past campaign that was run here, or is stored with another goal.

    Raises:
        CampaignNotImported: The campaign exists and was run here.
        GoalFixed: The campaign exists with another goal or window.
    """
    slug = past.slug
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        return
    if campaign.status != CampaignStatus.IMPORTED:
        raise CampaignNotImported(
            _("The campaign %(slug)s was run here; touches from elsewhere cannot be added to it.")
            % {"slug": slug},
            slug=slug,
        )
    stored = PastGoal(campaign.goal_event, campaign.goal_window_days)
    if past.goal is not None and past.goal != stored:
        raise GoalFixed(
            _("The goal of %(slug)s is %(event)s within %(days)d days and cannot be changed.")
            % {"slug": slug, "event": stored.event_name, "days": stored.window_days},
            slug=slug,
        )


def campaign_of(act: Act, past: PastCampaign) -> Campaign:
    """Return the row of a past campaign, which is created when missing."""
    goal = past.goal or PastGoal()
    campaign, _is_new = Campaign.objects.get_or_create(
        slug=past.slug,
        defaults={
            "name": past.slug,
            "status": CampaignStatus.IMPORTED,
            "goal_event": goal.event_name,
            "goal_window_days": goal.window_days,
            "author": act.actor.user,
            "created_at": act.now,
            "updated_at": act.now,
        },
    )
    return campaign
