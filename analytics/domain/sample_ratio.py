"""Whether the variants have the intended sizes everywhere: by channel, language and day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analytics.domain import rates
from analytics.domain.rates import AllocationCheck


class SampleDimension(StrEnum):
    """By what the people of the variants are counted."""

    CHANNEL = "channel"
    LANGUAGE = "language"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The sizes of the variants among people of one kind, held against their weights."""

    dimension: SampleDimension
    value: str
    check: AllocationCheck


def sample_ratios(
    counts: Iterable[tuple[SampleDimension, str, str, int]], weights: Mapping[str, int]
) -> tuple[SampleRatio, ...]:
    """Return one check for each value of each dimension.

    Args:
        counts: Dimension, value, variant and people.
        weights: Intended weight of each variant.
    """
    keys = sorted(key for key, weight in weights.items() if weight > 0)
    if len(keys) < 2:
        return ()
    sizes: dict[tuple[SampleDimension, str], dict[str, int]] = defaultdict(dict)
    for dimension, value, key, people in counts:
        of_value = sizes[dimension, value]
        of_value[key] = of_value.get(key, 0) + people
    return tuple(
        SampleRatio(
            dimension,
            value,
            rates.check_allocation(
                [sizes[dimension, value].get(key, 0) for key in keys],
                [weights[key] for key in keys],
            ),
        )
        for dimension, value in sorted(sizes)
    )
