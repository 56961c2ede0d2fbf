"""Four eyes on every campaign: who wrote it never approves it, and an edit voids the approval."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.domain.campaign import CampaignStatus
from campaigns.models import Approval, Campaign, ContentVersion
from campaigns.selectors import content_faults
from campaigns.services import authoring
from loancrm.kernel import access, audit
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.errors import LoanCrmError


class ApprovalRefused(LoanCrmError):
    """The approval would break the four-eyes rule or the texts are not fit to be sent."""

    code = "approval_refused"


def campaign_digest(campaign: Campaign) -> str:
    """Return the digest of everything an approval covers: texts, audience, schedule and money."""
    segment = campaign.segment
    steps: list[dict[str, Any]] = []
    for step in campaign.steps.select_related("channel").order_by("position"):
        contents = (
            ContentVersion.objects.filter(variant__step=step, is_current=True)
            .order_by("variant__key", "locale")
            .values_list("variant__key", "variant__weight", "locale", "digest")
        )
        steps.append(
            {
                "channel": step.channel.slug if step.channel else "",
                "fallback": [step.is_fallback, step.wait_minutes],
                "contents": [list(row) for row in contents],
            }
        )
    covered = {
        "segment": segment.slug if segment else "",
        "rule": segment.current_version.rule if segment and segment.current_version else None,
        "goal": [campaign.goal_event, campaign.goal_window_days],
        "purpose": campaign.purpose,
        "holdout": f"{campaign.holdout_share:.3f}",
        "start_at": campaign.start_at.isoformat() if campaign.start_at else "",
        "late_limit_hours": campaign.late_limit_hours,
        "budget": f"{campaign.budget_amount:.2f}" if campaign.budget_amount is not None else "",
        "cost": f"{campaign.cost_per_message:.4f}" if campaign.cost_per_message is not None else "",
        "steps": steps,
    }
    return hashlib.sha256(json.dumps(covered, sort_keys=True).encode()).hexdigest()


def approve_campaign(
    *, campaign: Campaign, actor: Actor, now: datetime, comment: str = ""
) -> Approval:
    """Approve a campaign as it stands now.

    Raises:
        ApprovalRefused: The actor wrote the campaign or is no user, or the texts have faults.
        PermissionRefused: The actor may not approve campaigns.
        CampaignLocked: The campaign is not waiting for approval.
    """
    approver = _approver(campaign, actor, now)
    faults = content_faults.blocking(campaign)
    if faults:
        raise ApprovalRefused(
            _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(faults)},
            campaign=campaign.slug,
        )
    with transaction.atomic():
        authoring.move(campaign, CampaignStatus.APPROVED, actor=actor, now=now)
        return _decide(campaign, approver, is_granted=True, comment=comment, now=now)


def reject_campaign(*, campaign: Campaign, actor: Actor, now: datetime, comment: str) -> Approval:
    """Send a campaign back to its author, with the reason."""
    approver = _approver(campaign, actor, now)
    with transaction.atomic():
        authoring.move(campaign, CampaignStatus.DRAFT, actor=actor, now=now)
        return _decide(campaign, approver, is_granted=False, comment=comment, now=now)


def is_approved(campaign: Campaign) -> bool:
    """Return whether the campaign as it stands now is the one that was approved last."""
    last = campaign.approvals.order_by("-at", "-pk").first()
    return last is not None and last.is_granted and last.digest == campaign_digest(campaign)


def _approver(campaign: Campaign, actor: Actor, now: datetime) -> User:
    access.require(actor, "campaigns.approve_campaign", campaign)
    if actor.kind is not ActorKind.USER or actor.user is None:
        raise ApprovalRefused(_("Only a person can approve a campaign."), campaign=campaign.slug)
    if actor.user.pk == campaign.author_id:
        # Recorded before the refusal leaves: an attempt at one's own campaign must not go unseen.
        audit.record(
            actor=actor,
            action="campaign.own_approval_refused",
            object_type="campaign",
            object_id=campaign.pk,
            now=now,
        )
        raise ApprovalRefused(
            _("A campaign is never approved by its author."), campaign=campaign.slug
        )
    return actor.user


def _decide(
    campaign: Campaign, approver: User, *, is_granted: bool, comment: str, now: datetime
) -> Approval:
    return Approval.objects.create(
        campaign=campaign,
        digest=campaign_digest(campaign),
        is_granted=is_granted,
        approver=approver,
        comment=comment,
        at=now,
    )
