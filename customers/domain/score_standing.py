"""Whether a model's scores may choose people today."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ScoreState(StrEnum):
    """What the owner of a model says of its scores."""

    IN_USE = "in_use"
    HALTED = "halted"
    RETIRED = "retired"
    SHADOW = "shadow"


class ScoreFault(StrEnum):
    """Why a score may not choose anybody for a campaign."""

    HALTED = "halted"
    RETIRED = "retired"
    SHADOW = "shadow"
    STALE = "stale"
    RISK_ONLY = "risk_only"


@dataclass(frozen=True, slots=True)
class StandingFacts:
    """What is recorded of one model's scores.

    Attributes:
        stale_after_days: So many days after `scored_at` the scores are too old.
        is_for_marketing: Its owner lets it choose people for marketing.
    """

    model_name: str
    version: str
    state: ScoreState
    scored_at: datetime
    stale_after_days: int
    is_for_marketing: bool

    def fault(self, *, now: datetime) -> ScoreFault | None:
        """Return why the scores may not choose anybody now; None where they may."""
        if self.state is not ScoreState.IN_USE:
            return ScoreFault(self.state.value)
        if now > self.scored_at + timedelta(days=self.stale_after_days):
            return ScoreFault.STALE
        return None if self.is_for_marketing else ScoreFault.RISK_ONLY
