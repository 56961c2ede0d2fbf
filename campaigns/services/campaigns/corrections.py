"""Correcting a campaign while it runs: texts, end and budget, for whoever is left.

It stands still meanwhile. Who was sent something before keeps in her history what she was sent, and
what was approved for that stays as it was.
"""

from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext as _

from campaigns import jobs, labels
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import (
    OPEN_CORRECTIONS,
    CorrectionState,
    changed_fixed_parts,
)
from campaigns.domain.content.approval import digest_of, digests
from campaigns.domain.experiments.content_test import ContentTestState, DecisionGround
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import (
    Approval,
    Budget,
    Campaign,
    CampaignCorrection,
    ContentTest,
    ContentVersion,
    Dispatch,
    Touchpoint,
)
from campaigns.selectors.campaigns import approved_state, content_tests
from campaigns.selectors.campaigns import corrections as found
from campaigns.selectors.campaigns.ends import is_over
from campaigns.selectors.content import faults as content_faults
from campaigns.services.campaigns import approval, authoring, plans, recurring
from campaigns.services.campaigns.approval import ApprovalRefused
from campaigns.services.campaigns.composer.readiness import TextsFaulty
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

# The step whose variants a test of texts compares.
TESTED = 1


class CorrectionRefused(LoanCrmError):
    """A correction cannot be begun, submitted or applied as things stand."""

    code = "correction_refused"


def start_correction(
    *, campaign: Campaign, reason: str, actor: Actor, now: datetime
) -> CampaignCorrection:
    """Let the texts, the end and the budget of a paused campaign be changed.

    Raises:
        CorrectionRefused: Nobody says why, or a correction is under way.
        CampaignLocked: The campaign is not paused.
        PermissionRefused: The actor may not write campaigns, or none of this purpose.
    """
    act = acting(actor, authoring.WRITES, on=campaign, now=now)
    authoring.require_purpose(actor, purpose=campaign.purpose, service_kind=campaign.service_kind)
    with act:
        locked = _locked(campaign)
        if not reason.strip():
            raise CorrectionRefused(_("Say what is to be corrected."), campaign=campaign.slug)
        if found.open_of(locked) is not None:
            raise CorrectionRefused(_("A correction is under way."), campaign=campaign.slug)
        correction = CampaignCorrection.objects.create(
            campaign=locked,
            reason=reason.strip()[:300],
            author=actor.user,
            started_at=now,
            contents=found.current_contents(locked),
            end_at=locked.end_at,
            budget_amount=locked.budget_amount,
        )
        act.record("campaign.correction_started", facts={"reason": correction.reason})
    return correction


def submit_correction(*, campaign: Campaign, actor: Actor, now: datetime) -> CampaignCorrection:
    """Lock a correction for its approver.

    Raises:
        CorrectionRefused: None is being written, it changes nothing, or the end has passed.
        TextsFaulty: A text has faults that would stop the approval.
    """
    with acting(actor, authoring.WRITES, on=campaign, now=now) as act:
        locked = _locked(campaign)
        correction = _open(locked, CorrectionState.EDITING)
        faults = content_faults.blocking(locked, now=now)
        if faults:
            raise TextsFaulty(
                _("The texts have faults: %(faults)s") % {"faults": "; ".join(faults)},
                campaign=campaign.slug,
                faults=tuple(faults),
            )
        if found.diff_of(correction).is_empty:
            raise CorrectionRefused(_("The correction changes nothing."), campaign=campaign.slug)
        if is_over(locked):
            raise CorrectionRefused(_("The campaign's end has passed."), campaign=campaign.slug)
        _move(correction, CorrectionState.IN_REVIEW)
        act.record("campaign.correction_submitted")
    return correction


def approve_correction(
    *, campaign: Campaign, seen_digest: str, actor: Actor, now: datetime, comment: str = ""
) -> Approval:
    """Approve a correction as the approver has seen it; it is used when somebody resumes.

    Args:
        seen_digest: `approval.campaign_digest` of what the approver was shown.

    Raises:
        ApprovalRefused: The actor changed the campaign or is no user, it is not what was seen any
            more, it changes what was frozen with the audience, or the texts have faults.
        CorrectionRefused: No correction waits for approval.
    """
    act = acting(actor, approval.APPROVES, on=campaign, now=now)
    approver = approval.require_approver(act, campaign)
    with act:
        locked = _locked(campaign)
        correction = _open(locked, CorrectionState.IN_REVIEW)
        before = approval.approved_parts(locked)
        state, seen_entry = approval.read_as_seen(
            campaign=locked, approver=approver, seen_digest=seen_digest, now=now
        )
        # By its calendar, by triggers, or for the rest of a test of texts.
        going_on = Campaign.objects.filter(content_tests.goes_on(), pk=locked.pk)
        runs_again = locked.recurrence is not None or going_on.exists()
        if fixed := changed_fixed_parts(before, state.parts, runs_again=runs_again):
            named = _("; ").join(str(labels.APPROVED_PARTS.label(part)) for part in fixed)
            raise ApprovalRefused(
                _("A correction may not change this: %(parts)s.") % {"parts": named},
                campaign=campaign.slug,
            )
        _move(correction, CorrectionState.APPROVED)
        act.record("campaign.correction_approved", facts={audit.SEEN: seen_entry})
        return approval.write_decision(
            campaign=locked,
            approver=approver,
            parts=state.parts,
            is_granted=True,
            comment=comment,
            now=now,
        )


