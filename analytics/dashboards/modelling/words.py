"""Choices, figures and columns of models in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.labels.modelling import KINDS, PURPOSES, STABILITY
from analytics.labels.uplift import LEARNERS
from analytics.models import ModelVersion


def of_choices(choices: TrainingChoices) -> list[tuple[str, str]]:
    """Return what was chosen."""
    told = [
        (_("Purpose"), PURPOSES.label(choices.purpose)),
        (_("Kind of model"), kind_of(choices)),
        (_("Target"), target(choices)),
        (_("Random seed"), str(choices.seed)),
    ]
    if choices.campaign:
        told.append((_("Campaign to learn from"), choices.campaign))
    if choices.excluded:
        told.append((_("Columns to leave out"), str(len(choices.excluded))))
    return told


def kind_of(choices: TrainingChoices) -> str:
    """Return which kind of model is asked for."""
    if choices.purpose is ModelPurpose.UPLIFT:
        return _("the learner of uplift that ranks best")
    return KINDS.label(choices.kind) if choices.kind else _("the better of both by the rule")


def kind(version: ModelVersion) -> str:
    """Return of which kind a version is."""
    if version.model.purpose == ModelPurpose.UPLIFT:
        return LEARNERS.label(version.kind)
    return KINDS.label(version.kind)


def target(choices: TrainingChoices) -> str:
    """Return what is predicted, as its definition."""
    match choices.purpose:
        case ModelPurpose.DEFAULT_RISK:
            return _(
                "ever %(days)s+ days past due by month %(months)s on book; good: never 30+; "
                "between: left out"
            ) % {"days": choices.threshold_days, "months": choices.months}
        case ModelPurpose.RESPONSE:
            return _("the campaign's goal after its message, within %(days)s days or its own") % {
                "days": choices.window_days
            }
        case ModelPurpose.CHURN:
            return _("a loan paid off early within %(days)s days") % {"days": choices.window_days}
        case ModelPurpose.NEED:
            return _("an application within %(days)s days") % {"days": choices.window_days}
        case ModelPurpose.UPLIFT:
            return _(
                "by how much a message raises the chance of the campaign's goal within its window, "
                "by who was to be written to and who was held out"
            )


def estimate(figure: Mapping[str, float], *, as_percent: bool = False) -> tuple[str, str]:
    """Return a figure and its interval at 95 %."""

    def written(value: float) -> str:
        return f"{value:.1%}" if as_percent else f"{value:.3f}"

    interval = _("95%% interval %(low)s to %(high)s") % {
        "low": written(figure["low"]),
        "high": written(figure["high"]),
    }
    return written(figure["value"]), interval


def probability(value: float, purpose: str) -> str:
    """Return a probability, or an uplift with its sign."""
    return f"{value:+.2%}" if purpose == ModelPurpose.UPLIFT else f"{value:.2%}"


def gain(found: Mapping[str, Any], purpose: str) -> str:
    """Return by how much a version is better than another, with its interval."""
    if found["gain"] is None:
        return "–"
    value, interval = estimate(found["gain"])
    is_uplift = purpose == ModelPurpose.UPLIFT
    name = _("Qini, more for 1,000 treated") if is_uplift else _("AUC, more")
    return f"{name}: {value} ({interval})"


def stability(result: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return how far score and features had moved from the training part to the test."""
    rows = [(_("Score"), result["score_stability"])]
    rows += [(names[name], index) for name, index in result["feature_stability"].items()]
    return [
        {"name": name, "value": f"{index['value']:.3f}", "band": STABILITY.term(index["band"])}
        for name, index in rows
        if index
    ]


def column_names(card: Mapping[str, Any]) -> dict[str, str]:
    """Return how each column is called in the language of the reader."""
    key = "zh" if (get_language() or "en").startswith("zh") else "en"
    return {column["name"]: column[key] for column in card["features"]}
