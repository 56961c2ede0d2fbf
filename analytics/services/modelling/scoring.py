"""Score everybody with the champion, and beside it in the shadow with the challenger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import (
    HaltReason,
    VersionState,
    is_in_challenger_arm,
    is_to_be_halted,
    judge_drift,
    shadow_name,
)
from analytics.domain.uplift.stored import StoredModel
from analytics.models import ModelVersion, RegisteredModel, ScoringRun
from analytics.selectors.modelling import targets
from analytics.selectors.modelling.columns import columns_for
from analytics.services.modelling import artefacts, population
from analytics.services.modelling.errors import ModelRefused, StoredModelChanged
from analytics.services.modelling.population import BinCounts
from customers.domain.score_standing import ScoreState
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel import clock
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.words.phrases import gettext as _

SCORES = "analytics.add_scoringrun"
# A run that is due every day must not wait a day longer because the one before took a minute.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Scores:
    """What a version says of everybody, in the order of their ids."""

    version: ModelVersion
    model: StoredModel
    ids: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    bands: npt.NDArray[np.intp]
    counts: BinCounts


def score_model(*, actor: Actor, model_id: int, now: datetime) -> ScoringRun | None:
    """Store what the champion says of everybody as the model's scores; None where nothing may be.

    A run of which the score or a feature has drifted is recorded and its scores are not stored: the
    last good ones stand until they are too old. The second such run in a row halts the model. For
    the challenger's share of people its score counts; for everybody it is kept under the name of
    the model with `_shadow`.

    Raises:
        PermissionRefused: The actor may not score.
    """
    act = acting(actor, SCORES, now=now)
    model = RegisteredModel.objects.get(pk=model_id)
    versions = {row.state: row for row in model.versions.all()}
    champion = versions.get(VersionState.CHAMPION)
    if champion is None or model.halted_at is not None:
        return None
    today = now.astimezone(clock.company_zone()).date()
    if champion.expires_on and champion.expires_on < today:
        _halt(act, model, champion, HaltReason.EXPIRED)
        return None
    try:
        found = _scored(champion, now)
    except (StoredModelChanged, ModelRefused) as error:
        is_changed = isinstance(error, StoredModelChanged)
        _halt(act, model, champion, HaltReason.CHANGED if is_changed else HaltReason.COLUMN_GONE)
        return None
    beside = _challenger(versions.get(VersionState.CHALLENGER), now)
    with act:
        if not _is_still_its_turn(model, champion):
            act.unchanged()
            return None
        run = _record(act, found, VersionState.CHAMPION)
        if run.is_bad:
            recent = ScoringRun.objects.filter(
                version=champion,
                role=VersionState.CHAMPION,
                scored_at__gt=model.watched_since or champion.trained_at,
            ).order_by("scored_at", "pk")
            if is_to_be_halted(list(recent.values_list("is_bad", flat=True))):
                _write_halt(act, model, champion, HaltReason.DRIFT)
            return run
        _store(act, model, found, beside)
    return run


def _is_still_its_turn(model: RegisteredModel, champion: ModelVersion) -> bool:
    """Return whether nothing was decided while people were scored; of two runs one comes first."""
    locked = RegisteredModel.objects.select_for_update().get(pk=model.pk)
    champions = ModelVersion.objects.filter(pk=champion.pk, state=VersionState.CHAMPION)
    return locked.halted_at is None and champions.exists()


def score_due_models(*, actor: Actor, now: datetime) -> list[ScoringRun]:
    """Score with every model whose turn it is."""
    done = []
    for model in RegisteredModel.objects.filter(halted_at=None).order_by("name"):
        since = now - timedelta(days=model.score_every_days) + _SLACK
        fresh = ScoringRun.objects.filter(
            version__model=model, role=VersionState.CHAMPION, scored_at__gt=since
        )
        if not fresh.exists() and (run := score_model(actor=actor, model_id=model.pk, now=now)):
            done.append(run)
    return done


def _halt(act: Act, model: RegisteredModel, version: ModelVersion, reason: HaltReason) -> None:
    """Let a model score nobody, and campaigns choose nobody by it, until somebody looked."""
    with act:
        _write_halt(act, model, version, reason)


def write_standing(
    act: Act,
    *,
    model: RegisteredModel,
    version: ModelVersion,
    state: ScoreState,
    scored_at: datetime | None = None,
) -> None:
    """Tell those who choose people what stands of the model's scores."""
    scores.record_standing(
        actor=system_actor(f"model:{model.name}"),
        model_name=model.name,
        version=version.label,
        state=state,
        scored_at=scored_at,
        stale_after_days=model.stale_after_days,
        is_for_marketing=model.is_for_marketing,
        now=act.now,
    )


