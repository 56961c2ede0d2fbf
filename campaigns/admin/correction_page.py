"""What a campaign's page shows of its corrections: what changes, for how many, who had what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import CorrectionState
from campaigns.labels import content as content_labels
from campaigns.models import Campaign, CampaignCorrection, ContentVersion
from campaigns.selectors.campaigns import corrections
from campaigns.selectors.campaigns.corrections import CorrectionDiff


@dataclass(frozen=True, slots=True)
class Button:
    """One step that the reader may take now.

    Attributes:
        is_comment_required: It is not taken without one.
        waits_for: Why it cannot be taken yet; the button is shown, and does nothing.
        has_forecast: The question shows what will happen, in numbers.
    """

    name: str
    text: str
    icon: str
    kind: str = ""
    question: str = ""
    needs_comment: bool = False
    is_comment_required: bool = False
    waits_for: str = ""
    has_forecast: bool = False


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One thing that a correction changes, before and after."""

    what: str
    before: str
    after: str
    had_before: int | None = None


def context(campaign: Campaign) -> dict[str, Any]:
    """Return what the page shows of a correction that is under way, and of earlier ones."""
    closed = campaign.corrections.exclude(closed_at=None).select_related("author")
    found: dict[str, Any] = {
        "corrections": [
            (row, labels.CORRECTION_STATES.label(row.state)) for row in closed.order_by("-pk")
        ]
    }
    correction = corrections.open_of(campaign)
    if correction is None or campaign.status != CampaignStatus.PAUSED:
        return found
    diff = corrections.diff_of(correction)
    return found | {
        "correction": correction,
        "correction_state": labels.CORRECTION_STATES.label(correction.state),
        "correction_changes": _changes(diff),
        "correction_left": diff.left_count,
    }


def state_of(campaign: Campaign) -> CorrectionState | None:
    """Return how far the correction of a paused campaign is; None without one."""
    if campaign.status != CampaignStatus.PAUSED:
        return None
    correction: CampaignCorrection | None = corrections.open_of(campaign)
    return CorrectionState(correction.state) if correction is not None else None


def buttons(
    status: CampaignStatus, state: CorrectionState | None, *, may_author: bool, may_approve: bool
) -> list[Button]:
    """Return what the reader may do with a correction now, or that one may begin."""
    if state is None:
        may_begin = may_author and status == CampaignStatus.PAUSED
        begin = Button("correct", _("Correct"), "edit_note", needs_comment=True)
        return [begin] if may_begin else []
    found: list[Button] = []
    if may_author and state == CorrectionState.EDITING:
        text = _("Submit the correction for approval")
        found.append(Button("submit_correction", text, "send", "primary"))
    if may_approve and state == CorrectionState.IN_REVIEW:
        found += [
            Button(
                "approve_correction",
                _("Approve the correction"),
                "verified",
                "primary",
                needs_comment=True,
            ),
            Button(
                "reject_correction",
                _("Reject"),
                "undo",
                "danger",
                needs_comment=True,
                is_comment_required=True,
            ),
        ]
    if may_author and state != CorrectionState.EDITING:
        found.append(Button("reopen_correction", _("Change the correction"), "edit"))
    if may_author:
        question = _("Discard the correction? Texts, end and budget are as they were before.")
        found.append(
            Button("discard_correction", _("Discard the correction"), "delete", "", question)
        )
    return found


def _changes(diff: CorrectionDiff) -> Sequence[ShownChange]:
    shown = [
        ShownChange(
            _("Message %(position)s, variant %(variant)s, %(language)s")
            % {
                "position": change.position,
                "variant": change.variant,
                "language": content_labels.TEXT_LANGUAGES.label(change.locale),
            },
            _text(change.before),
            _text(change.after),
            change.had_before,
        )
        for change in diff.texts
    ]
    if diff.end_at is not None:
        before, after = (
            date_format(localtime(at), "Y-m-d H:i") if at else _("no end") for at in diff.end_at
        )
        shown.append(ShownChange(_("End"), before, after))
    if diff.budget_amount is not None:
        before, after = (
            f"¥{amount:,.2f}" if amount is not None else _("no limit")
            for amount in diff.budget_amount
        )
        shown.append(ShownChange(_("Budget"), before, after))
    return shown


def _text(row: ContentVersion | None) -> str:
    return "\n".join(filter(None, (row.subject, row.text, row.html))) if row else "–"
