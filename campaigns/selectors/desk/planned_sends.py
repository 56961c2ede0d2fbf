"""When campaigns were and will be sent: past runs, scheduled ones, and what calendars bring."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from django.db.models import Q

from campaigns.domain.campaigns import recurrence as calendars
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import WorkCalendar
from campaigns.domain.campaigns.sends import SendKind
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, Dispatch, Step
from loancrm.kernel import clock

_BEFORE = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED)
_ON_THE_WAY = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class PlannedSend:
    """One send of a campaign.

    Attributes:
        at: When it is or was due.
        channel_kind: Of its first message; empty where it has none yet.
        people: Its audience; of one to come the last count of its segment, None where nobody
            counted.
        segment_id: Whom it is about; None where it has none yet.
    """

    kind: SendKind
    campaign: Campaign
    at: datetime
    channel_kind: str
    people: int | None
    segment_id: int | None

    @property
    def is_estimate(self) -> bool:
        """Return whether its people are counted, not frozen."""
        return self.kind in {SendKind.COMING_RUN, SendKind.NOT_LAUNCHED}


def between(since: datetime, until: datetime, *, calendar: WorkCalendar) -> Sequence[PlannedSend]:
    """Return the sends of a time, in order (3 queries); fallbacks are part of their message's.

    Args:
        since: The first moment; `until` is the first one after.
        calendar: Public holidays, which move the dates of some campaigns.
    """
    found = list(_dispatches(since, until))
    wanted = Q(status__in=_BEFORE, start_at__lt=until) & (
        Q(start_at__gte=since) | Q(recurrence__isnull=False)
    )
    wanted |= Q(status__in=_ON_THE_WAY, next_run_at__lt=until)
    # What triggers begin has no date; the day that it begins to listen is its first run's.
    campaigns = list(
        Campaign.objects.filter(wanted, trigger__isnull=True)
        .select_related("segment")
        .order_by("pk")
    )
    kinds = _channel_kinds(campaigns)
    for campaign in campaigns:
        is_launched = campaign.status in _ON_THE_WAY
        kind = SendKind.COMING_RUN if is_launched else SendKind.NOT_LAUNCHED
        found += [
            PlannedSend(
                kind=kind,
                campaign=campaign,
                at=at,
                channel_kind=kinds.get(campaign.pk, ""),
                people=campaign.segment.last_count if campaign.segment else None,
                segment_id=campaign.segment_id,
            )
            for at in _dates(campaign, until, calendar)
            if at >= since
        ]
    return sorted(found, key=lambda one: (one.at, one.campaign.pk))


def _dispatches(since: datetime, until: datetime) -> Iterator[PlannedSend]:
    rows = (
        Dispatch.objects.filter(
            campaign__isnull=False, position=1, due_at__gte=since, due_at__lt=until
        )
        .exclude(status=DispatchStatus.CANCELLED)
        .select_related("campaign")
        .order_by("due_at", "pk")
    )
    for row in rows:
        if row.campaign is not None:
            is_coming = row.status == DispatchStatus.SCHEDULED
            yield PlannedSend(
                kind=SendKind.SCHEDULED if is_coming else SendKind.BEGUN,
                campaign=row.campaign,
                at=row.due_at,
                channel_kind=row.channel_kind,
                people=row.audience_count,
                segment_id=row.campaign.segment_id,
            )


def _dates(campaign: Campaign, until: datetime, calendar: WorkCalendar) -> Iterator[datetime]:
    """Yield when a campaign that is to come, or its next runs, are due."""
    found = of_stored(campaign.recurrence)
    first = campaign.next_run_at or campaign.start_at
    if found is None or first is None:
        return iter([first] if first is not None else [])
    dates = calendars.occurrences(
        found, start=campaign.start_at or first, zone=clock.company_zone(), calendar=calendar
    )
    return (at for at in takewhile(lambda at: at < until, dates) if at >= first)


def _channel_kinds(campaigns: Sequence[Campaign]) -> Mapping[int, str]:
    rows = Step.objects.filter(campaign__in=[row.pk for row in campaigns], is_fallback=False)
    named = rows.order_by("-position").values_list("campaign_id", "touchpoint__channel__kind")
    return {campaign_id: kind or "" for campaign_id, kind in named}
