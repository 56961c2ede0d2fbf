"""How far a campaign has come, in words: its runs, what stops it, what it waits for."""

from collections.abc import Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import labels
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Campaign, Dispatch
from campaigns.selectors.campaigns import live_progress, standstill
from campaigns.selectors.sending import channel_states
from customers import labels as customer_labels
from loancrm.admin_site import object_url
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.database import shared_clock

_WAY = (
    CampaignStatus.DRAFT,
    CampaignStatus.IN_REVIEW,
    CampaignStatus.APPROVED,
    CampaignStatus.RUNNING,
    CampaignStatus.COMPLETED,
)
_AS = {CampaignStatus.PAUSED: CampaignStatus.RUNNING}


def way(campaign: Campaign) -> list[tuple[str, str]]:
    """Return (label, done | now | next) of the steps from draft to completed."""
    status = CampaignStatus(campaign.status)
    if status in {CampaignStatus.CANCELLED, CampaignStatus.IMPORTED}:
        return [(labels.CAMPAIGN_STATUSES.label(status), "now")]
    at = _WAY.index(_AS.get(status, status))
    shown = [labels.CAMPAIGN_STATUSES.label(step) for step in _WAY]
    shown[at] = labels.CAMPAIGN_STATUSES.label(status)
    is_over = at == len(_WAY) - 1
    return [
        (text, "done" if position < at or is_over else "now" if position == at else "next")
        for position, text in enumerate(shown)
    ]


def runs(found: Sequence[Dispatch]) -> list[tuple[Dispatch, str, str, str]]:
    """Return each run of a step with its channel, how far it is and why it is held."""
    return [
        (
            run,
            run.channel.name if run.channel and run.channel.name else _kind(run),
            labels.DISPATCH_STATUSES.label(run.status),
            labels.HOLD_REASONS.label(run.hold_reason),
        )
        for run in found
    ]


def standing_still(campaign: Campaign) -> str:
    """Return for how long nothing has been sent although people are due; empty while it moves."""
    found = standstill.of_campaign(campaign)
    if found is None:
        return ""
    minutes = found.minutes(shared_clock.now())
    return ngettext(
        "Nothing has been sent for %(count)s minute although people are due: no sending worker"
        " answers. Tell those who run the system.",
        "Nothing has been sent for %(count)s minutes although people are due: no sending worker"
        " answers. Tell those who run the system.",
        minutes,
    ) % {"count": f"{minutes:,}"}


def waiting(campaign: Campaign) -> str:
    """Return which step begins by itself and when; empty where none is waited for."""
    found = standstill.next_step(campaign)
    if found is None:
        return ""
    channel = found.step.channel
    facts = {
        "channel": (channel.name or channel.slug) if channel else "–",
        "until": date_format(localtime(found.until), "Y-m-d H:i"),
    }
    if found.step.is_fallback:
        return (
            _(
                "The fallback through %(channel)s begins at %(until)s, for those whom the first"
                " message has not reached by then."
            )
            % facts
        )
    return _("The next message through %(channel)s begins at %(until)s.") % facts


def stops(campaign: Campaign, actor: Actor, runs: Sequence[Dispatch]) -> list[dict[str, Any]]:
    """Return what keeps the campaign from sending, with who can end it and how."""
    if campaign.status in live_progress.OVER:
        return []
    may_end = access.is_allowed(actor, "campaigns.launch_campaign")
    found: list[dict[str, Any]] = [
        {
            "name": state.channel.name,
            "is_blocked": state.is_blocked,
            "tone": "bad" if state.is_blocked else "warn",
            "reason": labels.account_reason(state.reason),
            "url": object_url(state.channel),
            "reopen": state.channel.pk if state.is_blocked and may_end else None,
        }
        for state in channel_states.standing_still(campaign.dispatches.all())
    ]
    reasons = {run.hold_reason for run in runs if run.status == DispatchStatus.HELD}
    reasons = (reasons | {campaign.run_hold_reason}) - {""}
    if any(stop["is_blocked"] for stop in found):
        reasons.discard(HoldReason.CHANNEL_BLOCKED)
    return found + [
        {
            "held": labels.HOLD_REASONS.label(reason),
            "tone": "bad",
            "is_author_untold": reason == campaign.run_hold_reason
            and campaign.run_hold_mail_failures > 0,
        }
        for reason in sorted(reasons)
    ]


def _kind(run: Dispatch) -> str:
    return customer_labels.CHANNELS.label(run.channel_kind)
