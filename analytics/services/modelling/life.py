"""What people decide about versions: approve, promote, challenge, roll back, retire, let use."""

from datetime import datetime

from django.contrib.auth.models import User

from analytics import jobs
from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.domain.modelling.life.lifecycle import (
    MOVES,
    VersionState,
)
from analytics.domain.uplift.stored import problems_of
from analytics.labels.modelling import APPROVAL_PROBLEMS, VERSION_STATES
from analytics.models import ModelVersion, RegisteredModel
from analytics.services.modelling import artefacts, comparing, scoring
from analytics.services.modelling.errors import ModelRefused
from customers.domain.score_standing import ScoreState
from loancrm.kernel import clock
from loancrm.kernel.access import Actor, is_allowed
from loancrm.kernel.acting import acting
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.words.phrases import gettext as _

TRAINS = "analytics.add_modelversion"
APPROVES = "analytics.change_modelversion"
DECIDES_RISK = "analytics.decide_riskmodel"
SHORTEST_REASON = 10
MOST_SHARE = 0.5


def right_to_decide(actor: Actor, purpose: str) -> str:
    """Return the permission that a decision about a model needs of this actor.

    Risk officers decide about models of default risk; everything else, and those too, is decided by
    whoever may decide about all models.
    """
    is_risk = ModelPurpose(purpose).is_risk
    return DECIDES_RISK if is_risk and is_allowed(actor, DECIDES_RISK) else APPROVES


def approve_version(*, actor: Actor, version_id: int, now: datetime) -> ModelVersion:
    """Approve a candidate, as a second person.

    Raises:
        PermissionRefused: The actor may not approve versions.
        ModelRefused: The actor trained it or is no person, it is no candidate, or its figures on
            rows that nothing was learned from do not hold.
        StoredModelChanged: It is not what was trained.
    """
    act = acting(actor, right_to_decide(actor, _purpose_of(version_id)), now=now)
    person = _person(actor)
    with act:
        version = _locked(version_id)
        _require_move(version, VersionState.APPROVED)
        _require_second(version, person)
        _require_measured(version)
        version.state, version.approved_by, version.approved_at = (
            VersionState.APPROVED,
            person,
            now,
        )
        version.save(update_fields=["state", "approved_by", "approved_at"])
        act.record("model.approved", on=version, facts=_facts(version))
    return version


def reject_version(*, actor: Actor, version_id: int, reason: str, now: datetime) -> ModelVersion:
    """Turn a candidate down, with the reason.

    Raises:
        PermissionRefused: The actor may not approve versions.
        ModelRefused: The reason says too little, or it is no candidate.
    """
    act = acting(actor, right_to_decide(actor, _purpose_of(version_id)), now=now)
    why = _reason(reason)
    with act:
        version = _locked(version_id)
        _require_move(version, VersionState.REJECTED)
        _move(version, VersionState.REJECTED, now)
        act.record("model.turned_down", on=version, facts=_facts(version), reason=why)
    return version


def promote_version(
    *, actor: Actor, version_id: int, now: datetime, reason: str = ""
) -> ModelVersion:
    """Make an approved version or the challenger champion; the champion before is retired.

    People are scored anew by the next run, which is asked for, and the versions that wait are held
    against the new champion.

    Args:
        reason: Needed where there is a champion and the rule does not replace it by this version,
            or has not compared them.

    Raises:
        PermissionRefused: The actor may not promote versions.
        ModelRefused: It is not approved by a second person, has expired, its figures do not hold,
            or it is against the rule and the reason says too little.
        StoredModelChanged: It is not what was trained.
    """
    act = acting(actor, right_to_decide(actor, _purpose_of(version_id)), now=now)
    _person(actor)
    with act:
        version = _locked(version_id)
        if version.state not in {VersionState.APPROVED, VersionState.CHALLENGER}:
            raise ModelRefused(_("Only an approved version can become champion."))
        _require_measured(version)
        why = _reason_against_rule(version, reason)
        before = _crown(version, now)
        version.previous = before
        version.save(update_fields=["previous"])
        act.record(
            "model.promoted",
            on=version,
            facts={
                **_facts(version),
                "before": before.label if before else None,
                "rule": version.comparison.get("reasons"),
            },
            reason=why,
        )
        _follow_up(version)
    return version


def roll_back(*, actor: Actor, model_id: int, now: datetime) -> ModelVersion:
    """Make the champion before the present one champion again.

    Raises:
        PermissionRefused: The actor may not promote versions.
        ModelRefused: There is none before, or it has expired.
        StoredModelChanged: It is not what was trained.
    """
    act = acting(actor, right_to_decide(actor, _purpose(model_id)), now=now)
    _person(actor)
    with act:
        champion = _champion(model_id)
        before = champion.previous
        if before is None:
            raise ModelRefused(_("There is no champion before this one."))
        version = _locked(before.pk)
        _require_measured(version)
        _crown(version, now)
        act.record(
            "model.rolled_back",
            on=version,
            facts={**_facts(version), "from": champion.label},
        )
        _follow_up(version)
    return version


