"""The upper half of the first page: what needs its reader, runs, comes and goes astray."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.desk.approvals import rows_of
from analytics.domain.warning.cases import CaseState
from analytics.models import RiskCase
from campaigns import labels as campaign_labels
from campaigns.labels import desk as desk_labels
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.selectors.desk import own_work, planned_sends
from campaigns.selectors.desk.planned_sends import PlannedSend
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

AHEAD: Final = timedelta(days=7)
MOST_COMING: Final = 12


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what today is about for this reader; what she may not see is empty."""
    user = admin_pages.actor_of(request).user
    if user is None or not user.has_perm("campaigns.view_campaign"):
        return {"needs": [], "going": [], "coming": [], "astray": []}
    return {
        "needs": needs_of(user),
        "going": _going(user),
        "coming": _coming(),
        "astray": _astray(),
    }


def needs_of(user: User) -> Sequence[dict[str, Any]]:
    """Return what waits for a person: what it is, why, its tone and where to go."""
    found: list[dict[str, Any]] = []
    for waits in rows_of(user):
        why = _("waits for your approval")
        if waits["by"]:
            why = _("waits for your approval, asked for by %(name)s") % {"name": waits["by"]}
        found.append({**waits, "why": why, "tone": "warn", "state": waits["kind"]})
    launches = user.has_perm("campaigns.launch_campaign")
    found += [
        {
            "name": campaign.name,
            "why": _("its test of texts waits for a person to choose"),
            "tone": "warn",
            "state": _("Choose a text"),
            "url": object_url(campaign),
        }
        for campaign in own_work.winners_asked(user, sees_all=launches)
    ]
    for held in own_work.held(user, sees_all=launches):
        reason = campaign_labels.HOLD_REASONS.label(held.reason)
        found.append(
            {
                "name": held.campaign.name,
                "why": reason,
                "tone": "bad",
                "state": _("On hold"),
                "url": object_url(held.campaign),
            }
        )
    if user.has_perm("campaigns.author_campaign"):
        found += [_draft(draft) for draft in own_work.own_drafts(user, now=clock.now())]
    if user.has_perm("analytics.change_riskcase"):
        found += _cases()
    return found


def _draft(draft: own_work.OwnDraft) -> dict[str, Any]:
    why = _("can be submitted for approval")
    if draft.gaps:
        names = _(", ").join(desk_labels.DRAFT_GAPS.label(gap) for gap in draft.gaps)
        why = _("still has: %(gaps)s") % {"gaps": names}
    if draft.is_refused:
        why = draft.comment or _("without a comment")
    return {
        "name": draft.campaign.name,
        "why": why,
        "tone": "bad" if draft.is_refused else "",
        "state": _("Sent back") if draft.is_refused else _("Draft"),
        "url": object_url(draft.campaign),
    }


def _cases() -> list[dict[str, Any]]:
    count = RiskCase.objects.exclude(state=CaseState.CLOSED).count()
    if not count:
        return []
    return [
        {
            "name": _("Early warning"),
            "why": _("%(count)s open cases") % {"count": f"{count:,}"},
            "tone": "warn",
            "state": _("To be worked"),
            "url": reverse("warning:index"),
        }
    ]


def _going(user: User) -> list[dict[str, Any]]:
    may_pause = user.has_perm("campaigns.launch_campaign")
    return [
        {
            "name": row.campaign.name,
            "url": object_url(row.campaign),
            "done": row.done,
            "total": row.total,
            "status": campaign_labels.CAMPAIGN_STATUSES.label(row.campaign.status),
            "tone": campaign_labels.CAMPAIGN_STATUSES.tone(row.campaign.status),
            "step": ("resume" if row.is_paused else "pause") if may_pause else "",
            "pk": row.campaign.pk,
        }
        for row in own_work.going_on()
    ]


def _coming() -> list[dict[str, Any]]:
    now = clock.now()
    sends = planned_sends.between(now, now + AHEAD, calendar=CompanyCalendar())
    return [send_row(send) for send in sends[:MOST_COMING]]


def send_row(send: PlannedSend) -> dict[str, Any]:
    """Return a send as pages show it."""
    return {
        "name": send.campaign.name,
        "url": object_url(send.campaign),
        "at": send.at.astimezone(clock.company_zone()),
        "channel": customer_labels.CHANNELS.label(send.channel_kind) if send.channel_kind else "–",
        "people": send.people,
        "is_estimate": send.is_estimate,
        "kind": desk_labels.SEND_KINDS.label(send.kind),
        "tone": desk_labels.SEND_KINDS.tone(send.kind),
    }


def _astray() -> list[dict[str, Any]]:
    return [
        {
            "name": campaign.name,
            "url": object_url(campaign),
            "texts": [
                desk_labels.DELIVERY_ALERTS.label(alert.kind)
                % {
                    "share": f"{alert.share:.1%}",
                    "count": f"{alert.count:,}",
                    "total": f"{alert.total:,}",
                }
                for alert in found
            ],
        }
        for campaign, found in own_work.astray(now=clock.now())
    ]
