"""What somebody chooses for a training from the lender's own data, checked once, as plain JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from analytics.domain.modelling.learners import ModelKind

DEFAULT_THRESHOLDS = (30, 60, 90)
# Source of good, bad and indeterminate: Siddiqi 2006, Credit Risk Scorecards, 4.
INDETERMINATE_FROM = 30
MOST_ROWS = 200_000


class ModelPurpose(StrEnum):
    """What a model is for; it decides which columns it may read and who may use its scores."""

    DEFAULT_RISK = "default_risk"
    RESPONSE = "response"
    CHURN = "churn"
    NEED = "need"
    UPLIFT = "uplift"

    @property
    def is_risk(self) -> bool:
        """Return whether it may read what is for risk only."""
        return self is ModelPurpose.DEFAULT_RISK

    @property
    def is_better_low(self) -> bool:
        """Return whether a low probability is the good one; it has the first band."""
        return self in {ModelPurpose.DEFAULT_RISK, ModelPurpose.CHURN}


class TrainingChoiceInvalid(ValueError):
    """A choice is outside its bounds; `name` says which."""

    def __init__(self, name: str) -> None:
        """Keep which."""
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class TrainingChoices:
    """One training; every field has a value that does for a first run.

    Attributes:
        kind: None: a scorecard and boosted trees are learned, and the rule says which is kept.
            An uplift has kinds of its own, of which the best is taken.
        name: Of the model, and of the score that it gives; empty is the name of the purpose.
        threshold_days: Default: a loan is bad that was ever so many days past due,
        months: by this month on book.
        window_days: Response, churn and need: within how many days it has to happen. A response
            has the window of its campaign, and so has an uplift.
        campaign: Response and uplift: only this campaign, by its name; empty is all that were sent.
        excluded: Columns that are no features.
        takes_values_of_today: Attributes of a lender that were written down after the time that a
            row is looked at from are unknown there. True takes them as they stand today all the
            same; the model's limitations say so.
        test_share: Of the rows, the last in time, to measure on.
        seed: Of every draw; the same data and seed give the same model.
    """

    purpose: ModelPurpose
    kind: ModelKind | None = ModelKind.SCORECARD
    name: str = ""
    threshold_days: int = 90
    months: int = 12
    window_days: int = 90
    campaign: str = ""
    excluded: tuple[str, ...] = ()
    takes_values_of_today: bool = False
    test_share: float = 0.3
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what no training can work with.

        Raises:
            TrainingChoiceInvalid: Names the choice.
        """
        is_good = {
            "threshold_days": self.threshold_days in DEFAULT_THRESHOLDS,
            "months": 1 <= self.months <= 36,
            "window_days": 1 <= self.window_days <= 730,
            "test_share": 0.1 <= self.test_share <= 0.5,
            "seed": 0 <= self.seed < 2**31,
            "name": len(self.name) <= 40,
        }
        for name, holds in is_good.items():
            if not holds:
                raise TrainingChoiceInvalid(name)

    @property
    def model_name(self) -> str:
        """Return the name of the model and of its score."""
        return self.name or self.purpose.value

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            **asdict(self),
            "purpose": self.purpose.value,
            "kind": self.kind.value if self.kind else "",
            "excluded": list(self.excluded),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainingChoices":
        """Return the choices that wrote this."""
        given = dict(content)
        return cls(
            **{
                **given,
                "purpose": ModelPurpose(given["purpose"]),
                "kind": ModelKind(given["kind"]) if given["kind"] else None,
                "excluded": tuple(given["excluded"]),
            }
        )
