"""Who is in a run of a campaign: whom its rule chooses, less whom its exclusions leave out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from campaigns.domain.campaigns.exclusions import Exclusions
from campaigns.domain.campaigns.given.problems import ValueProblem, ValueProblemCode
from campaigns.models import Campaign, Dispatch
from campaigns.selectors.campaigns.audience import exclusions
from customers.models import Customer, Segment, SegmentVersion
from customers.services.segments import versions


@dataclass(frozen=True, slots=True)
class CampaignAudience:
    """The people of one run.

    Attributes:
        chosen: Whom the segment's rule chooses.
        people: Who of them is left.
        excluded: How many each exclusion leaves out.
        excluded_versions: Keys of the rules by which segments were left out.
    """

    chosen: QuerySet[Customer]
    people: QuerySet[Customer]
    excluded: dict[str, int]
    excluded_versions: list[int]

    def note_on(self, plan: Dispatch) -> None:
        """Keep with a plan that is about to be frozen whom the exclusions left out."""
        plan.excluded_counts = self.excluded
        plan.excluded_versions = self.excluded_versions


def audience_of(
    campaign: Campaign, *, version: SegmentVersion | None, now: datetime
) -> CampaignAudience:
    """Return who is in a run that is frozen now.

    Args:
        version: The rule that chooses the people; without one nobody is filtered by it.
    """
    chosen = versions.audience_queryset(version.rule if version else {}, now=now)
    rules = exclusions.versions_of(campaign)
    wanted = exclusions.of_campaign(campaign)
    return CampaignAudience(
        chosen=chosen,
        people=exclusions.without(chosen, wanted, rules, now=now),
        excluded=exclusions.counts(chosen, wanted, rules, now=now),
        excluded_versions=[rule.pk for rule in rules.values()],
    )


def reference_problems(wanted: Exclusions, *, path: str = "exclude") -> Sequence[ValueProblem]:
    """Return the segments and campaigns that exclusions name and that are not there."""
    segments = set(Segment.objects.filter(slug__in=wanted.segments).values_list("slug", flat=True))
    campaigns = set(
        Campaign.objects.filter(slug__in=wanted.campaigns).values_list("slug", flat=True)
    )
    return [
        ValueProblem(f"{path}.{key}", ValueProblemCode.UNKNOWN, name)
        for key, names, known in (
            ("segments", wanted.segments, segments),
            ("campaigns", wanted.campaigns, campaigns),
        )
        for name in names
        if name not in known
    ]
