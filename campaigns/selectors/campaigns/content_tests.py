"""Tests of texts: what was planned, where they stand, and which of them are still open."""

from django.db.models import Q

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.experiments.content_test import (
    ContentTestPlan,
    ContentTestState,
    GuardedHarm,
    WinnerMetric,
    WithoutWinner,
)
from campaigns.models import Campaign, ContentTest, Variant


def of_campaign(campaign: Campaign) -> ContentTest | None:
    """Return a campaign's test; None where its texts are not tested."""
    return ContentTest.objects.filter(campaign=campaign).select_related("decided_by").first()


def plan_of(test: ContentTest | None) -> ContentTestPlan | None:
    """Return what was planned of a test; None of none."""
    if test is None:
        return None
    return ContentTestPlan(
        test_share=test.test_share,
        metric=WinnerMetric(test.metric),
        decide_after_hours=test.decide_after_hours,
        without_winner=WithoutWinner(test.without_winner),
        margins={
            GuardedHarm.OPTED_OUT: test.opted_out_margin,
            GuardedHarm.COMPLAINED: test.complained_margin,
        },
    )


def is_asked(test: ContentTest, campaign: Campaign) -> bool:
    """Return whether a person is asked for the winner."""
    is_under_way = campaign.status in {CampaignStatus.RUNNING, CampaignStatus.PAUSED}
    return is_under_way and test.state == ContentTestState.WAITING


def asks_a_person() -> Q:
    """Return which campaigns wait for a person to choose the winner."""
    return Q(
        status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED],
        content_test__state=ContentTestState.WAITING,
    )


def variants_of(campaign: Campaign) -> list[str]:
    """Return the keys of the first message's variants; the first of them is the control."""
    rows = Variant.objects.filter(touchpoint__step__campaign=campaign, touchpoint__step__position=1)
    return list(rows.order_by("key").values_list("key", flat=True))


def goes_on() -> Q:
    """Return which campaigns send more by themselves: by a calendar, or to the rest of a test."""
    has_open_test = Q(content_test__isnull=False, content_test__rest_started_at__isnull=True)
    return Q(next_run_at__isnull=False) | (
        has_open_test & Q(status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED])
    )
