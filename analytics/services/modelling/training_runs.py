"""Trainings in the background: started by a person or the schedule; each ends in a candidate."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.metadata import version as version_of
from typing import Any

from django.db.models import F, Max

from analytics import jobs
from analytics.domain.features import FeatureTable
from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import (
    FEW_EVENTS,
    Limitation,
    VersionState,
)
from analytics.domain.modelling.life.observations import Observations
from analytics.domain.modelling.trained import FORMAT
from analytics.labels.modelling import PURPOSES
from analytics.models import LoanHistory, ModelVersion, RegisteredModel, TrainingRun
from analytics.selectors.modelling import features, targets
from analytics.selectors.modelling.columns import ModelColumn, columns_for
from analytics.services.credit import loan_book
from analytics.services.modelling import artefacts, comparing, fitting, population
from analytics.services.modelling.errors import (
    ModelNotTrainable,
    ModelRefused,
    StoredModelChanged,
)
from analytics.services.modelling.fitting import FittedModel
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor, system_actor
from loancrm.kernel.acting import acting
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute

TRAINS = "analytics.add_modelversion"
VALID_DAYS = 365
_STEPS = 5


def start_training(*, actor: Actor, choices: TrainingChoices, now: datetime) -> TrainingRun:
    """Let a worker train a version; the model is registered where it is new.

    Raises:
        PermissionRefused: The actor may not train models.
        ModelRefused: There is a model of this name for another purpose.
        WorkOpenAlready: A training of this model is not over.
    """
    act = acting(actor, TRAINS, now=now)
    with act:
        model, _created = RegisteredModel.objects.get_or_create(
            name=choices.model_name,
            defaults={
                "purpose": choices.purpose.value,
                "owner": actor.user,
                "created_at": now,
                "is_for_marketing": not choices.purpose.is_risk,
            },
        )
        if model.purpose != choices.purpose:
            raise ModelRefused(
                _("There is a model “%(name)s” for another purpose.") % {"name": model.name}
            )
        work = works.start(
            kind=jobs.TRAINING,
            actor=actor,
            now=now,
            title=PURPOSES.phrase(choices.purpose),
            total_count=_STEPS,
            exclusive_key=f"{jobs.TRAINING}:{model.name}",
        )
        run = TrainingRun.objects.create(work=work, model=model, parameters=choices.to_json())
        RegisteredModel.objects.filter(pk=model.pk).update(choices=run.parameters)
        act.record("model.training_started", on=run, facts=run.parameters)
    return run


def run(*, work_id: int, now: datetime) -> None:
    """Do a training in the name of who started it; nothing when it is in hand or over.

    The candidate is written in one transaction with the end: a worker that died has left nothing,
    and the same data gives the same digest again.
    """

    def perform(claim: WorkClaim) -> None:
        row = TrainingRun.objects.select_related("work__requested_by", "model").get(work_id=work_id)
        claim.save_progress(done_count=0)

        def advance() -> None:
            claim.save_progress(done_count=F("done_count") + 1)
            claim.raise_if_requested()

        _train(row, claim, advance, now)

    execute(work_id=work_id, perform=perform, now=now)


def _actor_of(row: TrainingRun) -> Actor:
    """Return who trains; whoever lost the permission, or left, since the start trains nothing."""
    person = row.work.requested_by
    if person is None:
        return system_actor(f"training:{row.model.name}")
    return access.user_actor(person)


def _train(
    row: TrainingRun, claim: WorkClaim, advance: Callable[[], object], now: datetime
) -> None:
    act = acting(_actor_of(row), TRAINS, now=now)
    choices = TrainingChoices.from_json(row.parameters)
    if choices.purpose is ModelPurpose.DEFAULT_RISK:
        _derive_book(now)
    advance()
    columns = columns_for(choices.purpose)
    seen, table = _load(choices, columns, now)
    advance()
    fitted = fitting.fit(table=table, seen=seen, choices=choices)
    model = fitted.model
    advance()
    reference = population.reference_of(
        model=model,
        columns=columns,
        people=targets.people_to_score(choices.purpose, as_of=now),
        moment=now,
        takes_values_of_today=choices.takes_values_of_today,
    )
    advance()
    card = _card(fitted, seen, choices, columns, now)
    champion = ModelVersion.objects.filter(model=row.model, state=VersionState.CHAMPION).first()
    verdict = {}
    if champion is not None:
        # A champion that was changed is halted; it keeps nobody from training another.
        with suppress(StoredModelChanged):
            verdict = comparing.verdict_against(
                champion=champion, model=model, card=card, now=now, seen=seen
            )
    with act:
        artefact = artefacts.sealed(model=model, card=card, reference=reference)
        version = _write_candidate(row, {**artefact, "comparison": verdict}, now)
        claim.finish(done_count=F("total_count"))
        act.record(
            "model.trained",
            on=version,
            facts={
                "number": version.number,
                "digest": version.digest,
                "seal": version.seal,
                "snapshot": card["snapshot"],
                "rows": card["rows"],
                "events": card["events"],
            },
        )


def _load(
    choices: TrainingChoices, columns: Mapping[str, ModelColumn], now: datetime
) -> tuple[Observations, FeatureTable]:
    seen = targets.load_observations(choices, as_of=now)
    if not seen.outcome.size:
        raise ModelNotTrainable(nothing_to_learn(choices))
    table = features.load_table(
        features.Rows(seen.customer_ids, seen.times),
        [column for name, column in columns.items() if name not in choices.excluded],
        takes_values_of_today=choices.takes_values_of_today,
    )
    return seen, table


def _write_candidate(row: TrainingRun, artefact: Mapping[str, Any], now: datetime) -> ModelVersion:
    last = ModelVersion.objects.filter(model=row.model).aggregate(last=Max("number"))["last"]
    version = ModelVersion.objects.create(
        model=row.model,
        number=(last or 0) + 1,
        state=VersionState.CANDIDATE,
        trained_at=now,
        trained_by=row.work.requested_by,
        expires_on=(now + timedelta(days=VALID_DAYS)).astimezone(clock.company_zone()).date(),
        **artefact,
    )
    TrainingRun.objects.filter(pk=row.pk).update(version=version)
    return version


def _derive_book(now: datetime) -> None:
    """Derive the loan book where yesterday's is not there: a first run needs nothing prepared."""
    today = now.astimezone(clock.company_zone()).date()
    if LoanHistory.objects.filter(as_of__gte=today - timedelta(days=1)).exists():
        return
    loan_book.derive_loan_book(actor=system_actor("training"), as_of=today, now=now)


