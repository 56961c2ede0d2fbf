"""Tiles: one number with what it means and where to look further."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics import labels
from analytics.domain.figures import Figure


@dataclass(frozen=True, slots=True)
class Tile:
    """One key number.

    Attributes:
        tip: Everything needed to check the number, shown on hover.
        basis: What it is counted in and of what, in words that are always there.
        trend: The same by day, the oldest first, as a line; none where there is none to show.
    """

    label: str
    value: str
    note: str
    icon: str
    url: str = ""
    tip: str = ""
    tone: str = ""
    basis: str = ""
    trend: Sequence[int] = ()


def figure_tile(figure: Figure, icon: str) -> Tile:
    """Return a figure as a tile: its interval or why it is unknown, and what it is counted in."""
    return Tile(
        label=labels.metric(figure.metric),
        value=labels.value(figure),
        note=labels.note(figure.note) or labels.interval(figure),
        icon=icon,
        tip=labels.parts(figure),
        tone="warn" if figure.note else "",
        basis=labels.basis(figure.metric),
    )
