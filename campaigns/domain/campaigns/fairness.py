"""Whether a choice of people treats groups alike: impact ratios and standardised differences.

The impact ratio is a group's share of chosen people over that of the group chosen most often. What
is below the limit counts as a finding only where the interval, too, is below one: a small ratio of
few people may be chance. Sources: 29 CFR 1607.4(D), "four-fifths rule", with the questions and
answers 20 to 22 on it (a ratio below 4/5 *and* statistically sure); for China the same figures look
for the unreasonable differential treatment of article 24 of the PIPL. It is a rule of thumb for
people who decide, no legal limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt
from statistics import NormalDist

LIMIT = 0.8
SMALLEST_GROUP = 30
CONFIDENCE = 0.95
UNKNOWN = "unknown"
# First year of age of each band, and its name.
AGE_BANDS = ((18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55+"))
UNDER_AGE = "0-17"
_NOT_JUDGED = frozenset({UNKNOWN, UNDER_AGE})


class FairnessAttribute(StrEnum):
    """By what people are compared."""

    GENDER = "gender"
    AGE_BAND = "age_band"
    REGION = "region"


class GroupFinding(StrEnum):
    """What the figures of a group say."""

    REFERENCE = "reference"
    FAIR = "fair"
    DOUBTFUL = "doubtful"
    UNFAIR = "unfair"
    TOO_SMALL = "too_small"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class ImpactRatio:
    """How often people of a group are chosen, against the group that is chosen most often.

    Attributes:
        group: As the attribute's values are written.
        size: People of the group who could be chosen.
        low, high: Interval that holds for all groups of the attribute together.
    """

    group: str
    selected: int
    size: int
    rate: float | None
    ratio: float | None
    low: float | None
    high: float | None
    finding: GroupFinding


@dataclass(frozen=True, slots=True)
class Moments:
    """Number, mean and standard deviation (of a sample) of a group's scores."""

    count: int
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class StandardisedDifference:
    """How far a group's mean score lies from the reference's, in pooled standard deviations."""

    group: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class UnfairGroup:
    """A group that is chosen too rarely, beyond chance."""

    attribute: FairnessAttribute
    group: str
    ratio: float


@dataclass(frozen=True, slots=True)
class FairnessReport:
    """How an audience stands to the people it was chosen from.

    Attributes:
        base: People who could have been chosen.
        differences: Of the scores of each model that decided, by attribute.
    """

    audience: int
    base: int
    limit: float
    ratios: Mapping[FairnessAttribute, Sequence[ImpactRatio]]
    differences: Mapping[str, Mapping[FairnessAttribute, Sequence[StandardisedDifference]]]

    @property
    def unfair(self) -> list[UnfairGroup]:
        """Return the groups that block."""
        return [
            UnfairGroup(attribute, one.group, one.ratio)
            for attribute, found in self.ratios.items()
            for one in found
            if one.finding is GroupFinding.UNFAIR and one.ratio is not None
        ]

    @property
    def parity(self) -> dict[FairnessAttribute, float | None]:
        """Return the parity ratio of the judged groups of each attribute."""
        judged = {
            attribute: [
                one.rate
                for one in found
                if one.rate is not None
                and one.finding not in (GroupFinding.TOO_SMALL, GroupFinding.NOT_JUDGED)
            ]
            for attribute, found in self.ratios.items()
        }
        return {attribute: parity_ratio(rates) for attribute, rates in judged.items()}


def age_band(years: int) -> str:
    """Return the band of an age in completed years."""
    found = UNDER_AGE
    for first, name in AGE_BANDS:
        if years >= first:
            found = name
    return found


def parity_ratio(rates: Sequence[float]) -> float | None:
    """Return the lowest rate over the highest; None where nobody is chosen.

    Source: `demographic_parity_ratio` of fairlearn.
    """
    highest = max(rates, default=0.0)
    return min(rates) / highest if highest else None


