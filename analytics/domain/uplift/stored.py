"""Models as the registry keeps them: of a probability, or of uplift."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from analytics.domain.modelling import trained
from analytics.domain.modelling.life.lifecycle import (
    LEAST_TEST_EVENTS,
    ApprovalProblem,
    approval_problems,
    is_calibrated,
)
from analytics.domain.modelling.trained import TrainedModel
from analytics.domain.uplift import trained as uplift
from analytics.domain.uplift.trained import TrainedUplift
from analytics.domain.uplift.vocabulary import RankingVerdict

StoredModel: TypeAlias = TrainedModel | TrainedUplift


def load_stored(text: str) -> StoredModel:
    """Return the model of an artefact; nothing in it is ever run.

    Raises:
        ModelFormatError: It is no artefact of ours.
        ModelChangedError: It is not what its digest says.
    """
    content = trained.content_of(text, trained.FORMAT, uplift.FORMAT)
    if content["format"] == uplift.FORMAT:
        return uplift.uplift_of(content)
    return trained.model_of(content)


def problems_of(model: StoredModel) -> tuple[ApprovalProblem, ...]:
    """Return what keeps a stored model from being approved, by its figures."""
    if isinstance(model, TrainedUplift):
        return uplift_approval_problems(model.measured)
    return approval_problems(model.measured)


def uplift_approval_problems(result: Mapping[str, Any] | None) -> tuple[ApprovalProblem, ...]:
    """Return what keeps a version that ranks by uplift from being approved.

    Without a usable ranking it is as good as a lot: nobody may be chosen by it. Where the uplift
    that came is far from proportional to the one foretold, profits would be reckoned wrongly.

    Args:
        result: As `UpliftResult.to_json` writes it.
    """
    if not result or "verdict" not in result:
        return (ApprovalProblem.NOT_MEASURED,)
    found = []
    if result["events"] < LEAST_TEST_EVENTS:
        found.append(ApprovalProblem.TOO_FEW_EVENTS)
    slope = result["predictor"]["heterogeneity"]
    if result["verdict"] != RankingVerdict.USABLE or slope is None:
        found.append(ApprovalProblem.NO_USABLE_RANKING)
    elif not is_calibrated(slope):
        found.append(ApprovalProblem.UPLIFT_EXAGGERATED)
    return tuple(found)
