"""Targeting at full size: 1,000,000 people, two offers through three channels.

The choice alone, without and with caps of fairness, and a whole targeting as a worker does it: read
people and scores, choose, compare with the usual rankings, write the lists.
"""

import hashlib
import resource
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.benchmarks import targeting_whole
from analytics.domain.targeting.planning import PeopleGroups, TargetingPeople, plan
from analytics.domain.targeting.solving import solve
from analytics.domain.targeting.spec_reading import parse_spec
from campaigns.domain.campaigns.fairness import FairnessAttribute
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 1_000_000
COSTS = (0.045, 0.002, 0.8)
GOALS = (
    BenchGoal("gap", 0.001, at_least=False),
    BenchGoal("gap_fair", 0.001, at_least=False),
    BenchGoal("solve_seconds", 60, at_least=False),
    BenchGoal("solve_seconds_fair", 60, at_least=False),
    BenchGoal("whole_seconds", 60, at_least=False),
    BenchGoal("caps_broken", 0, at_least=False),
    BenchGoal("memory_mb_peak", 1_500, at_least=False),
)


def run(*, scale: float, rounds: int) -> BenchReport:
    """Solve the same problem `rounds` times each way, and target once; the slowest run counts.

    Args:
        scale: 1 is 1,000,000 people.
        rounds: How often.
    """
    count = max(5_000, int(FULL * scale))
    people = population(count)
    started = time.monotonic()
    report = BenchReport(name="targeting", scale=scale, goals=GOALS)
    plain, fair = (_measure(people, rounds, is_fair=is_fair) for is_fair in (False, True))
    whole = targeting_whole.measure(people, _spec(count, is_fair=True))
    broken = plain.pop("caps_broken") + fair.pop("caps_broken")
    report.figures = {
        **plain,
        **{f"{name}_fair": value for name, value in fair.items()},
        **whole,
        "people_looked_at": count,
        "options": 6,
        "caps_broken": broken,
        "memory_mb_peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    report.seconds = time.monotonic() - started
    report.memory_mb = report.figures["memory_mb_peak"]
    return report


def _measure(people: TargetingPeople, rounds: int, *, is_fair: bool) -> dict[str, Any]:
    spec = parse_spec(_spec(len(people.ids), is_fair=is_fair))
    problem = plan(spec, people, contact_costs=COSTS).problem
    seconds, found, digests = [], [], set()
    for _round in range(rounds):
        before = time.monotonic()
        solution = solve(problem)
        seconds.append(time.monotonic() - before)
        digests.add(hashlib.sha256(solution.choice.tobytes()).hexdigest())
        found.append(solution)
    first = found[0]
    return {
        "gap": round(max(one.gap for one in found), 8),
        "solve_seconds": round(max(seconds), 2),
        "profit": round(first.profit, 2),
        "bound": round(first.bound, 2),
        "people": int((first.choice >= 0).sum()),
        "is_same_again": len(digests) == 1,
        "caps_broken": sum(not cap.holds for one in found for cap in one.caps),
    }


def population(count: int) -> TargetingPeople:
    """Return people with planted scores: a tenth of them sleeping dogs, one group worth less."""
    rng = np.random.default_rng(20240601)
    default, response = rng.beta(1.2, 20, count), rng.beta(1, 60, count)
    uplift = response * 0.5 + rng.normal(0, 0.003, count)
    gender = (rng.random(count) < 0.4).astype(np.int16)
    uplift = uplift * np.where(gender == 1, 0.8, 1.0)
    age = rng.integers(0, 5, count).astype(np.int16)
    region = rng.integers(0, 4, count).astype(np.int16)
    return TargetingPeople(
        ids=np.arange(1, count + 1, dtype=np.int64),
        scores={"uplift": uplift, "response": response, "pd": default},
        groups={
            FairnessAttribute.GENDER: _groups(("female", "male"), gender),
            FairnessAttribute.AGE_BAND: _groups(("18-24", "25-34", "35-44", "45-54", "55+"), age),
            FairnessAttribute.REGION: _groups(("east", "north", "south", "west"), region),
        },
        alerts=np.zeros(count, dtype=np.int8),
    )


def _groups(names: tuple[str, ...], codes: npt.NDArray[np.int16]) -> PeopleGroups:
    sizes = np.bincount(codes, minlength=len(names))
    return PeopleGroups(names, codes, tuple(int(size) for size in sizes))


def _spec(count: int, *, is_fair: bool) -> Mapping[str, object]:
    fairness = [
        {"attribute": "gender", "min_impact_ratio": 0.9},
        {"attribute": "age_band", "min_impact_ratio": 0.95},
        {"attribute": "region", "group": "east", "max_share": 0.24},
    ]
    return {
        "slug": "bench",
        "whom": {"segment": ""},
        "scores": {"uplift": "uplift", "response": "response", "pd": "pd"},
        "offers": [
            {"slug": "small", "margin": 1800, "lgd": 0.65, "ead": 20_000},
            {"slug": "large", "margin": 2400, "lgd": 0.65, "ead": 35_000, "incentive": 20},
        ],
        "channels": [
            {"channel": "sms", "cost": COSTS[0]},
            {"channel": "push", "cost": COSTS[1], "reach": 0.5},
            {"channel": "call", "cost": COSTS[2], "reach": 1.6},
        ],
        "caps": {
            "budget": 0.02 * count,
            "expected_loss": 0.5 * count,
            "people": int(0.3 * count),
            "per_channel": {
                "sms": int(0.1 * count),
                "push": int(0.25 * count),
                "call": int(0.02 * count),
            },
            "pd": 0.15,
            "fairness": fairness if is_fair else [],
        },
    }
