"""Four eyes on every campaign: who wrote or changed it never approves it.

What is approved is what was seen; a change of anything that it covers voids the approval.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.content.approval import ApprovedPart, changed, digest_of, digests
from campaigns.models import Approval, Campaign, CampaignEdit, Touchpoint
from campaigns.selectors.campaigns import approved_state
from campaigns.selectors.campaigns.approved_state import CampaignState
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import authoring, fairness, score_use
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError

APPROVES = "campaigns.approve_campaign"
WAITING = (CampaignStatus.IN_REVIEW,)


class ApprovalRefused(LoanCrmError):
    """The approval would break the four-eyes rule, or cover what nobody has seen or may send."""

    code = "approval_refused"


class RefusalUnexplained(LoanCrmError):
    """A refusal without a reason."""

    code = "refusal_unexplained"


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
        ScoreNotUsable: A score that chooses its people may not do so now.
        AudienceUnfair: A model chooses some people too rarely, and no two people agreed to it.
        PermissionRefused: The actor may not approve campaigns.
        CampaignLocked: The campaign is not waiting for approval.
    """
    act = acting(actor, APPROVES, on=campaign, now=now)
    approver = require_approver(act, campaign)
    fresh = _fresh(campaign)
    authoring.require_status(fresh, WAITING)
    # A targeting may have replaced the list since it was submitted, or a model scored anew. At the
    # launch both are asked once more, of the very people who are frozen.
    uses = score_use.require_usable(score_use.scores_of(fresh, now=now), fresh)
    found = fairness.require_fair(fresh, now=now)
    with act:
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        authoring.require_status(locked, WAITING)
        state, seen_entry = read_as_seen(
            campaign=locked, approver=approver, seen_digest=seen_digest, now=now
        )
        parts = state.parts
        authoring.move(
            campaign,
            CampaignStatus.APPROVED,
            act=act,
            facts={
                audit.SEEN: seen_entry,
                **fairness.audit_facts(found),
                **score_use.audit_facts(uses),
            },
        )
        # What was compared, not what stands there by now.
        for pk, shown in state.touchpoints.items():
            Touchpoint.objects.filter(pk=pk).update(approved_parts=digests(shown))
        return write_decision(
            campaign=campaign,
            approver=approver,
            parts=parts,
            is_granted=True,
            comment=comment,
            now=now,
        )


def read_as_seen(
    *, campaign: Campaign, approver: User, seen_digest: str, now: datetime
) -> tuple[CampaignState, int]:
    """Return a locked campaign as it stands, with the number of the last entry before it was read.

    Raises:
        ApprovalRefused: The approver changed it, it is not what was seen, or its texts have faults.
    """
    # Channels, products and nested rules are not locked: a change that is not in what is read here
    # has a higher number, and bars who made it.
    seen_entry = audit.last_number()
    state = approved_state.read(campaign)
    # Once more, of what was read: she may have changed it while this waited.
    _refuse_barred(campaign, approver)
    if digest_of(state.parts) != seen_digest:
        raise ApprovalRefused(
            _("The campaign has changed since you looked at it. Read it again."),
            campaign=campaign.slug,
        )
    faults = content_faults.blocking(campaign, now=now)
    if faults:
        raise ApprovalRefused(
            _("The texts cannot be approved: %(faults)s") % {"faults": "; ".join(faults)},
            campaign=campaign.slug,
        )
    return state, seen_entry


def reject_campaign(*, campaign: Campaign, actor: Actor, now: datetime, comment: str) -> Approval:
    """Send a campaign back to its author, with the reason."""
    act = acting(actor, APPROVES, on=campaign, now=now)
    approver = require_approver(act, campaign)
    with act:
        authoring.move(campaign, CampaignStatus.DRAFT, act=act, sources=WAITING)
        parts = approved_state.parts_of(_fresh(campaign))
        return write_decision(
            campaign=campaign,
            approver=approver,
            parts=parts,
            is_granted=False,
            comment=comment,
            now=now,
        )


def is_approved(campaign: Campaign) -> bool:
    """Return whether the campaign as it stands now is the one that was approved last."""
    last = _last(campaign)
    return last is not None and last.is_granted and last.digest == campaign_digest(campaign)


def approved_digest(campaign: Campaign) -> str:
    """Return the digest of what was approved last; empty when the last decision was a refusal."""
    last = _last(campaign)
    return last.digest if last is not None and last.is_granted else ""


def approved_parts(campaign: Campaign) -> dict[str, str]:
    """Return the digests of what was approved last; empty when the last decision was a refusal.

    Of a campaign that was launched, a refusal is about a correction: what was approved stays so.
    """
    granted = campaign.approvals.filter(is_granted=True).order_by("-pk").first()
    last = granted if campaign.launched_at is not None else _last(campaign)
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
    granted = campaign.approvals.filter(is_granted=True).order_by("-pk").first()
    seen = granted.edit_number if granted else 0
    since = audit.seen_by(campaign, action=f"campaign.{CampaignStatus.APPROVED.value}")
    return (
        CampaignEdit.objects.filter(campaign=campaign, editor=user, pk__gt=seen).exists()
        or approved_state.has_changed_rules(campaign, user, since=since)
        or approved_state.has_changed_products(campaign, user, since=since)
    )


def _last(campaign: Campaign) -> Approval | None:
    return campaign.approvals.order_by("-pk").first()


def _fresh(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_related("segment__current_version").get(pk=campaign.pk)


def require_approver(act: Act, campaign: Campaign) -> User:
    """Return the person who approves; one who may not is refused, which leaves an entry.

    Raises:
        ApprovalRefused: The actor is no user, or wrote or changed the campaign.
    """
    actor = act.actor
    if actor.kind is not ActorKind.USER or actor.user is None:
        raise ApprovalRefused(_("Only a person can approve a campaign."), campaign=campaign.slug)
    if is_barred(campaign, actor.user):
        # Recorded before the refusal leaves: an attempt at one's own campaign must not go unseen.
        with act:
            act.record("campaign.own_approval_refused")
        raise _own_campaign(campaign)
    return actor.user


def _refuse_barred(campaign: Campaign, approver: User) -> None:
    if is_barred(campaign, approver):
        raise _own_campaign(campaign)


def _own_campaign(campaign: Campaign) -> ApprovalRefused:
    return ApprovalRefused(
        _("A campaign is never approved by somebody who wrote or changed it."),
        campaign=campaign.slug,
    )


def write_decision(
    *,
    campaign: Campaign,
    approver: User,
    parts: dict[str, str],
    is_granted: bool,
    comment: str,
    now: datetime,
) -> Approval:
    """Store a decision, in the caller's transaction.

    Raises:
        RefusalUnexplained: A refusal does not say why: its author could mend nothing.
    """
    if not is_granted and not comment.strip():
        raise RefusalUnexplained(
            _("Say why you refuse it, in the comment."), campaign=campaign.slug
        )
    return Approval.objects.create(
        campaign=campaign,
        digest=digest_of(parts),
        parts=parts,
        is_granted=is_granted,
        approver=approver,
        comment=comment,
        at=now,
        edit_number=campaign.edits.aggregate(last=Max("pk"))["last"] or 0,
    )
