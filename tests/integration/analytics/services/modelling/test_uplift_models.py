"""Uplift from the lender's own campaigns: trained, approved, scored, rolled back and watched."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.utils import translation

from analytics.dashboards.targeting import result
from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import HaltReason, VersionState
from analytics.domain.modelling.life.observations import Exclusion
from analytics.domain.uplift.vocabulary import RankingVerdict
from analytics.models import ModelVersion, RegisteredModel, TrainingRun
from analytics.selectors.modelling import features, targets
from analytics.services.modelling import artefacts, comparing, explaining, life, scoring
from analytics.services.modelling import training_runs as trainings
from analytics.services.modelling.errors import ModelRefused, StoredModelChanged
from analytics.services.targeting import runs as targeting_runs
from campaigns.models import Message
from customers.domain.score_standing import ScoreState
from customers.models import AttributeValue, Customer, Score, ScoreStanding
from loancrm.kernel.access import user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import WorkState
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import service
from tests.factories.campaign_to_learn import make_campaign, make_warm_people
from tests.factories.campaigns import make_channel

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

CHOICES = TrainingChoices(ModelPurpose.UPLIFT)
PEOPLE = 1600


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    monkeypatch.setattr(life, "enqueue", lambda *_job, **_facts: None)


def _of_role(role):
    ensure_roles()
    user = User.objects.create_user(f"one-{role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user_actor(user)


@pytest.fixture
def analyst():
    return _of_role(Role.ANALYST)


@pytest.fixture
def approver():
    return _of_role(Role.APPROVER)


def trained(actor, now, choices=CHOICES):
    run = trainings.start_training(actor=actor, choices=choices, now=now)
    trainings.run(work_id=run.work_id, now=now)
    run = TrainingRun.objects.select_related("work", "version__model").get(pk=run.pk)
    assert run.work.state == WorkState.DONE, run.work.last_error
    return run.version


@pytest.fixture
def planted(actor, now):
    people, warmth = make_warm_people(PEOPLE, now=now)
    _campaign, uplift = make_campaign(people, warmth, actor=actor, now=now)
    return people, uplift


@pytest.fixture
def champion(planted, analyst, approver, now):
    version = trained(analyst, now)
    life.approve_version(actor=approver, version_id=version.pk, now=now)
    return life.promote_version(actor=approver, version_id=version.pk, now=now)


def test_h9_planted_uplift_is_found_as_planned_whether_or_not_a_message_went_out(
    planted, analyst, now
):
    people, _uplift = planted
    version = trained(analyst, now)
    measured = artefacts.read_version(version).measured
    assert measured["verdict"] == RankingVerdict.USABLE
    assert measured["worth"]["qini_per_thousand"]["low"] > 0
    slope = measured["predictor"]["heterogeneity"]
    assert slope["low"] < 1 < slope["high"]
    assert measured["dogs"]["people"] > 0
    assert {group["name"] for group in measured["groups"]} == {"female", "male"}
    assert all(one["by_group"] is not None for one in measured["at"])

    card = version.card
    planned = Message.objects.filter(is_control=False)
    # By the plan: half of them got no message.
    assert (card["treated"], card["treated"] + card["held_out"]) == (planned.count(), len(people))
    assert planned.filter(sent_at=None).exists()
    assert "as_planned" in card["limitations"]
    assert version.kind in {"t", "x", "class"}
    again = trained(analyst, now + timedelta(minutes=1))
    assert again.digest == version.digest


def test_h9_without_an_effect_that_differs_there_is_no_usable_ranking_and_no_approval(
    analyst, approver, actor, now
):
    people, warmth = make_warm_people(PEOPLE, now=now)
    make_campaign(people, warmth, actor=actor, now=now, is_null=True)
    version = trained(analyst, now)
    measured = artefacts.read_version(version).measured
    assert measured["verdict"] == RankingVerdict.NO_USABLE_RANKING
    # Where the measured part alone looks well by chance, the other part does not confirm it.
    assert measured["worth"]["qini_per_thousand"]["low"] <= 0 or not measured["is_confirmed"]
    with pytest.raises(ModelRefused, match="No usable ranking"):
        life.approve_version(actor=approver, version_id=version.pk, now=now)
    with pytest.raises(ModelRefused):
        life.promote_version(actor=approver, version_id=version.pk, now=now)
    assert ModelVersion.objects.get().state == VersionState.CANDIDATE


def test_rows_are_looked_at_from_the_freeze_and_once_a_person(planted, actor, now):
    people, _uplift = planted
    Customer.objects.filter(pk=people[0].pk).update(personalisation_allowed=False)
    refused = Message.objects.filter(customer__in=people[1:41])
    refused.update(state="skipped", reason="no_consent", sent_at=None)
    # A second run, half of it held out, in which everybody is once more.
    make_campaign(
        people, np.zeros(PEOPLE), actor=actor, now=now + timedelta(days=1), slug="later",
        holdout=0.5,
    )  # fmt: skip
    seen = targets.load_observations(CHOICES, as_of=now + timedelta(days=1))
    frozen = Message.objects.filter(dispatch__campaign__slug="trial").first().planned_at
    later = Message.objects.filter(dispatch__campaign__slug="later").first().planned_at
    times = {features.moment_of(int(t)) for t in np.unique(seen.times)}
    assert times == {frozen, later}, "whom the first refused is of the second"
    assert seen.excluded[Exclusion.NOT_ELIGIBLE] == 40
    assert seen.excluded[Exclusion.NO_PERSONALISATION] == 2
    assert seen.excluded[Exclusion.LATER_RUN] == PEOPLE - 41
    assert 0 < seen.excluded[Exclusion.EVENED_OUT] < 40
    assert len(set(seen.customer_ids.tolist())) == len(seen.customer_ids)

    early = targets.load_observations(CHOICES, as_of=frozen + timedelta(days=3))
    assert early.outcome.size == 0
    assert early.excluded[Exclusion.IMMATURE] > 0
    named = replace(CHOICES, campaign="nothing")
    assert targets.load_observations(named, as_of=now).outcome.size == 0


def test_a_refusal_in_either_group_leaves_both_alike(planted, now):
    people, _uplift = planted
    for is_control in (True, False):
        row = Message.objects.filter(is_control=is_control).first()
        Message.objects.filter(pk=row.pk).update(state="skipped", reason="no_consent")
    seen = targets.load_observations(CHOICES, as_of=now)
    assert seen.excluded[Exclusion.NOT_ELIGIBLE] == 2
    assert seen.outcome.size == len(people) - 2


def test_s50_everybody_is_scored_by_the_champion_with_its_version(
    champion, planted, approver, actor, now
):
    people, uplift = planted
    run = scoring.score_model(actor=actor, model_id=champion.model_id, now=now)
    assert (run.people, run.is_bad, run.is_written) == (PEOPLE, False, True)
    rows = {
        row.customer_id: row for row in Score.objects.filter(model_name="uplift", is_latest=True)
    }
    said = np.array([float(rows[person.pk].value) for person in people])
    assert np.corrcoef(said, uplift)[0, 1] > 0.8
    assert said.min() < 0 < said.max()
    assert {row.version for row in rows.values()} == {champion.label}
    best = [float(row.value) for row in rows.values() if row.band == "1"]
    assert min(best) >= max(float(row.value) for row in rows.values() if row.band == "5")
    standing = ScoreStanding.objects.get(model_name="uplift")
    assert (standing.state, standing.is_for_marketing) == (ScoreState.IN_USE, True)

    told = explaining.explain(
        actor=approver,
        version=champion,
        external_id=people[int(said.argmin())].external_id,
        now=now,
    )
    assert told.probability == pytest.approx(said.min(), abs=1e-6)
    assert told.reasons[0][0] == "attribute.warmth"


def test_f69_drift_of_a_column_halts_the_score(champion, actor, now):
    assert scoring.score_model(actor=actor, model_id=champion.model_id, now=now).is_written
    # A value without a time of its own counts from the database's clock on, long after these days.
    AttributeValue.objects.update(
        number=F("number") + 100, updated_at=F("updated_at") + timedelta(minutes=1)
    )
    for day in (1, 2):
        later = now + timedelta(days=day)
        assert scoring.score_model(actor=actor, model_id=champion.model_id, now=later).is_bad
    assert RegisteredModel.objects.get().halt_reason == HaltReason.DRIFT


def test_f67_a_changed_artefact_scores_nobody(champion, actor, now):
    content = json.loads(champion.content)
    content["line"]["average"] = 0.9
    ModelVersion.objects.update(content=json.dumps(content))
    with pytest.raises(StoredModelChanged):
        artefacts.read_version(ModelVersion.objects.get())
    assert scoring.score_model(actor=actor, model_id=champion.model_id, now=now) is None
    assert RegisteredModel.objects.get().halt_reason == HaltReason.CHANGED


def test_s83_a_challenger_needs_a_reason_and_the_champion_comes_back(
    champion, planted, analyst, approver, actor, now
):
    second = trained(analyst, now, replace(CHOICES, seed=2))
    assert second.comparison["reasons"] == ["not_comparable"], "there is nothing new yet"
    life.approve_version(actor=approver, version_id=second.pk, now=now)
    with pytest.raises(ModelRefused, match="say why"):
        life.promote_version(actor=approver, version_id=second.pk, now=now)

    # A new campaign has been over for its window since: people of neither training.
    later = now + timedelta(days=60)
    people, warmth = make_warm_people(400, now=later, seed=6, prefix="n")
    make_campaign(people, warmth, actor=actor, now=later, slug="next")
    (judged,) = comparing.compare_versions(actor=actor, model_id=champion.model_id, now=later)
    assert judged.comparison["rows"] == len(people)
    assert judged.comparison["champion"] == champion.label
    assert judged.comparison["reasons"] == ["not_clearly_better"]

    why = "It learned with another seed."
    life.promote_version(actor=approver, version_id=second.pk, now=now, reason=why)
    back = life.roll_back(actor=approver, model_id=champion.model_id, now=now)
    assert back.pk == champion.pk


def test_too_few_held_out_say_what_would_help(analyst, actor, now):
    people, warmth = make_warm_people(60, now=now)
    make_campaign(people, warmth, actor=actor, now=now, holdout=0.05)
    run = trainings.start_training(actor=analyst, choices=CHOICES, now=now)
    trainings.run(work_id=run.work_id, now=now)
    run.work.refresh_from_db()
    assert run.work.state == WorkState.FAILED
    assert "Hold out a larger share" in run.work.last_error or "too few" in run.work.last_error


def test_h22_a_targeting_takes_the_champions_uplift_and_says_which_version(
    champion, actor, now, approver
):
    make_channel("sms", cost_per_part="0.045")
    data = {
        "slug": "spring",
        "name": "Spring",
        "whom": {"segment": ""},
        "scores": {},
        "offers": [{"slug": "cash", "name": "Cash", "margin": 100}],
        "channels": [{"channel": "sms-memory"}],
        "caps": {},
    }
    assert targeting_runs.with_champion(data, now=now) == data, "nobody is scored yet"
    scoring.score_model(actor=actor, model_id=champion.model_id, now=now)
    run = targeting_runs.start_run(actor=_of_role(Role.MARKETER), data=data, now=now)
    assert run.spec["scores"]["uplift"] == "uplift"
    targeting_runs.run(work_id=run.work_id, now=now)
    run.refresh_from_db()
    given = run.result["scores"]["uplift"]
    assert given["version"] == champion.label
    assert run.result["left_out"]["sleeping"] > 0
    told = dict(result.choices(run))["Score of the uplift"]
    assert champion.label in told

    none = {**data, "scores": {"uplift": "", "response": "uplift"}}
    assert targeting_runs.with_champion(none, now=now) == none
    life.retire_version(actor=approver, version_id=champion.pk, now=now)
    assert targeting_runs.with_champion(data, now=now) == data
