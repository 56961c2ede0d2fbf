"""Which versions the scores of a targeting are of, and the score of uplift that there is."""

from collections.abc import Sequence
from datetime import datetime

from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.models import RegisteredModel
from customers.models import ScoreStanding


def uplift_in_use(*, now: datetime) -> str:
    """Return the score of the champion of uplift that may choose people now; empty: there is none.

    Of several models the one that scored last.
    """
    names = RegisteredModel.objects.filter(purpose=ModelPurpose.UPLIFT).values("name")
    rows = ScoreStanding.objects.filter(model_name__in=names).order_by("-scored_at", "model_name")
    usable = (row.model_name for row in rows if row.facts.fault(now=now) is None)
    return next(usable, "")


def versions_of(models: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return {score: its version, and when it was given} of those that a model here gives."""
    rows = ScoreStanding.objects.filter(model_name__in=models).order_by("model_name")
    return {
        row.model_name: {"version": row.version, "scored_at": row.scored_at.isoformat()}
        for row in rows
    }
