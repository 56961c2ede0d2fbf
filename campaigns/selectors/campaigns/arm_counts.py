"""What the people of each variant did after the first message of a campaign's first run."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, TruncDate

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.experiments.arms import ArmSums
from campaigns.domain.experiments.content_test import ArmCounts
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, LinkVisit, Message, Variant
from campaigns.selectors.campaigns import content_tests, sent_goals
from customers.domain.events.event import EventName
from customers.models import Event
from loancrm.kernel import clock

MOST_OTHERS = 5

# Who was written to, whatever became of it.
_WRITTEN_TO = (
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.UNKNOWN,
)
# A text that cannot be written for somebody counts against it: those whom it fits best are not
# the people of the other arms.
_FAULTS_OF_THE_TEXT = (
    SkipReason.MISSING_VARIABLE,
    SkipReason.RENDER_ERROR,
    SkipReason.NO_CONTENT,
)


def of_campaign(campaign: Campaign, *, as_of: datetime) -> dict[str, ArmCounts]:
    """Return the counts of each variant of the first message, by its key; the holdout is no arm.

    Of a campaign that goes out more than once those of its first run: later ones are sent to
    whom it chose then, or with one text alone.
    """
    goal = sent_goals.goals_of([campaign])[campaign.pk]
    rows = people_of(campaign, as_of=as_of).annotate(
        clicked=_clicked(as_of),
        converted=_did(goal.event, as_of, within=timedelta(days=goal.window_days)),
        opted_out=_did(EventName.OPTED_OUT, as_of),
        complained=_did(EventName.COMPLAINT_MADE, as_of),
    )
    is_delivered = Q(delivered_at__lte=as_of) | Q(clicked=True)
    found = (
        rows.values("variant__key")
        .annotate(
            people=Count("pk"),
            count_delivered=Count("pk", filter=is_delivered),
            count_clicked=Count("pk", filter=Q(clicked=True)),
            count_converted=Count("pk", filter=Q(converted=True)),
            count_opted_out=Count("pk", filter=Q(opted_out=True)),
            count_complained=Count("pk", filter=Q(complained=True)),
        )
        .order_by()
    )
    counts = {key: ArmCounts() for key in content_tests.variants_of(campaign)}
    for row in found:
        counts[row["variant__key"]] = ArmCounts(
            people=row["people"],
            delivered=row["count_delivered"],
            clicked=row["count_clicked"],
            converted=row["count_converted"],
            opted_out=row["count_opted_out"],
            complained=row["count_complained"],
        )
    return counts


@dataclass(frozen=True, slots=True)
class WrittenTo:
    """People of a variant who were written to in the first run, by where, how and when."""

    variant: str
    channel: str
    language: str
    day: date
    is_first_message: bool
    people: int


def written_to(campaign: Campaign, *, as_of: datetime) -> list[WrittenTo]:
    """Return who was written to, of every step; days are the company's (1 query)."""
    rows = (
        Message.objects.filter(
            state__in=_WRITTEN_TO,
            dispatch__campaign=campaign,
            dispatch__run_number=1,
            is_control=False,
            variant__isnull=False,
        )
        .annotate(reached_at=Coalesce("sent_at", "attempted_at", "closed_at", "planned_at"))
        .filter(reached_at__lte=as_of)
        .annotate(day=TruncDate("reached_at", tzinfo=clock.company_zone()))
        .values_list(
            "variant__key",
            "dispatch__channel_kind",
            "customer__language",
            "day",
            "dispatch__position",
        )
        .annotate(people=Count("pk"))
        .order_by()
    )
    return [
        WrittenTo(key, channel, language, day, position == 1, people)
        for key, channel, language, day, position, people in rows
    ]


def crossed(
    campaign: Campaign, other: Campaign, *, as_of: datetime
) -> dict[tuple[str, str], ArmSums]:
    """Return {(variant here, variant there): sums of conversions here} of who is in both (1 query).

    The control groups are no arms.
    """
    goal = sent_goals.goals_of([campaign])[campaign.pk]
    there = Message.objects.filter(
        dispatch__campaign=other,
        dispatch__position=1,
        dispatch__run_number=1,
        is_control=False,
        state__in=_WRITTEN_TO,
        customer=OuterRef("customer"),
    )
    rows = (
        people_of(campaign, as_of=as_of)
        .annotate(
            converted=_did(goal.event, as_of, within=timedelta(days=goal.window_days)),
            there=Subquery(there.values("variant__key")[:1]),
        )
        .filter(there__isnull=False)
        .values_list("variant__key", "there")
        .annotate(people=Count("pk"), yes=Count("pk", filter=Q(converted=True)))
        .order_by()
    )
    return {(here, key): ArmSums.of_yes(yes, people) for here, key, people, yes in rows}


def others_under_way(campaign: Campaign) -> list[Campaign]:
    """Return running campaigns that compare variants and have people in common, at most five."""
    mine = Message.objects.filter(
        dispatch__campaign=campaign, dispatch__run_number=1, customer=OuterRef("customer")
    )
    shared = Message.objects.filter(
        Exists(mine), dispatch__campaign=OuterRef("pk"), dispatch__run_number=1
    )
    second = Variant.objects.filter(
        touchpoint__step__campaign=OuterRef("pk"), touchpoint__step__position=1
    ).order_by("key")[1:2]
    rows = Campaign.objects.filter(
        Exists(second),
        Exists(shared),
        status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED],
    ).exclude(pk=campaign.pk)
    return list(rows.order_by("-launched_at", "-pk")[:MOST_OTHERS])


def people_of(campaign: Campaign, *, as_of: datetime) -> QuerySet[Message]:
    """Return the messages whose people are read, with the time of each as `reached_at`."""
    was_due = Q(state__in=_WRITTEN_TO) | Q(
        state=MessageState.SKIPPED, reason__in=_FAULTS_OF_THE_TEXT
    )
    return (
        Message.objects.filter(
            was_due,
            dispatch__campaign=campaign,
            dispatch__position=1,
            dispatch__run_number=1,
            is_control=False,
            variant__isnull=False,
        )
        .annotate(reached_at=Coalesce("sent_at", "attempted_at", "closed_at", "planned_at"))
        .filter(reached_at__lte=as_of)
    )


def _clicked(as_of: datetime) -> Exists:
    return Exists(LinkVisit.objects.filter(message=OuterRef("pk"), is_bot=False, at__lte=as_of))


def _did(event: str, as_of: datetime, *, within: timedelta | None = None) -> Any:
    """Return whether somebody did something after her message, under whichever record."""
    events = Event.objects.filter(
        type__name=event, occurred_at__gte=OuterRef("reached_at"), occurred_at__lte=as_of
    )
    if within is not None:
        # The event is moved back, not the message's time forth: that stays an outer value.
        events = events.alias(
            latest_start=ExpressionWrapper(
                F("occurred_at") - Value(within), output_field=DateTimeField()
            )
        ).filter(latest_start__lte=OuterRef("reached_at"))
    return Exists(events.filter(customer=OuterRef("customer_id"))) | Exists(
        events.filter(customer=OuterRef("customer__merged_into_id"))
    )