def reject_correction(*, campaign: Campaign, actor: Actor, now: datetime, comment: str) -> Approval:
    """Send a correction back to its author, with the reason."""
    act = acting(actor, approval.APPROVES, on=campaign, now=now)
    approver = approval.require_approver(act, campaign)
    with act:
        locked = _locked(campaign)
        _move(_open(locked, CorrectionState.IN_REVIEW), CorrectionState.EDITING)
        act.record("campaign.correction_rejected")
        parts = approved_state.parts_of(locked)
        return approval.write_decision(
            campaign=locked,
            approver=approver,
            parts=parts,
            is_granted=False,
            comment=comment,
            now=now,
        )


def reopen_correction(*, campaign: Campaign, actor: Actor, now: datetime) -> CampaignCorrection:
    """Let a correction be changed again that was submitted or approved; it is approved anew."""
    with acting(actor, authoring.WRITES, on=campaign, now=now) as act:
        correction = _open(_locked(campaign), CorrectionState.IN_REVIEW, CorrectionState.APPROVED)
        _move(correction, CorrectionState.EDITING)
        act.record("campaign.correction_reopened")
    return correction


def discard_correction(*, campaign: Campaign, actor: Actor, now: datetime) -> CampaignCorrection:
    """Have everything as it was before a correction: the very texts that were approved.

    Raises:
        CorrectionRefused: None is under way.
    """
    with acting(actor, authoring.WRITES, on=campaign, now=now) as act:
        locked = _locked(campaign)
        correction = _open(locked, *OPEN_CORRECTIONS)
        texts = ContentVersion.objects.filter(variant__touchpoint__step__campaign=locked)
        texts.filter(is_current=True).exclude(pk__in=correction.contents).update(is_current=False)
        texts.filter(pk__in=correction.contents).update(is_current=True)
        Campaign.objects.filter(pk=locked.pk).update(end_at=correction.end_at, updated_at=now)
        if locked.budget_id is not None and correction.budget_amount is not None:
            Budget.objects.filter(pk=locked.budget_id).update(limit_amount=correction.budget_amount)
        _move(correction, CorrectionState.DISCARDED, now)
        act.record("campaign.correction_discarded")
    return correction


def write_applied(*, campaign: Campaign, act: Act) -> None:
    """Put an approved correction to use for whoever is left, as the campaign is resumed.

    Workers that hold what they wrote by the plan before find it out of date at their next mark. In
    the caller's transaction, with the campaign locked and paused; nothing without a correction.

    Raises:
        CorrectionRefused: The correction is not approved, or changed since.
    """
    correction = found.open_of(campaign)
    if correction is None:
        return
    state = approved_state.read(campaign)
    is_seen = approval.approved_digest(campaign) == digest_of(state.parts)
    if correction.state != CorrectionState.APPROVED or not is_seen:
        raise CorrectionRefused(
            _("The correction is not approved: have it approved, or discard it."),
            campaign=campaign.slug,
        )
    for pk, shown in state.touchpoints.items():
        Touchpoint.objects.filter(pk=pk).update(approved_parts=digests(shown))
    over = (DispatchStatus.COMPLETED, DispatchStatus.CANCELLED)
    for step in campaign.steps.select_related("touchpoint"):
        Dispatch.objects.filter(step=step).exclude(status__in=over).update(
            approved_parts=step.touchpoint.approved_parts,
            ends_at=plans.end_of(campaign, step),
            revision=F("revision") + 1,
        )
    _end_mixed_test(campaign, correction)
    recurring.write_next_run(campaign=campaign)
    _move(correction, CorrectionState.APPLIED, act.now)
    act.record("campaign.correction_applied", on=campaign, facts={"correction": correction.pk})
    enqueue(jobs.TICK)


def _end_mixed_test(campaign: Campaign, correction: CampaignCorrection) -> None:
    """Let a person choose where texts change that are compared: an arm got the old and the new."""
    correction.campaign = campaign
    if any(change.position == TESTED for change in found.diff_of(correction).texts):
        ContentTest.objects.filter(campaign=campaign, state=ContentTestState.READING).update(
            state=ContentTestState.WAITING, ground=DecisionGround.CORRECTED
        )


def _locked(campaign: Campaign) -> Campaign:
    """Return the campaign's row, locked; it must be paused."""
    rows = Campaign.objects.select_for_update(of=("self",))
    row = rows.select_related("segment__current_version", "budget").get(pk=campaign.pk)
    authoring.require_status(row, (CampaignStatus.PAUSED,))
    return row


def _open(campaign: Campaign, *states: CorrectionState) -> CampaignCorrection:
    correction = found.open_of(campaign)
    if correction is None or correction.state not in states:
        raise CorrectionRefused(
            _("There is no correction with which this could be done now."), campaign=campaign.slug
        )
    correction.campaign = campaign
    return correction


def _move(
    correction: CampaignCorrection, state: CorrectionState, closed_at: datetime | None = None
) -> None:
    correction.state, correction.closed_at = state, closed_at
    correction.save(update_fields=["state", "closed_at"])