def _write_halt(
    act: Act, model: RegisteredModel, version: ModelVersion, reason: HaltReason
) -> None:
    RegisteredModel.objects.filter(pk=model.pk).update(halted_at=act.now, halt_reason=reason.value)
    write_standing(act, model=model, version=version, state=ScoreState.HALTED)
    act.record("model.halted", on=model, facts={"version": version.label, "because": reason.value})


def _challenger(version: ModelVersion | None, now: datetime) -> _Scores | None:
    """Return what a challenger says; one that cannot score is no reason to stop the champion."""
    if version is None:
        return None
    try:
        return _scored(version, now)
    except (StoredModelChanged, ModelRefused):
        return None


def _scored(version: ModelVersion, now: datetime) -> _Scores:
    model = artefacts.read_version(version)
    choices = TrainingChoices.from_json(version.card["choices"])
    columns = columns_for(choices.purpose)
    if gone := [name for name in model.features if name not in columns]:
        raise ModelRefused(
            _("There are no columns %(names)s any more.") % {"names": ", ".join(gone)[:250]}
        )
    counts = BinCounts()
    parts = [
        (table.customer_ids, scored.probability, scored.band)
        for table, scored in population.stream_scores(
            model=model,
            columns=columns,
            people=targets.people_to_score(choices.purpose, as_of=now),
            moment=now,
            takes_values_of_today=choices.takes_values_of_today,
            counts=counts,
        )
    ]
    ids, probability, bands = (
        (np.concatenate(column) for column in zip(*parts, strict=True))
        if parts
        else (np.empty(0, np.int64), np.empty(0), np.empty(0, np.intp))
    )
    return _Scores(version, model, ids, probability, bands, counts)


def _record(act: Act, found: _Scores, role: VersionState) -> ScoringRun:
    points: dict[str, Any] = {}
    moved: dict[str, dict[str, Any]] = {}
    if found.counts.people and found.version.reference["people"]:
        points, moved = found.counts.indices(found.version.reference)
    drift = judge_drift(points or None, moved)
    run = ScoringRun.objects.create(
        version=found.version,
        role=role.value,
        scored_at=act.now,
        people=found.counts.people,
        points=points,
        features=moved,
        odd=dict(found.counts.odd),
        is_bad=drift.is_bad,
        is_written=not drift.is_bad,
    )
    act.record(
        "model.scored",
        on=found.version,
        facts={
            "people": run.people,
            "psi": drift.score,
            "worst": drift.worst_feature,
            "csi": drift.worst,
            "is_bad": drift.is_bad,
        },
    )
    return run


def _store(act: Act, model: RegisteredModel, found: _Scores, beside: _Scores | None) -> None:
    actor = system_actor(f"model:{model.name}")
    purpose = ModelPurpose(model.purpose)
    arm: dict[int, GivenScore] = {}
    if beside is not None:
        run = _record(act, beside, VersionState.CHALLENGER)
        scores.record_scores(
            actor=actor,
            model_name=shadow_name(model.name),
            version=beside.version.label,
            scores=_given(beside, purpose),
            now=act.now,
            is_complete=True,
        )
        scores.record_standing(
            actor=actor,
            model_name=shadow_name(model.name),
            version=beside.version.label,
            state=ScoreState.SHADOW,
            scored_at=act.now,
            stale_after_days=model.stale_after_days,
            is_for_marketing=False,
            now=act.now,
        )
        if not run.is_bad:
            arm = {
                one.customer_id: one
                for one in _given(beside, purpose)
                if is_in_challenger_arm(model.name, one.customer_id, model.challenger_share)
            }
    scores.record_scores(
        actor=actor,
        model_name=model.name,
        version=found.version.label,
        scores=(arm.get(one.customer_id, one) for one in _given(found, purpose)),
        now=act.now,
        is_complete=True,
    )
    write_standing(
        act, model=model, version=found.version, state=ScoreState.IN_USE, scored_at=act.now
    )


def _given(found: _Scores, purpose: ModelPurpose) -> Iterator[GivenScore]:
    names = band_names(found.model, purpose)
    for key, chance, band in zip(
        found.ids.tolist(), found.probability.tolist(), found.bands.tolist(), strict=True
    ):
        yield GivenScore(key, Decimal(f"{chance:.6f}"), names[band], version=found.version.label)


def band_names(model: StoredModel, purpose: ModelPurpose) -> Mapping[int, str]:
    """Return the names of a model's bands from its lowest probabilities to its highest.

    Bands of risk are letters, A the best, which early warning watches; others are numbers, 1 the
    best.
    """
    count = len(model.bands.names)
    if purpose.is_risk:
        return dict(enumerate(model.bands.names))
    order = range(1, count + 1) if purpose.is_better_low else range(count, 0, -1)
    return {at: str(number) for at, number in enumerate(order)}
