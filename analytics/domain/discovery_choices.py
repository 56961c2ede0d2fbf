"""What somebody chooses for a search for segments, checked once and kept as plain JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Method(StrEnum):
    """The ways of finding segments."""

    RFM = "rfm"
    CLUSTERS = "clusters"
    LOOKALIKE = "lookalike"


class ChoiceInvalid(ValueError):
    """A choice is outside its bounds; `name` says which."""

    def __init__(self, name: str) -> None:
        """Keep which."""
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class DiscoveryChoices:
    """One search.

    Attributes:
        segment: Only the people of this segment; empty is everybody.
        event: RFM: what counts as a transaction.
        within_days: RFM: of how many days.
        max_clusters: Clusters: most groups to try.
        explained: Clusters: share of the variance that principal components have to explain; None
            looks at the columns themselves.
        seed_segment: Look-alikes: whom to resemble.
        share: Look-alikes: share of the others who become members.
        features: Clusters and look-alikes: columns to look at; none is all.
        seed: Of every random draw.
    """

    method: Method
    segment: str = ""
    event: str = "repayment_made"
    within_days: int = 365
    max_clusters: int = 8
    explained: float | None = None
    seed_segment: str = ""
    share: float = 0.1
    features: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what no search can work with.

        Raises:
            ChoiceInvalid: Names the choice.
        """
        bounds = {
            "within_days": 1 <= self.within_days <= 3_660,
            "max_clusters": 2 <= self.max_clusters <= 12,
            "explained": self.explained is None or 0 < self.explained <= 1,
            "share": 0 < self.share <= 1,
            "seed": 0 <= self.seed < 2**31,
            "seed_segment": bool(self.seed_segment) or self.method is not Method.LOOKALIKE,
        }
        for name, holds in bounds.items():
            if not holds:
                raise ChoiceInvalid(name)

    @property
    def step_count(self) -> int:
        """Return in how many steps the progress is told."""
        return self.max_clusters if self.method is Method.CLUSTERS else 3

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {**asdict(self), "method": self.method.value, "features": list(self.features)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "DiscoveryChoices":
        """Return the choices that wrote this."""
        return cls(
            **{
                **content,
                "method": Method(content["method"]),
                "features": tuple(content["features"]),
            }
        )
