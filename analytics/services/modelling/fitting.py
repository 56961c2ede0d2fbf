"""Fit what a training asks for: a scorecard, trees, the better of both, or a model of uplift."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.domain.features import FeatureTable, NoUsableFeatureError, rows_of
from analytics.domain.modelling import splits, training
from analytics.domain.modelling.champion import ChampionChoice, Contender, choose_champion
from analytics.domain.modelling.learners import ModelKind, NoFeatureLeftError
from analytics.domain.modelling.life.choices import TrainingChoices
from analytics.domain.modelling.life.lifecycle import LEAST_CASES
from analytics.domain.modelling.life.observations import Observations
from analytics.domain.modelling.splits import TooFewRowsError
from analytics.domain.modelling.trained import TrainedModel
from analytics.domain.modelling.training import OutcomeUnknownError, TrainingSpec
from analytics.domain.uplift.stored import StoredModel
from analytics.domain.uplift.training import UpliftSpec, fit_uplift
from analytics.domain.uplift.trial import Trial, TrialTooSmallError
from analytics.services.modelling.errors import ModelNotTrainable
from customers.models import Customer
from loancrm.kernel.words.phrases import gettext as _

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class FittedModel:
    """What a training made.

    Attributes:
        learned_until: The latest row that may have been learned from, in microseconds since 1970.
        contest: Where both kinds were fitted: what the rule says of trees against the scorecard.
    """

    model: StoredModel
    learned_until: int
    contest: ChampionChoice | None = None


def fit(*, table: FeatureTable, seen: Observations, choices: TrainingChoices) -> FittedModel:
    """Return the model of the rows.

    Raises:
        ModelNotTrainable: There are too few cases, or no column says anything.
    """
    events = int(seen.outcome.sum())
    try:
        if min(events, seen.outcome.size - events) < LEAST_CASES:
            raise TooFewRowsError  # noqa: TRY301 - told as all others are
        if seen.treated is not None:
            return _of_uplift(table, seen, choices)
        try:
            return _of_probability(table, seen, choices, seen.times)
        except TooFewRowsError:
            # All rows of one moment, or one side without an event: rows drawn evenly instead.
            return _of_probability(table, seen, choices, None)
    except (OutcomeUnknownError, TooFewRowsError) as error:
        raise ModelNotTrainable(
            _("There are too few cases: %(events)s of %(rows)s. Try other choices, or wait.")
            % {"events": events, "rows": int(seen.outcome.size)}
        ) from error
    except TrialTooSmallError as error:
        raise ModelNotTrainable(_few_held_out(seen)) from error
    except (NoFeatureLeftError, NoUsableFeatureError) as error:
        raise ModelNotTrainable(_("No column says anything about the outcome.")) from error


def _of_uplift(table: FeatureTable, seen: Observations, choices: TrainingChoices) -> FittedModel:
    trial = trial_of(table, seen)
    if trial.treated.all() or not trial.treated.any():
        raise TrialTooSmallError
    spec = UpliftSpec(test_share=choices.test_share, seed=choices.seed)
    model = fit_uplift(trial, spec, times=seen.times, groups=_genders(seen.customer_ids))
    return FittedModel(model, _learned_until(model, seen.times, choices))


def _of_probability(
    table: FeatureTable,
    seen: Observations,
    choices: TrainingChoices,
    times: npt.NDArray[np.int64] | None,
) -> FittedModel:
    spec = TrainingSpec(
        kind=choices.kind or ModelKind.SCORECARD,
        target=choices.purpose.value,
        positive="1",
        test_share=choices.test_share,
        seed=choices.seed,
    )
    groups = _genders(seen.customer_ids)
    model = training.fit(table, seen.outcome, spec, times=times, groups=groups)
    contest = None
    if choices.kind is None:
        trees = training.fit(
            table,
            seen.outcome,
            replace(spec, kind=ModelKind.BOOSTING),
            times=times,
            groups=groups,
        )
        _learned, tested = training.split_rows(seen.outcome, spec, times)
        rows = rows_of(table, tested)
        contest = choose_champion(
            seen.outcome[tested], contender_of(model, rows), contender_of(trees, rows)
        )
        model = trees if contest.is_replaced else model
    return FittedModel(model, _learned_until(model, seen.times, choices), contest)


def contender_of(model: TrainedModel, table: FeatureTable) -> Contender:
    """Return what a model says of rows, as the rule of champions reads it."""
    scored = model.score(table, with_reasons=False)
    return Contender(scored.probability, scored.points, model.score_bins)


def trial_of(table: FeatureTable, seen: Observations) -> Trial:
    """Return rows with a group held out as a trial."""
    assert seen.treated is not None  # noqa: S101 - asked only of purposes that have one
    return Trial(table, seen.treated, seen.outcome > 0.5)


def _learned_until(
    model: StoredModel, times: npt.NDArray[np.int64], choices: TrainingChoices
) -> int:
    """Return the latest row that may have been learned from: any, where they were drawn evenly."""
    if not model.facts["is_out_of_time"]:
        return int(times.max())
    learned, _tested = splits.time_split(times, share=choices.test_share)
    return int(times[learned].max())


def _genders(customer_ids: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the gender of each row's person: to measure fairness by, never to learn from."""
    known = dict(
        Customer.objects.exclude(gender="")
        .filter(gender__isnull=False)
        .values_list("pk", "gender")
        .iterator(chunk_size=_CHUNK)
    )
    return np.array([known.get(int(key), "unknown") for key in customer_ids])


def _few_held_out(seen: Observations) -> Any:
    treated = seen.treated if seen.treated is not None else np.zeros(0, dtype=bool)
    return _(
        "Too few people to learn uplift from: %(treated)s to be written to, %(reached)s of them "
        "with the goal; %(held_out)s held out, %(others)s of them with the goal. Hold out a larger "
        "share of the next campaign."
    ) % {
        "treated": int(treated.sum()),
        "reached": int(seen.outcome[treated].sum()),
        "held_out": int((~treated).sum()),
        "others": int(seen.outcome[~treated].sum()),
    }
