"""From the lender's own book to a champion that scores everybody, and what stops it."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.utils import translation

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import HaltReason, VersionState
from analytics.domain.modelling.trained import dump_model, load_model
from analytics.models import ModelVersion, RegisteredModel, ScoringRun, TrainingRun
from analytics.services.modelling import (
    artefacts,
    comparing,
    life,
    scheduling,
    scoring,
    training_runs,
)
from analytics.services.modelling.errors import ModelRefused, StoredModelChanged
from customers.domain.score_standing import ScoreState
from customers.models import AttributeValue, Customer, Score, ScoreStanding
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role, WorkAction
from loancrm.kernel.models import AuditEntry, WorkState
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import service
from loancrm.kernel.work.service import WorkOpenAlready
from tests.factories import kept
from tests.factories.book_to_learn import make_book

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

CHOICES = TrainingChoices(ModelPurpose.DEFAULT_RISK, months=6)
PEOPLE = 500


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    monkeypatch.setattr(life, "enqueue", lambda *_job, **_facts: None)


@pytest.fixture
def analyst():
    return _of_role(Role.ANALYST)


@pytest.fixture
def approver():
    return _of_role(Role.APPROVER)


def _of_role(role, name="one"):
    ensure_roles()
    user, _is_new = User.objects.get_or_create(username=f"{name}-{role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user_actor(user)


def trained(actor, now, choices=CHOICES):
    run = training_runs.start_training(actor=actor, choices=choices, now=now)
    training_runs.run(work_id=run.work_id, now=now)
    run = TrainingRun.objects.select_related("work", "version__model").get(pk=run.pk)
    assert run.work.state == WorkState.DONE, run.work.last_error
    return run.version


@pytest.fixture
def candidate(now):
    def make():
        make_book(PEOPLE, now=now)
        trained(_of_role(Role.ANALYST), now)

    kept.scene("a candidate", make)
    return ModelVersion.objects.select_related("model").get()


@pytest.fixture
def champion(candidate, approver, now):
    life.approve_version(actor=approver, version_id=candidate.pk, now=now)
    return life.promote_version(actor=approver, version_id=candidate.pk, now=now)


def score(champion, actor, now):
    return scoring.score_model(actor=actor, model_id=champion.model_id, now=now)


def test_h20_a_training_needs_nothing_prepared_and_is_the_same_again(candidate, analyst, now):
    assert candidate.state == VersionState.CANDIDATE
    model = load_model(candidate.content)
    assert "attribute.monthly_income" in model.features
    card = candidate.card
    assert (card["rows"], card["events"]) == (PEOPLE, 156)
    assert card["limitations"] == ["few_events", "only_booked"]
    assert card["snapshot"] == model.facts["snapshot"]
    assert sum(candidate.reference["points"]) == PEOPLE
    again = trained(analyst, now + timedelta(minutes=1))
    assert (again.number, again.digest) == (2, candidate.digest)
    assert AuditEntry.objects.filter(action="model.trained").count() == 2


def test_s83_only_a_second_person_approves_and_only_what_is_approved_is_promoted(
    candidate, analyst, approver, actor, now
):
    with pytest.raises(PermissionRefused):
        life.approve_version(actor=analyst, version_id=candidate.pk, now=now)
    with pytest.raises(ModelRefused, match="approved version"):
        life.promote_version(actor=approver, version_id=candidate.pk, now=now)
    both = analyst.user
    both.groups.add(Group.objects.get(name=Role.APPROVER))
    with pytest.raises(ModelRefused, match="second person"):
        life.approve_version(
            actor=user_actor(User.objects.get(pk=both.pk)), version_id=candidate.pk, now=now
        )
    with pytest.raises(ModelRefused, match="person"):
        life.approve_version(actor=actor, version_id=candidate.pk, now=now)

    life.approve_version(actor=approver, version_id=candidate.pk, now=now)
    version = life.promote_version(actor=approver, version_id=candidate.pk, now=now)
    assert (version.state, version.approved_by) == (VersionState.CHAMPION, approver.user)
    with pytest.raises(ModelRefused, match="Champion"):
        life.approve_version(actor=approver, version_id=candidate.pk, now=now)


def test_s83_risk_officers_train_and_decide_about_risk_and_about_nothing_else(candidate, now):
    one, two = _of_role(Role.RISK), _of_role(Role.RISK, "two")
    own = trained(one, now, replace(CHOICES, seed=3))
    with pytest.raises(ModelRefused, match="second person"):
        life.approve_version(actor=one, version_id=own.pk, now=now)
    life.approve_version(actor=two, version_id=own.pk, now=now)
    version = life.promote_version(actor=one, version_id=own.pk, now=now)
    assert version.state == VersionState.CHAMPION

    other = RegisteredModel.objects.create(name="response", purpose="response", created_at=now)
    asked = {"model_id": other.pk, "is_allowed": False, "reason": "Not before review.", "now": now}
    with pytest.raises(PermissionRefused):
        life.allow_marketing(actor=one, **asked)
    ModelVersion.objects.filter(pk=candidate.pk).update(model=other)
    with pytest.raises(PermissionRefused):
        life.approve_version(actor=two, version_id=candidate.pk, now=now)
    marketer = _of_role(Role.MARKETER)
    with pytest.raises(PermissionRefused):
        life.retire_version(actor=marketer, version_id=own.pk, now=now)
    with pytest.raises(PermissionRefused):
        training_runs.start_training(actor=marketer, choices=CHOICES, now=now)


def test_s83_figures_that_do_not_hold_are_not_approved(candidate, approver, now):
    model = artefacts.read_version(candidate)
    told = json.loads(json.dumps(dict(model.measured)))
    told["test"]["auc"]["low"] = 0.49
    worse = replace(model, measured=told)
    stored = artefacts.sealed(model=worse, card=candidate.card, reference=candidate.reference)
    ModelVersion.objects.filter(pk=candidate.pk).update(**stored)
    with pytest.raises(ModelRefused, match="better than chance"):
        life.approve_version(actor=approver, version_id=candidate.pk, now=now)


def test_h20_everybody_is_scored_by_letter_bands_and_nobody_who_refused(champion, actor, now):
    refusing = Customer.objects.order_by("pk").first()
    Customer.objects.filter(pk=refusing.pk).update(personalisation_allowed=False)
    run = score(champion, actor, now)
    assert (run.people, run.is_bad, run.is_written) == (PEOPLE - 1, False, True)
    rows = Score.objects.filter(model_name="default_risk", is_latest=True)
    assert rows.count() == PEOPLE - 1
    assert not rows.filter(customer=refusing).exists()
    assert set(rows.values_list("version", flat=True)) == {champion.label}
    means = {
        band: sum(row.value for row in rows if row.band == band) / rows.filter(band=band).count()
        for band in sorted(set(rows.values_list("band", flat=True)))
    }
    assert next(iter(means)) == "A"
    assert list(means.values()) == sorted(means.values())
    standing = ScoreStanding.objects.get(model_name="default_risk")
    assert (standing.state, standing.version) == (ScoreState.IN_USE, champion.label)
    assert not standing.is_for_marketing
    again = score(champion, actor, now)
    assert again.people == PEOPLE - 1
    assert Score.objects.filter(model_name="default_risk").count() == PEOPLE - 1


def test_f69_income_in_fen_instead_of_yuan_halts_the_score_at_the_second_run(
    champion, actor, approver, now
):
    assert score(champion, actor, now).is_written
    before = dict(Score.objects.filter(is_latest=True).values_list("customer_id", "value"))
    AttributeValue.objects.update(
        number=F("number") * 100, updated_at=F("updated_at") + timedelta(minutes=1)
    )

    first = score(champion, actor, now + timedelta(days=1))
    assert (first.is_bad, first.is_written) == (True, False)
    assert first.features["attribute.monthly_income"]["value"] > 0.25
    model = RegisteredModel.objects.get()
    assert model.halted_at is None
    second = score(champion, actor, now + timedelta(days=2))
    assert second.is_bad
    model.refresh_from_db()
    assert model.halt_reason == HaltReason.DRIFT
    assert ScoreStanding.objects.get(model_name="default_risk").state == ScoreState.HALTED
    assert score(champion, actor, now + timedelta(days=3)) is None
    assert before == dict(Score.objects.filter(is_latest=True).values_list("customer_id", "value"))

    AttributeValue.objects.update(
        number=F("number") / 100, updated_at=F("updated_at") + timedelta(minutes=1)
    )
    with pytest.raises(ModelRefused, match="Say why"):
        life.resume_model(actor=approver, model_id=model.pk, reason="ok", now=now)
    later = now + timedelta(days=3)
    life.resume_model(actor=approver, model_id=model.pk, reason="The file was mended.", now=later)
    assert score(champion, actor, now + timedelta(days=4)).is_written
    assert ScoreStanding.objects.get(model_name="default_risk").state == ScoreState.IN_USE


def test_one_bad_run_between_good_ones_halts_nothing(champion, actor, now):
    for day, factor in enumerate([100, Decimal("0.01"), 100, Decimal("0.01")]):
        AttributeValue.objects.update(
            number=F("number") * factor, updated_at=F("updated_at") + timedelta(minutes=1)
        )
        score(champion, actor, now + timedelta(days=day))
    runs = ScoringRun.objects.order_by("pk").values_list("is_bad", flat=True)
    assert list(runs) == [True, False, True, False]
    assert RegisteredModel.objects.get().halted_at is None


@pytest.mark.parametrize("swapped", ["artefact", "card", "text"])
def test_f67_a_swapped_artefact_is_refused_everywhere(champion, actor, approver, now, swapped):
    score(champion, actor, now)
    if swapped == "artefact":
        # Whole in itself, with a digest of its own: only not the one that was trained.
        model = artefacts.read_version(champion)
        other = replace(model, calibrator=replace(model.calibrator, intercept=-3.0))
        changes = {"content": dump_model(other), "digest": other.digest}
    elif swapped == "card":
        changes = {"card": {**champion.card, "is_risk_only": False, "rows": 9}}
    else:
        changes = {"content": champion.content.replace("0.", "1.", 1)}
    ModelVersion.objects.filter(pk=champion.pk).update(**changes)
    with pytest.raises(StoredModelChanged):
        artefacts.read_version(ModelVersion.objects.get(pk=champion.pk))

    assert score(champion, actor, now + timedelta(days=1)) is None
    model = RegisteredModel.objects.get()
    assert model.halt_reason == HaltReason.CHANGED
    assert ScoreStanding.objects.get(model_name="default_risk").state == ScoreState.HALTED
    with pytest.raises(StoredModelChanged):
        life.resume_model(actor=approver, model_id=model.pk, reason="It looks fine.", now=now)


def test_s83_a_roll_back_makes_the_champion_before_champion_again(
    champion, analyst, approver, actor, now
):
    with pytest.raises(ModelRefused, match="no champion before"):
        life.roll_back(actor=approver, model_id=champion.model_id, now=now)
    second = trained(analyst, now, replace(CHOICES, seed=2))
    life.approve_version(actor=approver, version_id=second.pk, now=now)
    assert second.comparison["champion"] == champion.label
    assert second.comparison["reasons"] == ["not_clearly_better"]
    with pytest.raises(ModelRefused, match="The rule does not replace"):
        life.promote_version(actor=approver, version_id=second.pk, now=now)
    why = "It learned with another seed."
    life.promote_version(actor=approver, version_id=second.pk, now=now, reason=why)
    told = AuditEntry.objects.filter(action="model.promoted").latest("pk")
    assert told.reason == why
    assert told.facts["rule"] == ["not_clearly_better"]
    champion.refresh_from_db()
    assert champion.state == VersionState.RETIRED

    back = life.roll_back(actor=approver, model_id=champion.model_id, now=now)
    assert back.pk == champion.pk
    states = dict(ModelVersion.objects.values_list("number", "state"))
    assert states == {1: VersionState.CHAMPION, 2: VersionState.RETIRED}
    score(back, actor, now)
    assert ScoreStanding.objects.get(model_name="default_risk").version == champion.label


def test_s83_a_version_that_is_clearly_better_needs_no_reason(
    candidate, analyst, approver, actor, now
):
    # A champion that does not know the income, by which people pay.
    weak = trained(analyst, now, replace(CHOICES, excluded=("attribute.monthly_income",)))
    ModelVersion.objects.filter(pk=weak.pk).update(state=VersionState.CHAMPION)
    assert candidate.comparison == {}, "there was no champion yet"
    (judged,) = comparing.compare_versions(actor=actor, model_id=weak.model_id, now=now)
    assert judged.pk == candidate.pk
    assert judged.comparison["reasons"] == ["clearly_better"]
    assert judged.comparison["gain"]["low"] > 0
    life.approve_version(actor=approver, version_id=candidate.pk, now=now)
    version = life.promote_version(actor=approver, version_id=candidate.pk, now=now)
    assert version.state == VersionState.CHAMPION


def test_s83_of_both_kinds_the_rule_says_which_is_kept(analyst, now):
    make_book(PEOPLE, now=now)
    version = trained(analyst, now, replace(CHOICES, kind=None))
    assert version.kind == "scorecard"
    assert "not_clearly_better" in version.card["contest"]["reasons"]


def test_s83_a_challenger_scores_in_the_shadow_and_for_its_share(
    champion, analyst, approver, actor, now
):
    second = trained(analyst, now, replace(CHOICES, seed=2, excluded=("app_login_count",)))
    life.approve_version(actor=approver, version_id=second.pk, now=now)
    life.make_challenger(actor=approver, version_id=second.pk, share=0.2, now=now)
    second.refresh_from_db()
    score(champion, actor, now)

    shadow = Score.objects.filter(model_name="default_risk_shadow", is_latest=True)
    assert shadow.count() == PEOPLE
    rows = Score.objects.filter(model_name="default_risk", is_latest=True)
    assert rows.count() == PEOPLE
    arm = rows.filter(version=second.label).count()
    assert 60 <= arm <= 140, "a fifth by hash"
    assert rows.filter(version=champion.label).count() == PEOPLE - arm
    standing = ScoreStanding.objects.get(model_name="default_risk_shadow")
    assert standing.state == ScoreState.SHADOW
    taken = set(rows.filter(version=second.label).values_list("customer_id", flat=True))
    score(champion, actor, now + timedelta(days=1))
    again = Score.objects.filter(model_name="default_risk", is_latest=True, version=second.label)
    assert set(again.values_list("customer_id", flat=True)) == taken


def test_s83_a_training_by_schedule_ends_in_a_candidate(champion, analyst, actor, now):
    life.set_schedule(
        actor=analyst,
        model_id=champion.model_id,
        score_every_days=1,
        retrain_days=30,
        stale_after_days=10,
        now=now,
    )
    assert scheduling.retrain_due_models(actor=actor, now=now + timedelta(days=29)) == []
    later = now + timedelta(days=31)
    (run,) = scheduling.retrain_due_models(actor=actor, now=later)
    assert scheduling.retrain_due_models(actor=actor, now=later) == []
    training_runs.run(work_id=run.work_id, now=later)
    run = TrainingRun.objects.select_related("version", "work").get(pk=run.pk)
    assert run.version.state == VersionState.CANDIDATE, run.work.last_error
    champion.refresh_from_db()
    assert champion.state == VersionState.CHAMPION


def test_h20_models_are_scored_when_it_is_their_turn(champion, actor, now):
    assert len(scoring.score_due_models(actor=actor, now=now)) == 1
    assert scoring.score_due_models(actor=actor, now=now + timedelta(hours=22)) == []
    assert len(scoring.score_due_models(actor=actor, now=now + timedelta(hours=24))) == 1


def test_a_retired_champion_and_one_out_of_date_choose_nobody(champion, approver, actor, now):
    score(champion, actor, now)
    late = now + timedelta(days=366)
    assert score(champion, actor, late) is None
    assert RegisteredModel.objects.get().halt_reason == HaltReason.EXPIRED
    life.retire_version(actor=approver, version_id=champion.pk, now=now)
    assert ScoreStanding.objects.get().state == ScoreState.RETIRED


def test_a_risk_score_chooses_for_marketing_only_where_somebody_says_why(
    champion, approver, actor, now
):
    score(champion, actor, now)
    asked = {"actor": approver, "model_id": champion.model_id, "is_allowed": True, "now": now}
    with pytest.raises(ModelRefused, match="Say why"):
        life.allow_marketing(**asked, reason="")
    life.allow_marketing(**asked, reason="Agreed with compliance.")
    assert ScoreStanding.objects.get().is_for_marketing


def test_a_training_that_somebody_cancels_leaves_nothing(analyst, now):
    make_book(60, now=now)
    run = training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    service.request_action(work_id=run.work_id, action=WorkAction.CANCEL, actor=analyst, now=now)
    training_runs.run(work_id=run.work_id, now=now)
    run.work.refresh_from_db()
    assert run.work.state == WorkState.CANCELLED
    assert not ModelVersion.objects.exists()


def test_whoever_may_no_longer_train_trains_nothing(analyst, now):
    make_book(60, now=now)
    run = training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    analyst.user.groups.clear()
    training_runs.run(work_id=run.work_id, now=now)
    run.work.refresh_from_db()
    assert run.work.state == WorkState.FAILED
    assert not ModelVersion.objects.exists()


def test_one_training_of_a_model_at_a_time_and_one_purpose_a_name(analyst, now):
    training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    with pytest.raises(WorkOpenAlready):
        training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    other = TrainingChoices(ModelPurpose.CHURN, name="default_risk")
    with pytest.raises(ModelRefused):
        training_runs.start_training(actor=analyst, choices=other, now=now)


def test_a_decision_taken_while_people_are_scored_wins(champion, approver, actor, now, monkeypatch):
    reckon = scoring._scored

    def meanwhile(version, moment):
        found = reckon(version, moment)
        life.retire_version(actor=approver, version_id=champion.pk, now=now)
        return found

    monkeypatch.setattr(scoring, "_scored", meanwhile)
    assert score(champion, actor, now) is None
    assert not Score.objects.exists()


def test_small_data_says_so(analyst, now):
    make_book(12, now=now)
    run = training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    training_runs.run(work_id=run.work_id, now=now)
    run = TrainingRun.objects.select_related("work").get()
    assert (run.work.state, run.version) == (WorkState.FAILED, None)
    assert "12" in run.work.last_error


def test_no_data_says_what_would_give_some(analyst, now):
    run = training_runs.start_training(actor=analyst, choices=CHOICES, now=now)
    training_runs.run(work_id=run.work_id, now=now)
    run.work.refresh_from_db()
    assert "6 months" in run.work.last_error
