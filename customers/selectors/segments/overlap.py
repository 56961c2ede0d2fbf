"""How many customers two segments share."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from customers.models import Customer, Segment
from customers.selectors.segments import query, references


@dataclass(frozen=True, slots=True)
class Overlap:
    """Exact counts at one moment."""

    first_count: int
    second_count: int
    both_count: int

    @property
    def first_only_count(self) -> int:
        """Return how many are in the first segment alone."""
        return self.first_count - self.both_count

    @property
    def second_only_count(self) -> int:
        """Return how many are in the second segment alone."""
        return self.second_count - self.both_count

    @property
    def share(self) -> float | None:
        """Return those in both over those in either (Jaccard); None when nobody is in either."""
        either = self.first_count + self.second_count - self.both_count
        return self.both_count / either if either else None


def overlap(first: Segment, second: Segment, *, now: datetime, zone: ZoneInfo) -> Overlap:
    """Count two segments by their current rules, and those who are in both.

    Raises:
        SegmentRuleInvalid: A stored rule no longer fits the catalogue.
    """
    predicates = []
    for segment in (first, second):
        version = segment.current_version
        if version is None:
            return Overlap(0, 0, 0)
        rule, scope = references.load_rule(version.rule, now=now, zone=zone)
        predicates.append(query.to_q(rule, scope))
    live = Customer.objects.live()
    return Overlap(
        first_count=live.filter(predicates[0]).count(),
        second_count=live.filter(predicates[1]).count(),
        both_count=live.filter(predicates[0]).filter(predicates[1]).count(),
    )
