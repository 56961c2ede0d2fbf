"""What a marketer's first page says of campaigns: whose turn it is, what runs, what goes astray."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Prefetch, Q, Subquery

from campaigns.domain.campaigns import delivery_alerts, drafts
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.delivery_alerts import DeliveryAlert
from campaigns.domain.campaigns.drafts import DraftFacts, DraftGap
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Approval, Campaign, ContentVersion, Dispatch, Message, Step
from campaigns.selectors.campaigns import content_tests, live_progress

MOST_SHOWN = 10
LOOKED_BACK = timedelta(days=7)
_GOING_ON = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class OwnDraft:
    """A draft of the reader's.

    Attributes:
        is_refused: The last word about it was a refusal.
        comment: What the approver wrote then.
    """

    campaign: Campaign
    gaps: tuple[DraftGap, ...]
    is_refused: bool
    comment: str


@dataclass(frozen=True, slots=True)
class HeldCampaign:
    """A campaign that waits for a person, with the codes of why."""

    campaign: Campaign
    reason: str


@dataclass(frozen=True, slots=True)
class GoingCampaign:
    """A campaign that is going on: how many of its people are done with, and whether it pauses."""

    campaign: Campaign
    done: int
    total: int

    @property
    def is_paused(self) -> bool:
        """Return whether somebody paused it."""
        return self.campaign.status == CampaignStatus.PAUSED


def own_drafts(user: User, *, now: datetime) -> Sequence[OwnDraft]:
    """Return a person's newest drafts with what each lacks (3 queries)."""
    last = Approval.objects.filter(campaign=OuterRef("pk")).order_by("-pk")
    rows = list(
        Campaign.objects.filter(author=user, status=CampaignStatus.DRAFT)
        .annotate(
            last_granted=Subquery(last.values("is_granted")[:1]),
            last_comment=Subquery(last.values("comment")[:1]),
        )
        .prefetch_related(
            Prefetch("steps", Step.objects.select_related("touchpoint__channel"), "all_steps")
        )
        .order_by("-updated_at", "-pk")[:MOST_SHOWN]
    )
    texts = dict(
        ContentVersion.objects.filter(
            is_current=True, variant__touchpoint__step__campaign__in=[row.pk for row in rows]
        )
        .values_list("variant__touchpoint__step__campaign")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return [
        OwnDraft(
            campaign=row,
            gaps=drafts.gaps(_facts(row, texts.get(row.pk, 0)), now=now),
            is_refused=row.last_granted is False,
            comment=row.last_comment or "" if row.last_granted is False else "",
        )
        for row in rows
    ]


def held(user: User, *, sees_all: bool) -> Sequence[HeldCampaign]:
    """Return the campaigns that wait for a person to release them (2 queries).

    Args:
        sees_all: Whether those of others count too.
    """
    own = Q() if sees_all else Q(campaign__author=user)
    dispatches = Dispatch.objects.filter(own, status=DispatchStatus.HELD, campaign__isnull=False)
    found = {
        row.campaign_id: HeldCampaign(row.campaign, row.hold_reason)
        for row in dispatches.select_related("campaign").order_by("-pk")[:MOST_SHOWN]
        if row.campaign is not None
    }
    runs = Campaign.objects.filter(status__in=_GOING_ON).exclude(run_hold_reason="")
    if not sees_all:
        runs = runs.filter(author=user)
    for campaign in runs.order_by("-pk")[:MOST_SHOWN]:
        found.setdefault(campaign.pk, HeldCampaign(campaign, campaign.run_hold_reason))
    return list(found.values())


def winners_asked(user: User, *, sees_all: bool) -> Sequence[Campaign]:
    """Return the campaigns whose test of texts waits for a person to choose (1 query).

    Args:
        sees_all: Whether those of others count too.
    """
    rows = Campaign.objects.filter(content_tests.asks_a_person())
    return list((rows if sees_all else rows.filter(author=user)).order_by("-pk")[:MOST_SHOWN])


def going_on() -> Sequence[GoingCampaign]:
    """Return the campaigns that run or pause, the newest first (3 queries)."""
    rows = list(
        Campaign.objects.filter(status__in=_GOING_ON).order_by("-launched_at", "-pk")[:MOST_SHOWN]
    )
    shares = live_progress.finished_shares(rows)
    return [GoingCampaign(row, *shares.get(row.pk, (0, 0))) for row in rows]


def astray(*, now: datetime) -> Sequence[tuple[Campaign, tuple[DeliveryAlert, ...]]]:
    """Return the campaigns of the last days of which too much goes astray (2 queries)."""
    recent = Dispatch.objects.filter(frozen_at__gt=now - LOOKED_BACK, campaign__isnull=False)
    rows = (
        Message.objects.filter(dispatch__in=recent.values("pk"), is_control=False)
        .values_list("dispatch__campaign", "state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    states: Mapping[int, dict[str, int]] = defaultdict(dict)
    for campaign_id, state, count in rows:
        states[campaign_id][state] = count
    found = {key: told for key, value in states.items() if (told := delivery_alerts.alerts(value))}
    campaigns = Campaign.objects.filter(pk__in=found).order_by("-launched_at", "-pk")
    return [(campaign, found[campaign.pk]) for campaign in campaigns[:MOST_SHOWN]]


def _facts(campaign: Campaign, text_count: int) -> DraftFacts:
    steps: Sequence[Step] = campaign.all_steps  # type: ignore[attr-defined] # prefetched
    return DraftFacts(
        has_segment=campaign.segment_id is not None,
        channels_on=[step.channel.is_active if step.channel else None for step in steps],
        text_count=text_count,
        start_at=campaign.start_at,
    )
