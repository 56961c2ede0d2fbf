"""The lender's own campaigns with a group held out by chance, as one trial to learn uplift from."""

from collections import Counter
from collections.abc import Container
from datetime import datetime

import numpy as np

from analytics.domain.modelling.life.choices import TrainingChoices
from analytics.domain.modelling.life.observations import (
    Exclusion,
    Observations,
    observations_of,
)
from analytics.domain.uplift.pooling import TrialRow, evened, first_of_each
from analytics.selectors import outcomes
from analytics.selectors.modelling.features import microseconds
from campaigns.models import Campaign
from campaigns.selectors.campaigns import sent_goals


def load_trials(
    choices: TrainingChoices,
    *,
    as_of: datetime,
    closed: Container[int],
    excluded: Counter[Exclusion],
) -> Observations:
    """Return everybody of the campaigns that are over, as they were to be treated.

    Who was treated, who is left out because a gate refused them in either group, and what counts as
    reached are those of the campaign's report. A row is looked at from the freezing of the
    audience, when chance decided. Everybody counts once, by the first run that had them.

    Args:
        closed: Customers of whom nothing is learned.
        excluded: Counts what is left out.
    """
    campaigns = Campaign.objects.filter(holdout_share__gt=0, dispatches__frozen_at__isnull=False)
    if choices.campaign:
        campaigns = campaigns.filter(slug=choices.campaign)
    chosen = list(campaigns.distinct().order_by("pk").prefetch_related("steps"))
    goals = sent_goals.goals_of(chosen)
    rows: list[TrialRow] = []
    for campaign in chosen:
        if not (goal := goals[campaign.pk]).event:
            continue
        # A fallback reaches only the treated whom a gate of the first step refused.
        is_as_assigned = any(step.is_fallback for step in campaign.steps.all())
        for one in outcomes.load_trial(campaign=campaign, goal=goal, as_of=as_of):
            if not one.is_mature:
                excluded[Exclusion.IMMATURE] += 1
            elif not (is_as_assigned or one.is_eligible):
                excluded[Exclusion.NOT_ELIGIBLE] += 1
            elif one.customer_id in closed:
                excluded[Exclusion.NO_PERSONALISATION] += 1
            else:
                rows.append(
                    TrialRow(
                        customer_id=one.customer_id,
                        time=microseconds(one.planned_at),
                        is_treated=not one.is_control,
                        is_converted=one.is_converted,
                        holdout_share=campaign.holdout_share,
                    )
                )
    rows.sort(key=lambda row: (row.customer_id, row.time))
    once = first_of_each(rows)
    excluded[Exclusion.LATER_RUN] += len(rows) - len(once)
    kept = evened(once, seed=choices.seed)
    excluded[Exclusion.EVENED_OUT] += len(once) - len(kept)
    return observations_of(
        [(row.customer_id, row.time, float(row.is_converted)) for row in kept],
        excluded,
        treated=np.array([row.is_treated for row in kept], dtype=bool),
    )
