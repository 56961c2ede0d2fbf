"""What counts as success of what was sent: as it was frozen with the audience."""

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.models import Campaign, Dispatch


@dataclass(frozen=True, slots=True)
class SentGoal:
    """The goal of a campaign's messages.

    Attributes:
        window_days: From the first exposure on.
    """

    event: str
    window_days: int


def goals_of(campaigns: Sequence[Campaign]) -> dict[int, SentGoal]:
    """Return the goals of what was sent of campaigns, by their keys, in one query.

    Later runs have taken the first one's over. Of one that nothing was sent of yet, or that was run
    elsewhere, its own.
    """
    found = {row.pk: SentGoal(row.goal_event, row.goal_window_days) for row in campaigns}
    frozen = Dispatch.objects.filter(campaign__in=campaigns, run_number=1, position=1).exclude(
        goal_event=""
    )
    for pk, event, days in frozen.values_list("campaign_id", "goal_event", "goal_window_days"):
        if days is not None:
            found[pk] = SentGoal(event, days)
    return found
