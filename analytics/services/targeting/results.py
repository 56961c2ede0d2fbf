"""A targeting's result as plain JSON: counts and sums, no people."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from analytics.domain.targeting.planning import TargetingPeople, TargetingPlan
from analytics.domain.targeting.problem import MICRO, CapKind, CapUse
from analytics.domain.targeting.rankings import Ranked
from analytics.domain.targeting.solving import Solution
from analytics.domain.targeting.spec import TargetingSpec
from analytics.services.targeting.retiring import RetiredList
from analytics.services.targeting.writing import OfferList
from campaigns.domain.campaigns.fairness import FairnessAttribute, ImpactRatio, impact_ratios


def result_of(
    *,
    spec: TargetingSpec,
    people: TargetingPeople,
    planned: TargetingPlan,
    solution: Solution,
    compared: Sequence[Ranked],
    lists: Sequence[OfferList],
    retired: Sequence[RetiredList],
) -> dict[str, Any]:
    """Return what the page and the command show.

    Amounts in CNY, rounded to a cent; `gap` as a share of the bound.
    """
    chosen = solution.choice
    by_option = np.bincount(chosen[chosen >= 0], minlength=len(spec.options))
    return {
        "looked_at": len(people.ids),
        "people": int((chosen >= 0).sum()),
        "profit": round(solution.profit, 2),
        "bound": round(solution.bound, 2),
        "relaxation": round(solution.relaxation, 2),
        "gap": round(solution.gap, 8),
        "is_optimal": solution.is_optimal,
        "left_out": asdict(planned.left_out),
        "by_offer": [
            {
                "offer": offer.slug,
                "name": offer.name,
                "channel": channel.channel,
                "people": int(count),
                "pays_from": None if least is None else round(least, 8),
            }
            for (offer, channel), count, least in zip(
                spec.options, by_option, planned.pays_from, strict=True
            )
        ],
        "caps": [_cap(one) for one in solution.caps],
        "comparison": [
            {
                "ranking": one.ranking.value,
                "profit": round(one.profit, 2),
                "people": one.people,
                "expected_loss": round(one.expected_loss, 2),
                "is_within_caps": all(cap.holds for cap in one.caps),
            }
            for one in compared
        ],
        "fairness": {
            attribute.value: [_ratio(one) for one in _ratios(people, solution, attribute)]
            for attribute in FairnessAttribute
        },
        "segments": [asdict(one) for one in lists],
        "retired": [{**asdict(one), "used_by": list(one.used_by)} for one in retired],
    }


def _cap(found: CapUse) -> dict[str, Any]:
    scale = MICRO if found.kind is CapKind.AMOUNT else 1
    return {
        "name": found.name,
        "kind": found.kind.value,
        "used": None if found.used is None else round(found.used / scale, 6),
        "limit": round(found.limit / scale, 6),
        "holds": found.holds,
    }


def _ratios(
    people: TargetingPeople, solution: Solution, attribute: FairnessAttribute
) -> list[ImpactRatio]:
    groups = people.groups[attribute]
    codes = groups.codes[solution.choice >= 0]
    counts = np.bincount(codes, minlength=len(groups.names))
    return impact_ratios(
        {
            name: (int(count), size)
            for name, count, size in zip(groups.names, counts, groups.sizes, strict=True)
        }
    )


def _ratio(found: ImpactRatio) -> dict[str, Any]:
    return {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in asdict(found).items()
    }
