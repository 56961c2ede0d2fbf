"""What the page of one campaign shows: where it stands, what can be done next and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import labels
from campaigns.admin import correction_page, course_texts
from campaigns.admin.audience import exclusion_fields, place_fields
from campaigns.admin.correction_page import Button
from campaigns.admin.message_fields import field_of
from campaigns.admin.starts import trigger_fields
from campaigns.admin.trials import content_test_fields
from campaigns.admin.unknown import messages as unknown_messages
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import CorrectionState
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, Step, Variant
from campaigns.selectors.campaigns import empty_channels, live_progress
from campaigns.selectors.campaigns import status as campaign_status
from campaigns.selectors.campaigns.used_scores import ScoreUse
from campaigns.selectors.content import current_texts
from campaigns.selectors.content import faults as content_faults
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.content.faults import TextFinding
from campaigns.selectors.sending import sent_through
from campaigns.services.campaigns import approval, dead_letters, previews, score_use
from customers import labels as customer_labels
from customers.selectors.segments.references import SegmentRuleInvalid
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor

_FORESEEN = frozenset({CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED})


@dataclass(frozen=True, slots=True)
class CampaignMessage:
    """One message of the campaign with its texts, for reading."""

    step: Step
    variants: Sequence[tuple[Variant, Sequence[CurrentText]]]

    @property
    def heading(self) -> str:
        """Return what it is."""
        return _("Fallback message") if self.step.is_fallback else _("Message")

    @property
    def place(self) -> str:
        """Return for whom a later message is, and when."""
        return place_fields.sentence(self.step)


def context(campaign: Campaign, actor: Actor) -> dict[str, Any]:
    """Return everything that the campaign's page shows to this reader."""
    found = campaign_status.status_of(campaign)
    is_imported = campaign.status == CampaignStatus.IMPORTED
    runs = live_progress.dispatches(campaign)
    faults = faults_of(campaign)
    return {
        "campaign": campaign,
        "status_label": labels.CAMPAIGN_STATUSES.label(campaign.status),
        "status_tone": labels.CAMPAIGN_STATUSES.tone(campaign.status),
        "way": course_texts.way(campaign),
        "buttons": buttons(
            campaign,
            actor,
            is_held=bool(campaign.run_hold_reason)
            or any(run.status == DispatchStatus.HELD for run in runs),
            open_count=found.open_count,
            has_faults=any(fault.is_blocking for fault in faults),
        ),
        "faults": [(fault, field_of(fault)) for fault in faults],
        "note": _note(campaign, actor),
        "empty_channels": empty_channels.of_campaign(campaign),
        "stops": course_texts.stops(campaign, actor, runs),
        "seen_digest": approval.campaign_digest(campaign)
        if CampaignStatus.IN_REVIEW in {campaign.status, correction_page.state_of(campaign)}
        else "",
        "goal": goal_in_words(campaign),
        "purpose": customer_labels.PURPOSES.label(campaign.purpose),
        "progress": found,
        "unknown_count": found.unknown_count,
        "unknown_url": unknown_messages.address_of(campaign),
        "states": [
            (state.value, labels.MESSAGE_STATES.label(state), found.states[state])
            for state in MessageState
        ],
        "reasons": [
            (labels.message_reason(reason), count) for reason, count in found.reasons.items()
        ],
        **_course(campaign, runs),
        "steps": [] if is_imported else _messages(campaign),
        "scores": _scores(campaign),
        "content_test": content_test_fields.standing(campaign),
        "may_choose_winner": access.is_allowed(actor, "campaigns.launch_campaign", campaign),
        **_plan(campaign),
        "approvals": list(campaign.approvals.select_related("approver").order_by("-at", "-pk")),
        **correction_page.context(campaign),
        "is_editable": _is_editable(campaign, actor),
        "can_author": access.is_allowed(actor, "campaigns.author_campaign", campaign),
        "has_forecast": campaign.status in _FORESEEN and campaign.segment_id is not None,
        "may_preview": not is_imported and previews.may_preview(actor, campaign),
        "has_run": bool(runs),
        "report_url": report_url(campaign, actor) if runs else "",
        "holdout_percent": campaign.holdout_share * 100,
    }


def _plan(campaign: Campaign) -> dict[str, Any]:
    return {
        "exclusions": exclusion_fields.sentences(campaign),
        **trigger_fields.standing(campaign),
    }


def _course(campaign: Campaign, runs: Any) -> dict[str, Any]:
    """Return how its sending goes."""
    return {
        "runs": course_texts.runs(runs),
        "stood_in": sent_through.of_campaign(campaign),
        "standstill": course_texts.standing_still(campaign),
        "waiting": course_texts.waiting(campaign),
    }