def make_challenger(*, actor: Actor, version_id: int, share: float, now: datetime) -> ModelVersion:
    """Let an approved version score everybody in the shadow, and for a share of people for real.

    Raises:
        PermissionRefused: The actor may not promote versions.
        ModelRefused: It is not approved, there is no champion, or the share is not 0 to 0.5.
    """
    act = acting(actor, right_to_decide(actor, _purpose_of(version_id)), now=now)
    if not 0 <= share <= MOST_SHARE:
        raise ModelRefused(_("The challenger's share is between 0 and 50 %."))
    with act:
        version = _locked(version_id)
        _require_move(version, VersionState.CHALLENGER)
        _champion(version.model_id)
        artefacts.read_version(version)
        for other in ModelVersion.objects.filter(
            model=version.model, state=VersionState.CHALLENGER
        ):
            _move(other, VersionState.APPROVED, now)
        _move(version, VersionState.CHALLENGER, now)
        RegisteredModel.objects.filter(pk=version.model_id).update(challenger_share=share)
        act.record("model.challenged", on=version, facts={**_facts(version), "share": share})
        enqueue(jobs.SCORE_MODEL, model_id=int(version.model_id))
    return version


def retire_version(*, actor: Actor, version_id: int, now: datetime) -> ModelVersion:
    """Take a version out of use; of a champion campaigns choose nobody any more.

    Raises:
        PermissionRefused: The actor may not approve versions.
        ModelRefused: It is in no state to be retired.
    """
    with acting(actor, right_to_decide(actor, _purpose_of(version_id)), now=now) as act:
        version = _locked(version_id)
        _require_move(version, VersionState.RETIRED)
        if version.state == VersionState.CHAMPION:
            scoring.write_standing(
                act, model=version.model, version=version, state=ScoreState.RETIRED
            )
        _move(version, VersionState.RETIRED, now)
        act.record("model.retired", on=version, facts=_facts(version))
    return version


def resume_model(*, actor: Actor, model_id: int, reason: str, now: datetime) -> RegisteredModel:
    """Let a halted model score again: somebody looked, and the data is as it should be.

    Its scores choose people again once a run without drift has stored them. What drifted in
    earlier runs counts towards the next halt no more.

    Raises:
        PermissionRefused: The actor may not approve versions.
        ModelRefused: The reason says too little, or it is not halted.
        StoredModelChanged: The champion is not what was trained: only a roll-back helps.
    """
    act = acting(actor, right_to_decide(actor, _purpose(model_id)), now=now)
    why = _reason(reason)
    with act:
        model = RegisteredModel.objects.select_for_update().get(pk=model_id)
        if model.halted_at is None:
            raise ModelRefused(_("The model is not halted."))
        artefacts.read_version(_champion(model_id))
        _unhalt(model, now)
        act.record("model.resumed", on=model, reason=why)
        enqueue(jobs.SCORE_MODEL, model_id=int(model_id))
    return model


def allow_marketing(
    *, actor: Actor, model_id: int, is_allowed: bool, reason: str, now: datetime
) -> RegisteredModel:
    """Say whether campaigns may choose people by the score of a model, and why.

    Raises:
        PermissionRefused: The actor may not approve versions.
        ModelRefused: The reason says too little, or the champion reads what is for risk only.
    """
    act = acting(actor, right_to_decide(actor, _purpose(model_id)), now=now)
    why = _reason(reason)
    with act:
        model = RegisteredModel.objects.select_for_update().get(pk=model_id)
        champion = ModelVersion.objects.filter(model=model, state=VersionState.CHAMPION).first()
        if is_allowed and champion and champion.card["is_risk_only"]:
            raise ModelRefused(
                _("The champion reads attributes that are for risk only: it cannot choose people.")
            )
        model.is_for_marketing = is_allowed
        model.save(update_fields=["is_for_marketing"])
        if champion:
            state = ScoreState.HALTED if model.halted_at else ScoreState.IN_USE
            scoring.write_standing(act, model=model, version=champion, state=state)
        act.record("model.marketing", on=model, facts={"is_allowed": is_allowed}, reason=why)
    return model


