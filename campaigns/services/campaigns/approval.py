"""Four eyes on every campaign: who wrote or changed it never approves it.

What is approved is what was seen; a change of anything that it covers voids the approval.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.content.approval import ApprovedPart, changed, digest_of, digests
from campaigns.models import Approval, Campaign, CampaignEdit, Touchpoint
from campaigns.selectors.campaigns import approved_state
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import authoring
from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError

WAITING = (CampaignStatus.IN_REVIEW,)


class ApprovalRefused(LoanCrmError):
    """The approval would break the four-eyes rule, or cover what nobody has seen or may send."""

    code = "approval_refused"


def campaign_digest(campaign: Campaign) -> str:
    """Return the digest of everything that an approval covers, read from the database now."""
    return digest_of(approved_state.parts_of(_fresh(campaign)))


def approve_campaign(
    *, campaign: Campaign, seen_digest: str, actor: Actor, now: datetime, comment: str = ""
) -> Approval:
    """Approve a campaign as the approver has seen it.

    Args:
        seen_digest: `campaign_digest` of what the approver was shown.

    Raises:
        ApprovalRefused: The actor changed the campaign or is no user, the campaign is not what was
            seen any more, or the texts have faults.
        PermissionRefused: The actor may not approve campaigns.
        CampaignLocked: The campaign is not waiting for approval.
    """
    approver = _approver(campaign, actor, now)
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        authoring.require_status(locked, WAITING)
        state = approved_state.read(locked)
        parts = state.parts
        if digest_of(parts) != seen_digest:
            raise ApprovalRefused(
                _("The campaign has changed since you looked at it. Read it again."),
                campaign=campaign.slug,
            )
        faults = content_faults.blocking(locked)
        if faults:
            raise ApprovalRefused(
                _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(faults)},
                campaign=campaign.slug,
            )
        authoring.move(campaign, CampaignStatus.APPROVED, actor=actor, now=now)
        # What was compared, not what stands there by now: channels, products and nested rules are
        # not locked.
        for pk, shown in state.touchpoints.items():
            Touchpoint.objects.filter(pk=pk).update(approved_parts=digests(shown))
        return _decide(campaign, approver, parts, is_granted=True, comment=comment, now=now)


def reject_campaign(*, campaign: Campaign, actor: Actor, now: datetime, comment: str) -> Approval:
    """Send a campaign back to its author, with the reason."""
    approver = _approver(campaign, actor, now)
    with transaction.atomic():
        authoring.move(campaign, CampaignStatus.DRAFT, actor=actor, now=now, sources=WAITING)
        parts = approved_state.parts_of(_fresh(campaign))
        return _decide(campaign, approver, parts, is_granted=False, comment=comment, now=now)


def is_approved(campaign: Campaign) -> bool:
    """Return whether the campaign as it stands now is the one that was approved last."""
    last = _last(campaign)
    return last is not None and last.is_granted and last.digest == campaign_digest(campaign)


def approved_parts(campaign: Campaign) -> dict[str, str]:
    """Return the digests of what was approved last; empty when the last decision was a refusal."""
    last = _last(campaign)
    return dict(last.parts) if last is not None and last.is_granted else {}


def changed_parts(campaign: Campaign) -> tuple[ApprovedPart, ...]:
    """Return what is no longer as it was approved, to tell people."""
    return changed(approved_parts(campaign), approved_state.parts_of(_fresh(campaign)))


def is_barred(campaign: Campaign, user: User) -> bool:
    """Return whether a person wrote the campaign, or changed it since it was approved last.

    The rules that choose its people and the products that its texts name are part of it.
    """
    if user.pk == campaign.author_id:
        return True
    granted = campaign.approvals.filter(is_granted=True).order_by("-at", "-pk").first()
    since = granted.at if granted else campaign.created_at
    edits = CampaignEdit.objects.filter(campaign=campaign, editor=user)
    return (
        (edits.filter(at__gte=since) if granted else edits).exists()
        or approved_state.has_changed_rules(campaign, user, since=since)
        or approved_state.has_changed_products(campaign, user, since=since)
    )


def _last(campaign: Campaign) -> Approval | None:
    return campaign.approvals.order_by("-at", "-pk").first()


def _fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("segment__current_version").get(pk=campaign.pk)


def _approver(campaign: Campaign, actor: Actor, now: datetime) -> User:
    access.require(actor, "campaigns.approve_campaign", campaign)
    if actor.kind is not ActorKind.USER or actor.user is None:
        raise ApprovalRefused(_("Only a person can approve a campaign."), campaign=campaign.slug)
    if is_barred(campaign, actor.user):
        # Recorded before the refusal leaves: an attempt at one's own campaign must not go unseen.
        audit.record(
            actor=actor,
            action="campaign.own_approval_refused",
            object_type="campaign",
            object_id=campaign.pk,
            now=now,
        )
        raise ApprovalRefused(
            _("A campaign is never approved by somebody who wrote or changed it."),
            campaign=campaign.slug,
        )
    return actor.user


def _decide(
    campaign: Campaign,
    approver: User,
    parts: dict[str, str],
    *,
    is_granted: bool,
    comment: str,
    now: datetime,
) -> Approval:
    return Approval.objects.create(
        campaign=campaign,
        digest=digest_of(parts),
        parts=parts,
        is_granted=is_granted,
        approver=approver,
        comment=comment,
        at=now,
    )
