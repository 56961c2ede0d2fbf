"""Campaigns that serve as a template: they are copied, and are never sent themselves."""

from datetime import datetime

from campaigns.models import Campaign
from campaigns.services.campaigns import authoring
from loancrm.kernel.access import Actor


def mark_template(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Offer a draft as a template for new campaigns.

    Raises:
        CampaignLocked: The campaign is no draft.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    return _set(campaign, actor, now, is_template=True)


def unmark_template(*, campaign: Campaign, actor: Actor, now: datetime) -> Campaign:
    """Let a template be an ordinary draft again."""
    return _set(campaign, actor, now, is_template=False)


def _set(campaign: Campaign, actor: Actor, now: datetime, *, is_template: bool) -> Campaign:
    with authoring.writing(campaign, actor=actor, now=now) as act:
        row = Campaign.objects.select_for_update().get(pk=campaign.pk)
        authoring.require_status(row, authoring.EDITABLE)
        if row.is_template == is_template:
            act.unchanged()
            return row
        row.is_template, row.updated_at = is_template, now
        row.save(update_fields=["is_template", "updated_at"])
        act.record("campaign.template_chosen" if is_template else "campaign.template_given_up")
    return row
