"""What the rule of champions says of versions against the champion, on rows of neither."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from analytics.domain.modelling.champion import NOT_COMPARABLE, ChampionChoice, choose_champion
from analytics.domain.modelling.life.choices import TrainingChoices
from analytics.domain.modelling.life.lifecycle import LEAST_TEST_EVENTS, VersionState
from analytics.domain.modelling.life.observations import Observations
from analytics.domain.uplift.champion import choose_uplift_champion
from analytics.domain.uplift.stored import StoredModel
from analytics.domain.uplift.trained import TrainedUplift
from analytics.models import ModelVersion
from analytics.selectors.modelling import features, targets
from analytics.selectors.modelling.columns import columns_for
from analytics.services.modelling import artefacts, fitting
from analytics.services.modelling.errors import StoredModelChanged
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

COMPARES = "analytics.add_scoringrun"
_OPEN = (VersionState.CANDIDATE, VersionState.APPROVED, VersionState.CHALLENGER)


def compare_versions(*, actor: Actor, model_id: int, now: datetime) -> list[ModelVersion]:
    """Hold every version that may yet become champion against the champion, and keep the verdicts.

    Versions that are not what was trained, and a champion that is not, leave no verdict.

    Raises:
        PermissionRefused: The actor may not score.
    """
    act = acting(actor, COMPARES, now=now)
    versions = ModelVersion.objects.filter(model_id=model_id).order_by("number")
    champion = versions.filter(state=VersionState.CHAMPION).first()
    if champion is None:
        return []
    done = []
    for version in versions.filter(state__in=_OPEN):
        try:
            model = artefacts.read_version(version)
            found = verdict_against(champion=champion, model=model, card=version.card, now=now)
        except StoredModelChanged:
            continue
        with act:
            version.comparison = found
            version.save(update_fields=["comparison"])
            facts = {"version": version.label, "champion": champion.label}
            act.record("model.compared", on=version, facts={**facts, "reasons": found["reasons"]})
        done.append(version)
    return done


def verdict_against(
    *,
    champion: ModelVersion,
    model: StoredModel,
    card: Mapping[str, Any],
    now: datetime,
    seen: Observations | None = None,
) -> dict[str, Any]:
    """Return what the rule says of a model against the champion, as a version keeps it.

    Both are held against the outcome that the model was trained for, on rows later than any that
    one of them learned from.

    Args:
        card: That goes with the model.
        seen: The rows of its training, where they are at hand; else they are read as of now.

    Raises:
        StoredModelChanged: The champion is not what was trained.
    """
    other = artefacts.read_version(champion)
    choices = TrainingChoices.from_json(card["choices"])
    rows = seen or targets.load_observations(choices, as_of=now)
    rows = rows.part(rows.times > max(card["learned_until"], champion.card["learned_until"]))
    events = int(rows.outcome.sum())
    choice = NOT_COMPARABLE
    if min(events, rows.outcome.size - events) >= LEAST_TEST_EVENTS:
        choice = _choice(rows, other, model, choices)
    return {
        "champion": champion.label,
        "at": now.isoformat(),
        "rows": int(rows.outcome.size),
        "events": events,
        **choice.to_json(),
    }


def is_for(version: ModelVersion, champion: ModelVersion) -> bool:
    """Return whether the rule lets a version replace this champion, by the verdict that it has."""
    found = version.comparison
    return bool(found) and found["champion"] == champion.label and found["is_replaced"]


def _choice(
    rows: Observations, champion: StoredModel, model: StoredModel, choices: TrainingChoices
) -> ChampionChoice:
    known = columns_for(choices.purpose)
    names = dict.fromkeys((*champion.features, *model.features))
    if any(name not in known for name in names):
        return NOT_COMPARABLE
    table = features.load_table(
        features.Rows(rows.customer_ids, rows.times),
        [known[name] for name in names],
        takes_values_of_today=choices.takes_values_of_today,
    )
    if isinstance(model, TrainedUplift) and isinstance(champion, TrainedUplift):
        trial = fitting.trial_of(table, rows)
        return choose_uplift_champion(trial, champion, model, seed=choices.seed)
    if isinstance(model, TrainedUplift) or isinstance(champion, TrainedUplift):
        return NOT_COMPARABLE
    return choose_champion(
        np.asarray(rows.outcome),
        fitting.contender_of(champion, table),
        fitting.contender_of(model, table),
    )
