"""Several comparisons at once: what each p value is worth when the best of them is picked."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted so that one wrong "significant" among all is as rare as for one.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    count = len(p_values)
    adjusted = [0.0] * count
    running = 0.0
    for place, index in enumerate(sorted(range(count), key=p_values.__getitem__)):
        running = max(running, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = running
    return adjusted