def set_schedule(
    *,
    actor: Actor,
    model_id: int,
    score_every_days: int,
    retrain_days: int,
    stale_after_days: int,
    now: datetime,
) -> RegisteredModel:
    """Say how often a model scores and is trained, and when its scores are too old.

    Raises:
        PermissionRefused: The actor may not train models.
        ModelRefused: Scores would be too old before the next ones come.
    """
    with acting(actor, TRAINS, now=now) as act:
        if not 1 <= score_every_days <= stale_after_days <= 365 or not 0 <= retrain_days <= 730:
            raise ModelRefused(_("Scores would be too old before the next ones come."))
        model = RegisteredModel.objects.select_for_update().get(pk=model_id)
        values = {
            "score_every_days": score_every_days,
            "retrain_days": retrain_days,
            "stale_after_days": stale_after_days,
        }
        RegisteredModel.objects.filter(pk=model.pk).update(**values)
        act.record("model.scheduled", on=model, facts=values)
    model.refresh_from_db()
    return model


def _purpose_of(version_id: int) -> str:
    return _purpose(ModelVersion.objects.values_list("model_id", flat=True).get(pk=version_id))


def _purpose(model_id: int) -> str:
    return RegisteredModel.objects.values_list("purpose", flat=True).get(pk=model_id)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise ModelRefused(_("Only a person can decide about a model."))
    return actor.user


def _reason(text: str) -> str:
    why = text.strip()
    if len(why) < SHORTEST_REASON:
        raise ModelRefused(_("Say why."))
    return why[:300]


def _locked(version_id: int) -> ModelVersion:
    """Return a version, with its model locked: of two decisions one comes first."""
    model_id = ModelVersion.objects.values_list("model_id", flat=True).get(pk=version_id)
    RegisteredModel.objects.select_for_update().get(pk=model_id)
    return ModelVersion.objects.select_related("model", "previous").get(pk=version_id)


def _champion(model_id: int) -> ModelVersion:
    found = ModelVersion.objects.filter(model_id=model_id, state=VersionState.CHAMPION)
    champion = found.select_related("model", "previous").first()
    if champion is None:
        raise ModelRefused(_("The model has no champion."))
    return champion


def _require_move(version: ModelVersion, state: VersionState) -> None:
    if state not in MOVES[VersionState(version.state)]:
        raise ModelRefused(
            _("The version is “%(state)s”; that cannot be done with it.")
            % {"state": VERSION_STATES.phrase(version.state)}
        )


def _require_second(version: ModelVersion, person: User) -> None:
    if version.trained_by_id == person.pk:
        raise ModelRefused(_("A second person has to approve a version, not who trained it."))


def _require_measured(version: ModelVersion) -> None:
    """Refuse a version of which the figures do not hold, or that is not what was trained."""
    model = artefacts.read_version(version)
    today = clock.today()
    if version.expires_on and version.expires_on < today:
        raise ModelRefused(_("The version is not valid any more; train a new one."))
    if problems := problems_of(model):
        raise ModelRefused(APPROVAL_PROBLEMS.phrase(problems[0]), problems=list(problems))


def _reason_against_rule(version: ModelVersion, reason: str) -> str:
    """Return why a version becomes champion though the rule does not say so; empty where it does.

    Raises:
        ModelRefused: The reason says too little.
    """
    champion = ModelVersion.objects.filter(model=version.model, state=VersionState.CHAMPION).first()
    if champion is None or comparing.is_for(version, champion):
        return ""
    if len(reason.strip()) < SHORTEST_REASON:
        raise ModelRefused(_("The rule does not replace the champion by it: say why all the same."))
    return _reason(reason)


def _follow_up(version: ModelVersion) -> None:
    """Let everybody be scored by the new champion, and what waits be held against it."""
    enqueue(jobs.SCORE_MODEL, model_id=int(version.model_id))
    enqueue(jobs.COMPARE_VERSIONS, model_id=int(version.model_id))


def _crown(version: ModelVersion, now: datetime) -> ModelVersion | None:
    """Make a version champion and end a halt; return the champion before."""
    before = ModelVersion.objects.filter(model=version.model, state=VersionState.CHAMPION).first()
    if before:
        _move(before, VersionState.RETIRED, now)
    version.effective_at, version.retired_at = now, None
    version.state = VersionState.CHAMPION
    version.save(update_fields=["effective_at", "retired_at", "state"])
    model = RegisteredModel.objects.get(pk=version.model_id)
    if version.card["is_risk_only"] and model.is_for_marketing:
        RegisteredModel.objects.filter(pk=model.pk).update(is_for_marketing=False)
    _unhalt(model, now)
    return before


def _unhalt(model: RegisteredModel, now: datetime) -> None:
    model.halted_at, model.halt_reason, model.watched_since = None, "", now
    model.save(update_fields=["halted_at", "halt_reason", "watched_since"])


def _move(version: ModelVersion, state: VersionState, now: datetime) -> None:
    version.state = state
    if state in {VersionState.RETIRED, VersionState.REJECTED}:
        version.retired_at = now
    version.save(update_fields=["state", "retired_at"])


def _facts(version: ModelVersion) -> dict[str, object]:
    return {"version": version.label, "digest": version.digest}