def _is_editable(campaign: Campaign, actor: Actor) -> bool:
    is_correcting = correction_page.state_of(campaign) == CorrectionState.EDITING
    return (campaign.status == CampaignStatus.DRAFT or is_correcting) and access.is_allowed(
        actor, "campaigns.author_campaign", campaign
    )


def _scores(campaign: Campaign) -> list[tuple[ScoreUse, str, str]]:
    """Return the scores that choose its people: each with its name and what bars it, in words."""
    try:
        uses = score_use.scores_of(campaign, now=clock.now())
    except SegmentRuleInvalid:
        # What is wrong with the rule stands on the segment's own page.
        return []
    return [
        (
            use,
            customer_labels.score_model(use.model_name),
            customer_labels.SCORE_FAULTS.label(use.fault) if use.fault else "",
        )
        for use in uses
    ]


def goal_in_words(campaign: Campaign) -> str:
    """Return the goal as a short sentence."""
    text = _("%(event)s within %(days)s days")
    if campaign.stops_at_goal:
        text = _("%(event)s within %(days)s days; who gets there before gets no message")
    return text % {
        "event": customer_labels.event(campaign.goal_event),
        "days": campaign.goal_window_days,
    }


def report_url(campaign: Campaign, actor: Actor) -> str:
    """Return where the app above reports on this campaign, if the reader may read it."""
    if not access.is_allowed(actor, "campaigns.view_report", campaign):
        return ""
    try:
        return reverse("reports:campaign", args=[campaign.slug])
    except NoReverseMatch:
        return ""


def faults_of(campaign: Campaign) -> list[TextFinding]:
    """Return what the check says about the texts while they can still be mended."""
    if campaign.status not in {CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW}:
        return []
    return content_faults.findings_of(campaign, now=clock.now())


def buttons(
    campaign: Campaign,
    actor: Actor,
    *,
    is_held: bool,
    open_count: int = 0,
    has_faults: bool = False,
) -> list[Button]:
    """Return the steps that are legal from here and that this reader may take."""

    def may(codename: str) -> bool:
        return access.is_allowed(actor, f"campaigns.{codename}", campaign)

    status = CampaignStatus(campaign.status)
    found: list[Button] = []
    correction = correction_page.state_of(campaign)
    may_approve = may("approve_campaign") and not _is_barred(campaign, actor)
    found += correction_page.buttons(
        status, correction, may_author=may("author_campaign"), may_approve=may_approve
    )
    if may_approve:
        found += _approver_buttons(status)
    if may("launch_campaign") and correction in {None, CorrectionState.APPROVED}:
        found += _launcher_buttons(campaign, status, is_held=is_held, open_count=open_count)
        found += _retry_button(campaign, status)
    if may("author_campaign"):
        found += _author_buttons(campaign, status, has_faults=has_faults)
    if may("launch_campaign") and status not in live_progress.OVER:
        question = _("Cancel “%(name)s” for good? What is not sent yet will not be sent.") % {
            "name": campaign.name
        }
        if open_count:
            question += " " + _open_in_words(open_count)
        found.append(Button("cancel", _("Cancel campaign"), "cancel", "danger", question))
    return found


def _author_buttons(
    campaign: Campaign, status: CampaignStatus, *, has_faults: bool
) -> list[Button]:
    if campaign.is_template:
        return [Button("unmark_template", _("No template any more"), "bookmark_remove")]
    if status == CampaignStatus.DRAFT:
        waits_for = _("Mend the texts first: what is wrong is listed below.") if has_faults else ""
        return [
            Button("submit", _("Submit for approval"), "send", "primary", waits_for=waits_for),
            Button("mark_template", _("Use as template"), "bookmark_add"),
        ]
    if status in {CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED}:
        return [Button("draft", _("Back to draft"), "edit")]
    return []


def _approver_buttons(status: CampaignStatus) -> list[Button]:
    if status != CampaignStatus.IN_REVIEW:
        return []
    return [
        Button("approve", _("Approve"), "verified", "primary", needs_comment=True),
        Button(
            "reject",
            _("Reject"),
            "undo",
            "danger",
            needs_comment=True,
            is_comment_required=True,
        ),
    ]


