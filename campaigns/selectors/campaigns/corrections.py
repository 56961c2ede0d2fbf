"""Corrections of campaigns that were launched: what stood before, what stands, who got which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count

from campaigns.domain.campaigns.correction import OPEN_CORRECTIONS, CorrectionState, StepShape
from campaigns.domain.sending.states import OPEN_STATES
from campaigns.models import Campaign, CampaignCorrection, ContentVersion, Message


@dataclass(frozen=True, slots=True)
class TextChange:
    """One text that a correction changes; None where there was or is none.

    Attributes:
        position: Of the step.
        had_before: How many people were sent the text that stood before.
    """

    position: int
    variant: str
    locale: str
    before: ContentVersion | None
    after: ContentVersion | None
    had_before: int = 0


@dataclass(frozen=True, slots=True)
class CorrectionDiff:
    """What a correction changes, and for how many.

    Attributes:
        end_at: Before and after; None where it stays.
        budget_amount: The same.
        left_count: People who are not decided about yet: they get what is new.
    """

    correction: CampaignCorrection
    texts: Sequence[TextChange]
    end_at: tuple[datetime | None, datetime | None] | None
    budget_amount: tuple[Decimal | None, Decimal | None] | None
    left_count: int

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is changed."""
        return not self.texts and self.end_at is None and self.budget_amount is None


def open_of(campaign: Campaign) -> CampaignCorrection | None:
    """Return the correction that is under way, None without one."""
    rows = CampaignCorrection.objects.filter(campaign=campaign, state__in=OPEN_CORRECTIONS)
    return rows.select_related("author").first()


def is_editing(campaign: Campaign) -> bool:
    """Return whether a correction lets texts, end and budget be changed now."""
    rows = CampaignCorrection.objects.filter(campaign=campaign, state=CorrectionState.EDITING)
    return rows.exists()


def current_contents(campaign: Campaign) -> list[int]:
    """Return the keys of the texts in use."""
    rows = ContentVersion.objects.filter(
        variant__touchpoint__step__campaign=campaign, is_current=True
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def shapes(campaign: Campaign) -> list[StepShape]:
    """Return what a correction must leave of a campaign's messages."""
    steps = campaign.steps.select_related("touchpoint__channel").prefetch_related(
        "touchpoint__variants"
    )
    return [
        StepShape(
            step.channel.slug if step.channel else "",
            step.is_fallback,
            step.wait_minutes if step.position > 1 else 0,
            step.condition,
            tuple(
                sorted(
                    (variant.key, variant.weight, variant.follows_message)
                    for variant in step.touchpoint.variants.all()
                )
            ),
        )
        for step in steps.order_by("position")
    ]


def diff_of(correction: CampaignCorrection) -> CorrectionDiff:
    """Return what a correction that is under way changes, in four queries."""
    campaign = correction.campaign
    before = _by_place(correction.contents)
    after = _by_place(current_contents(campaign))
    had = _had(correction.contents)
    texts = [
        TextChange(*place, old, new, had.get(old.pk, 0) if old else 0)
        for place in sorted({*before, *after})
        if (old := before.get(place)) != (new := after.get(place))
    ]
    end_at = (correction.end_at, campaign.end_at)
    amount = (correction.budget_amount, campaign.budget_amount)
    left = Message.objects.filter(dispatch__campaign=campaign, state__in=OPEN_STATES)
    return CorrectionDiff(
        correction,
        texts,
        end_at if end_at[0] != end_at[1] else None,
        amount if amount[0] != amount[1] else None,
        left.count(),
    )


def _by_place(keys: Sequence[int]) -> Mapping[tuple[int, str, str], ContentVersion]:
    rows = ContentVersion.objects.filter(pk__in=keys).select_related("variant__touchpoint__step")
    return {
        (row.variant.touchpoint.step.position, row.variant.key, row.locale): row for row in rows
    }


def _had(keys: Sequence[int]) -> Mapping[int, int]:
    """Return {text: how many people were sent it}."""
    rows = Message.objects.filter(content_id__in=keys, sent_at__isnull=False)
    of_campaign = rows.filter(dispatch__touchpoint__variants__contents__in=keys).order_by()
    return dict(of_campaign.values_list("content_id").annotate(Count("pk", distinct=True)))