def impact_ratios(
    groups: Mapping[str, tuple[int, int]],
    *,
    limit: float = LIMIT,
    smallest: int = SMALLEST_GROUP,
    confidence: float = CONFIDENCE,
) -> list[ImpactRatio]:
    """Return the impact ratio of each group of one attribute, largest group first.

    Groups of fewer than `smallest` people, those of whom the attribute is not known, and minors,
    who get no offers of credit, are shown and not judged. The reference is the judged group that is
    chosen most often; as the data chooses it, the intervals are widened for all pairs of groups
    (Bonferroni).

    Args:
        groups: (chosen, people) by group.

    Raises:
        ValueError: More people are chosen than there are.
    """
    if any(not 0 <= chosen <= size for chosen, size in groups.values()):
        msg = "chosen people must be between 0 and all"
        raise ValueError(msg)
    judged = {
        name: given
        for name, given in groups.items()
        if name not in _NOT_JUDGED and given[1] >= smallest
    }
    reference = max(judged, key=lambda name: (judged[name][0] / judged[name][1], name), default="")
    pairs = max(1, len(judged) * (len(judged) - 1) // 2)
    z = NormalDist().inv_cdf(1 - (1 - confidence) / 2 / pairs)
    found = []
    for name in sorted(groups, key=lambda name: (-groups[name][1], name)):
        chosen, size = groups[name]
        rate = chosen / size if size else None
        if name not in judged:
            finding = GroupFinding.NOT_JUDGED if name in _NOT_JUDGED else GroupFinding.TOO_SMALL
            found.append(ImpactRatio(name, chosen, size, rate, None, None, None, finding))
        elif name == reference or not judged[reference][0]:
            finding = GroupFinding.REFERENCE if name == reference else GroupFinding.FAIR
            found.append(ImpactRatio(name, chosen, size, rate, None, None, None, finding))
        else:
            found.append(_against(name, judged[name], judged[reference], limit, z))
    return found


def standardised_differences(
    groups: Mapping[str, Moments],
    *,
    reference: str = "",
    smallest: int = SMALLEST_GROUP,
    confidence: float = CONFIDENCE,
) -> list[StandardisedDifference]:
    """Return each group's difference from a reference, by default the largest group.

    (mean - mean of the reference) / sqrt((s1² + s2²) / 2), with the interval of Hedges and Olkin
    1985, "Statistical Methods for Meta-Analysis", p. 86. Groups of fewer than `smallest` people, or
    scores that do not differ, have no value.
    """
    known = {name: one for name, one in groups.items() if name != UNKNOWN}
    if not known:
        return []
    base_name = reference or max(known, key=lambda name: (known[name].count, name))
    base, z = known[base_name], NormalDist().inv_cdf((1 + confidence) / 2)
    found = []
    for name in sorted(known, key=lambda name: (-known[name].count, name)):
        one = known[name]
        pooled = sqrt((one.deviation**2 + base.deviation**2) / 2)
        if name == base_name:
            continue
        if min(one.count, base.count) < smallest or not pooled:
            found.append(StandardisedDifference(name, None, None, None))
            continue
        value = (one.mean - base.mean) / pooled
        both = one.count + base.count
        error = sqrt(both / (one.count * base.count) + value**2 / (2 * both))
        found.append(StandardisedDifference(name, value, value - z * error, value + z * error))
    return found


def _against(
    name: str, given: tuple[int, int], reference: tuple[int, int], limit: float, z: float
) -> ImpactRatio:
    chosen, size = given
    ratio = (chosen / size) / (reference[0] / reference[1])
    low, high = _interval(given, reference, z)
    if ratio >= limit:
        finding = GroupFinding.FAIR
    else:
        finding = GroupFinding.UNFAIR if high < 1 else GroupFinding.DOUBTFUL
    return ImpactRatio(name, chosen, size, chosen / size, ratio, low, high, finding)


def _interval(first: tuple[int, int], second: tuple[int, int], z: float) -> tuple[float, float]:
    """Return the interval of a ratio of rates on the log scale.

    Source: Katz et al. 1978, Biometrics 34:469, method C; where nobody is chosen with half a person
    added (Walter 1975, Biometrika 62:371).
    """
    (a, n), (b, m) = first, second
    half = 0.5 if not a else 0.0
    centre = log(((a + half) / (n + half)) / ((b + half) / (m + half)))
    variance = 1 / (a + half) - 1 / (n + half) + 1 / (b + half) - 1 / (m + half)
    error = z * sqrt(max(0.0, variance))
    return (0.0 if not a else exp(centre - error)), exp(centre + error)
