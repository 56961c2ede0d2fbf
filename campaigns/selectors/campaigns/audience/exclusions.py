"""Whom a campaign's exclusions leave out, in set-based conditions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When

from campaigns.domain.campaigns.exclusions import EVENTS, ExclusionReason, Exclusions, since
from campaigns.domain.campaigns.given.exclusions_reading import exclusions_of
from campaigns.models import Campaign, CampaignTag, Dispatch, Message
from campaigns.selectors.sending import past_messages
from customers.models import Customer, Event, Segment, SegmentVersion
from customers.services.segments import versions

# Rules of the segments that are left out, by slug.
Versions = Mapping[str, SegmentVersion]


def of_campaign(campaign: Campaign) -> Exclusions:
    """Return a campaign's exclusions."""
    return exclusions_of(campaign.exclusions)


def versions_of(campaign: Campaign) -> dict[str, SegmentVersion]:
    """Return the rules of the segments that a campaign leaves out: as they were at its launch.

    Of a campaign that was not launched those of this moment; a segment without a rule has none.
    """
    slugs = of_campaign(campaign).segments
    if not slugs:
        return {}
    frozen = _first_run(campaign).excluded_versions if campaign.launched_at else None
    if frozen is not None:
        rows = SegmentVersion.objects.filter(pk__in=frozen).select_related("segment")
        return {row.segment.slug: row for row in rows.order_by("pk")}
    segments = Segment.objects.filter(slug__in=slugs).select_related("current_version")
    return {
        segment.slug: segment.current_version
        for segment in segments.order_by("slug")
        if segment.current_version is not None
    }


def _first_run(campaign: Campaign) -> Dispatch:
    runs = Dispatch.objects.filter(campaign=campaign, position=1).order_by("run_number")
    return runs.first() or Dispatch(excluded_versions=None)


def without(
    people: QuerySet[Customer], exclusions: Exclusions, rules: Versions, *, now: datetime
) -> QuerySet[Customer]:
    """Return the people whom no exclusion leaves out, for one statement."""
    # A condition each and no OR: every one becomes an anti join.
    for _reason, condition in _conditions(exclusions, rules, now):
        people = people.exclude(condition)
    return people


def counts(
    people: QuerySet[Customer], exclusions: Exclusions, rules: Versions, *, now: datetime
) -> dict[str, int]:
    """Return how many people each reason leaves out, in one query; everybody is counted once."""
    conditions = _conditions(exclusions, rules, now)
    if not conditions:
        return {}
    why = Case(
        *(When(condition, then=Value(reason.value)) for reason, condition in conditions),
        default=Value(""),
        output_field=CharField(),
    )
    rows = people.annotate(why=why).order_by().values("why").annotate(people=Count("pk"))
    found = dict(rows.values_list("why", "people"))
    return {reason.value: found[reason] for reason in ExclusionReason if reason in found}


def _conditions(
    exclusions: Exclusions, rules: Versions, now: datetime
) -> list[tuple[ExclusionReason, Any]]:
    found: list[tuple[ExclusionReason, Any]] = []
    for slug in exclusions.segments:
        if slug in rules:
            members = versions.audience_queryset(rules[slug].rule, now=now)
            found.append((ExclusionReason.SEGMENT, Exists(members.filter(pk=OuterRef("pk")))))
    if exclusions.campaigns or exclusions.tags:
        found += _of_person(ExclusionReason.MESSAGED, _messaged(exclusions, now))
    for reason, days in exclusions.event_days():
        events = Event.objects.filter(
            type__name=EVENTS[reason],
            occurred_at__gte=since(now, days),
            occurred_at__lte=now,
        )
        found += _of_person(reason, events)
    return found


def _messaged(exclusions: Exclusions, now: datetime) -> QuerySet[Message]:
    tagged = CampaignTag.objects.filter(name__in=exclusions.tags).values("campaign_id")
    campaigns = Campaign.objects.filter(Q(slug__in=exclusions.campaigns) | Q(pk__in=tagged)).values(
        "pk"
    )
    return Message.objects.filter(
        dispatch__campaign_id__in=campaigns,
        state__in=past_messages.COUNTED_STATES,
        attempted_at__gte=since(now, exclusions.messaged_days),
    )


def _of_person(reason: ExclusionReason, rows: QuerySet[Any]) -> list[tuple[ExclusionReason, Any]]:
    """Return the conditions of rows that are a person's, also under a merged record."""
    return [
        (reason, Exists(rows.filter(customer=OuterRef("pk")))),
        (reason, Exists(rows.filter(customer__merged_into=OuterRef("pk")))),
    ]
