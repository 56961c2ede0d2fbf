"""How far campaigns have come, for lists and pages."""

from collections.abc import Mapping, Sequence

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Campaign, Dispatch, Message
from campaigns.selectors.campaigns import last_messages

SHOWN_RUNS = 5
OVER = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.IMPORTED})


def dispatches(campaign: Campaign) -> Sequence[Dispatch]:
    """Return the dispatches of a campaign's newest run, in the order of the steps.

    Of one that waits for triggers, which has a run every few seconds, its newest ones and those
    that wait for a person.
    """
    rows = of_newest_runs(Dispatch.objects.filter(campaign=campaign))
    if campaign.trigger is not None:
        newest = rows.order_by("-run_number").values_list("run_number", flat=True).first() or 0
        rows = rows.filter(Q(run_number__gt=newest - SHOWN_RUNS) | Q(status=DispatchStatus.HELD))
    return list(rows.select_related("channel", "step").order_by("run_number", "position"))


def of_newest_runs(rows: QuerySet[Dispatch]) -> QuerySet[Dispatch]:
    """Leave the dispatches of each campaign's newest run: what is under way, or was last.

    The test of texts and the rest are two parts of one: everybody is in one of them.
    """
    later = Dispatch.objects.filter(
        campaign=OuterRef("campaign"),
        campaign__recurrence__isnull=False,
        run_number__gt=OuterRef("run_number"),
    )
    return rows.filter(~Exists(later))


def finished_shares(campaigns: Sequence[Campaign]) -> Mapping[int, tuple[int, int]]:
    """Return, for each campaign, how many of its people are done with and how many there are.

    A person whom a later step serves counts there, once, as on the campaign's own page.
    """
    open_states = (MessageState.PLANNED, MessageState.SENDING)
    runs = of_newest_runs(Dispatch.objects.filter(campaign__in=campaigns))
    last = dict(runs.order_by("position").values_list("campaign_id", "pk"))
    found: dict[int, tuple[int, int]] = {}
    rows = (
        Message.objects.filter(dispatch__in=runs)
        .filter(Q(dispatch__in=list(last.values())) | ~last_messages.is_served_later())
        .values_list("dispatch__campaign_id", "state")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for campaign_id, state, count in rows:
        done, total = found.get(campaign_id, (0, 0))
        found[campaign_id] = (done + (0 if state in open_states else count), total + count)
    return found