def _launcher_buttons(
    campaign: Campaign, status: CampaignStatus, *, is_held: bool, open_count: int
) -> list[Button]:
    if status == CampaignStatus.APPROVED:
        question = _("Launch “%(name)s” now? The audience is frozen at this moment.") % {
            "name": campaign.name
        }
        is_void = not approval.is_approved(campaign)
        return [
            Button(
                "launch",
                _("Launch"),
                "rocket_launch",
                "primary",
                question,
                waits_for=_("What was approved has changed; see above.") if is_void else "",
                has_forecast=True,
            )
        ]
    resume_question = " ".join(
        (
            _("Go on sending? Everybody is asked again: consent, stop lists, hours, caps."),
            _open_in_words(open_count),
        )
    )
    if status == CampaignStatus.PAUSED:
        return [
            Button(
                "resume",
                _("Resume"),
                "play_arrow",
                "primary",
                resume_question,
                needs_comment=bool(campaign.pause_reason),
            )
        ]
    if status == CampaignStatus.RUNNING:
        release = (
            [Button("resume", _("Release"), "play_arrow", "primary", resume_question)]
            if is_held
            else []
        )
        pause_question = " ".join(
            (
                _(
                    "Pause? What a worker is handing over this moment still goes out;"
                    " the rest waits until somebody resumes."
                ),
                _open_in_words(open_count),
            )
        )
        kind = "" if is_held else "primary"
        return [*release, Button("pause", _("Pause"), "pause", kind, pause_question)]
    return []


def _open_in_words(count: int) -> str:
    return ngettext(
        "%(count)s person is not decided about yet.",
        "%(count)s people are not decided about yet.",
        count,
    ) % {"count": f"{count:,}"}


def _is_barred(campaign: Campaign, actor: Actor) -> bool:
    return actor.user is not None and approval.is_barred(campaign, actor.user)


def _note(campaign: Campaign, actor: Actor) -> tuple[str, str]:
    """Return (tone, text) of what the reader should know before the next step."""
    status = CampaignStatus(campaign.status)
    last = campaign.approvals.select_related("approver").order_by("-at", "-pk").first()
    if status == CampaignStatus.DRAFT and last is not None and not last.is_granted:
        who = {"user": last.approver.get_username(), "comment": last.comment or "–"}
        return "bad", _("Rejected by %(user)s: %(comment)s") % who
    if status == CampaignStatus.IN_REVIEW and _is_barred(campaign, actor):
        return "warn", _("Waiting for another person: authors never approve their own work.")
    if status == CampaignStatus.APPROVED and not approval.is_approved(campaign):
        parts = approval.changed_parts(campaign)
        named = [str(labels.APPROVED_PARTS.label(part)) for part in parts]
        return "bad", _(
            "Something changed after the approval (%(parts)s); take it back to draft and have it"
            " approved again."
        ) % {"parts": _("; ").join(named)}
    if status == CampaignStatus.PAUSED and campaign.pause_reason:
        reason = labels.PAUSE_REASONS.label(campaign.pause_reason)
        return "bad", _("Paused by itself: %(reason)s. Whoever resumes it says why.") % {
            "reason": reason
        }
    if correction_page.state_of(campaign) == CorrectionState.IN_REVIEW and _is_barred(
        campaign, actor
    ):
        return "warn", _("Waiting for another person: authors never approve their own work.")
    return {
        CampaignStatus.DRAFT: (
            "",
            _("This is a template: it is copied, and is never sent itself.")
            if campaign.is_template
            else _("Check the preview, send yourself a test, then submit for approval."),
        ),
        CampaignStatus.IN_REVIEW: (
            "warn",
            _("Waiting for approval. Any edit makes a new approval necessary."),
        ),
        CampaignStatus.APPROVED: ("good", _("Approved as it stands. It can be launched.")),
        CampaignStatus.PAUSED: ("warn", _("Paused. Nothing is sent until somebody resumes it.")),
    }.get(status, ("", ""))


def _messages(campaign: Campaign) -> list[CampaignMessage]:
    texts: dict[int, dict[int, list[CurrentText]]] = {}
    for text in current_texts.of_campaign(campaign):
        of_step = texts.setdefault(text.variant.touchpoint_id, {})
        of_step.setdefault(text.variant.pk, []).append(text)
    return [
        CampaignMessage(
            step=next(iter(variants.values()))[0].variant.touchpoint.step,
            variants=[(found[0].variant, found) for found in variants.values()],
        )
        for variants in texts.values()
    ]


def _retry_button(campaign: Campaign, status: CampaignStatus) -> list[Button]:
    if status not in {CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.COMPLETED}:
        return []
    count = dead_letters.of_campaign(campaign).count()
    if not count:
        return []
    label = ngettext(
        "Try %(count)s interrupted message again",
        "Try %(count)s interrupted messages again",
        count,
    )
    return [Button("retry", label % {"count": count}, "replay")]