def nothing_to_learn(choices: TrainingChoices) -> Any:
    """Return why there is no row to learn from, and what would give some."""
    match choices.purpose:
        case ModelPurpose.DEFAULT_RISK:
            return _(
                "No loan has been on book for %(months)s months yet. Choose fewer months, or "
                "import loans with their plans and repayments."
            ) % {"months": choices.months}
        case ModelPurpose.RESPONSE:
            return _("No campaign with a goal was sent long enough ago.")
        case ModelPurpose.CHURN:
            return _("No loan with a plan was running long enough ago.")
        case ModelPurpose.NEED:
            return _("Nobody was known long enough ago.")
        case ModelPurpose.UPLIFT:
            return _(
                "No campaign that held a group out has been over for its window. Hold out a share "
                "of the next campaign."
            )


def code_version(format_name: str = FORMAT) -> str:
    """Return the format of an artefact and the versions of what learned."""
    packages = (f"{name} {version_of(name)}" for name in ("numpy", "scikit-learn"))
    return "; ".join((format_name, *packages))


def _card(
    fitted: FittedModel,
    seen: Observations,
    choices: TrainingChoices,
    columns: Mapping[str, ModelColumn],
    now: datetime,
) -> dict[str, Any]:
    """Return what the model card says beside the artefact; limitations by their codes."""
    model = fitted.model
    limitations = []
    if model.facts["events"] < FEW_EVENTS:
        limitations.append(Limitation.FEW_EVENTS)
    if not model.facts["is_out_of_time"]:
        limitations.append(Limitation.NOT_OUT_OF_TIME)
    if choices.takes_values_of_today:
        limitations.append(Limitation.VALUES_OF_TODAY)
    if choices.purpose.is_risk:
        limitations.append(Limitation.ONLY_BOOKED)
    if seen.treated is not None:
        limitations.append(Limitation.AS_PLANNED)
    of_trial = {}
    if seen.treated is not None:
        of_trial = {"treated": int(seen.treated.sum()), "held_out": int((~seen.treated).sum())}
    return {
        "choices": choices.to_json(),
        "as_of": now.isoformat(),
        "code_version": code_version(model.to_json()["format"]),
        "snapshot": model.facts["snapshot"],
        "rows": int(seen.outcome.size),
        "events": int(seen.outcome.sum()),
        **of_trial,
        "contest": fitted.contest.to_json() if fitted.contest else None,
        "learned_until": fitted.learned_until,
        "excluded": {reason.value: count for reason, count in seen.excluded.items()},
        "first_row": features.moment_of(int(seen.times.min())).isoformat(),
        "last_row": features.moment_of(int(seen.times.max())).isoformat(),
        "features": [
            {
                "name": name,
                "source": columns[name].source,
                "data_class": columns[name].data_class.value,
                "zh": columns[name].label.zh,
                "en": columns[name].label.en,
            }
            for name in columns
        ],
        "is_risk_only": any(
            columns[name].data_class.value == "risk_only" for name in model.features
        ),
        "limitations": [each.value for each in limitations],
    }
