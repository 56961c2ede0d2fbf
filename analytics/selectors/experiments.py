"""How the variants of a campaign stand, whether their sizes are right, and what crosses them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.domain.sample_ratio import SampleDimension, SampleRatio, sample_ratios
from campaigns.domain.experiments.content_test import (
    USUAL_MARGIN,
    ContentTestPlan,
    ContentTestReading,
    GuardedHarm,
    WinnerMetric,
    read_arms,
)
from campaigns.domain.experiments.interaction import Interaction, interactions
from campaigns.models import Campaign, ContentTest, Variant
from campaigns.selectors.campaigns import arm_counts, content_tests
from campaigns.selectors.campaigns.arm_counts import WrittenTo


@dataclass(frozen=True, slots=True)
class CrossedExperiment:
    """Another running campaign that some of the same people are in, with variants of its own."""

    campaign: Campaign
    people: int
    found: Sequence[Interaction]


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """The variants of a campaign at one moment.

    Attributes:
        plan: What was approved of a test; None where everybody was written to at once.
    """

    reading: ContentTestReading
    metric: WinnerMetric
    plan: ContentTestPlan | None
    test: ContentTest | None
    ratios: Sequence[SampleRatio]
    crossed: Sequence[CrossedExperiment]


def load(campaign: Campaign, *, as_of: datetime) -> ExperimentReport | None:
    """Return how the variants stand; None of a campaign with one text alone.

    Of a campaign that goes out again its first run is read.
    """
    variants = Variant.objects.filter(
        touchpoint__step__campaign=campaign, touchpoint__step__position=1
    )
    weights = dict(variants.values_list("key", "weight"))
    if len(weights) < 2:
        return None
    test = content_tests.of_campaign(campaign)
    plan = content_tests.plan_of(test)
    metric = plan.metric if plan else WinnerMetric.CONVERTED
    counts = arm_counts.of_campaign(campaign, as_of=as_of)
    return ExperimentReport(
        reading=read_arms(
            {key: counts[key] for key in weights},
            metric=metric,
            margins=plan.margins if plan else dict.fromkeys(GuardedHarm, USUAL_MARGIN),
        ),
        metric=metric,
        plan=plan,
        test=test,
        ratios=_ratios(arm_counts.written_to(campaign, as_of=as_of), weights),
        crossed=_crossed(campaign, as_of),
    )


def _ratios(rows: Sequence[WrittenTo], weights: Mapping[str, int]) -> tuple[SampleRatio, ...]:
    def counts() -> Iterator[tuple[SampleDimension, str, str, int]]:
        for row in rows:
            yield SampleDimension.CHANNEL, row.channel, row.variant, row.people
            if row.is_first_message:
                yield SampleDimension.LANGUAGE, row.language, row.variant, row.people
                yield SampleDimension.DAY, row.day.isoformat(), row.variant, row.people

    return sample_ratios(counts(), weights)


def _crossed(campaign: Campaign, as_of: datetime) -> list[CrossedExperiment]:
    found = []
    for other in arm_counts.others_under_way(campaign):
        cells = arm_counts.crossed(campaign, other, as_of=as_of)
        people = sum(sums.people for sums in cells.values())
        if people:
            found.append(CrossedExperiment(other, people, interactions(cells)))
    return found
