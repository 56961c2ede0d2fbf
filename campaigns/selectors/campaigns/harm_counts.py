"""What became of the messages of running campaigns and of provider accounts, for the watch."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.harm_watch import Harm, HarmCounts
from campaigns.domain.sending.states import MessageState
from campaigns.models import Dispatch, Message
from campaigns.selectors.campaigns import live_progress
from campaigns.selectors.sending import ways
from customers.domain.consents.consent import Purpose
from customers.domain.events.event import EventName
from customers.models import Event

# An account lives for years: what it did long ago would hide what it does now.
ACCOUNT_HOURS = 24
_EVENTS = {Harm.COMPLAINTS: EventName.COMPLAINT_MADE, Harm.OPT_OUTS: EventName.OPTED_OUT}
_TAKEN = (MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED)
_LOST = (MessageState.BOUNCED, MessageState.FAILED)
_LONGEST = timedelta(days=60)


def of_campaigns(*, now: datetime) -> Mapping[int, HarmCounts]:
    """Return {running campaign: counts} of its newest run since it was launched or resumed.

    Three queries, however many campaigns run.
    """
    runs = live_progress.of_newest_runs(
        Dispatch.objects.filter(campaign__status=CampaignStatus.RUNNING)
    )
    since = Coalesce("dispatch__campaign__harm_since", "dispatch__campaign__launched_at")
    rows = Message.objects.filter(dispatch__in=runs, attempted_at__gte=since)
    return _counts(rows, "dispatch__campaign_id", now)


def of_accounts(*, now: datetime) -> Mapping[int, HarmCounts]:
    """Return {channel: counts} of the marketing of the last day, or since somebody looked.

    Three queries, however many accounts there are.
    """
    begin = now - timedelta(hours=ACCOUNT_HOURS)
    recent = Dispatch.objects.filter(
        Q(completed_at__isnull=True) | Q(completed_at__gte=begin),
        purpose=Purpose.MARKETING,
        channel__isnull=False,
        frozen_at__isnull=False,
    )
    since = Case(
        When(dispatch__channel__harm_since__gt=begin, then=F("dispatch__channel__harm_since")),
        default=Value(begin),
    )
    rows = Message.objects.filter(dispatch__in=recent, attempted_at__gte=since)
    return _counts(rows.annotate(way=ways.way()), "way", now)


def _counts(rows: QuerySet[Message], group: str, now: datetime) -> Mapping[int, HarmCounts]:
    found: dict[int, dict[str, Any]] = {}
    counted = rows.values(group).annotate(
        answered=Count("pk", filter=Q(state__in=[*_TAKEN, MessageState.FAILED])),
        sent=Count("pk", filter=Q(state__in=_TAKEN)),
        lost=Count("pk", filter=Q(state__in=_LOST)),
    )
    for row in counted.order_by():
        found[row[group]] = row
    bad: dict[int, dict[Harm, int]] = defaultdict(dict)
    for harm, name in _EVENTS.items():
        for pk, count in _answered_with(rows, group, name, now):
            bad[pk][harm] = count
    return {
        pk: HarmCounts(row["answered"], row["sent"], {Harm.FAILURES: row["lost"], **bad[pk]})
        for pk, row in found.items()
    }


def _answered_with(
    rows: QuerySet[Message], group: str, name: EventName, now: datetime
) -> list[tuple[int, int]]:
    """Return how many people answered a message with an event that names what it was about."""
    # From the few events to their people's messages, not the other way round.
    answers = Event.objects.filter(type__name=name, occurred_at__gte=now - _LONGEST)
    about = answers.filter(
        customer_id=OuterRef("customer_id"),
        subject=OuterRef("dispatch__subject"),
        occurred_at__gte=OuterRef("attempted_at"),
    )
    people = rows.filter(Exists(about), customer_id__in=answers.values("customer_id"))
    counted = people.values(group).annotate(count=Count("customer_id", distinct=True)).order_by()
    return list(counted.values_list(group, "count"))
