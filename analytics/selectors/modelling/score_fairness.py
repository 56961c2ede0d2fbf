"""How a score in use treats groups of people: who is in its better half, and how scores differ."""

from dataclasses import dataclass
from datetime import date

from django.db.models import F

from campaigns.domain.campaigns.fairness import (
    LIMIT,
    FairnessAttribute,
    FairnessReport,
    impact_ratios,
    standardised_differences,
)
from campaigns.selectors.campaigns import fairness_groups
from customers.models import Customer, Score


@dataclass(frozen=True, slots=True)
class ScoreFairness:
    """The report, and the value that parts the better half from the other."""

    report: FairnessReport
    median: float


def load_fairness(model_name: str, *, is_better_low: bool, today: date) -> ScoreFairness | None:
    """Return how everybody scored stands by gender, age band and region; None: nobody is scored."""
    scores = Score.objects.filter(model_name=model_name, is_latest=True)
    count = scores.count()
    if not count:
        return None
    order = F("value").asc() if is_better_low else F("value").desc()
    median = scores.order_by(order).values_list("value", flat=True)[(count - 1) // 2]
    within = {"value__lte": median} if is_better_low else {"value__gte": median}
    base = Customer.objects.filter(pk__in=scores.values("customer_id"))
    chosen = Customer.objects.filter(pk__in=scores.filter(**within).values("customer_id"))
    all_counts = fairness_groups.counts_of(base, today=today)
    chosen_counts = fairness_groups.counts_of(chosen, today=today)
    all_of = fairness_groups.by_attribute(all_counts)
    chosen_of = fairness_groups.by_attribute(chosen_counts)
    moments = fairness_groups.moments_by_attribute(
        fairness_groups.moments_of(model_name, base, today=today)
    )
    report = FairnessReport(
        audience=sum(chosen_counts.values()),
        base=sum(all_counts.values()),
        limit=LIMIT,
        ratios={
            attribute: impact_ratios(
                {
                    group: (chosen_of[attribute].get(group, 0), size)
                    for group, size in all_of[attribute].items()
                }
            )
            for attribute in FairnessAttribute
        },
        differences={
            model_name: {
                attribute: standardised_differences(found) for attribute, found in moments.items()
            }
        },
    )
    return ScoreFairness(report, float(median))
