"""The pages of models: empty, a training, a result, decisions, a comparison."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.domain.modelling.life.choices import ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.lifecycle import VersionState
from analytics.domain.modelling.trained import load_model
from analytics.models import ModelVersion, RegisteredModel, TrainingRun
from analytics.services.modelling import life, scoring, training_runs
from customers.models import Customer
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.roles import ensure_roles
from loancrm.kernel.work import service
from tests.factories.book_to_learn import make_book
from tests.factories.campaign_to_learn import make_campaign, make_warm_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    monkeypatch.setattr(life, "enqueue", lambda *_job, **_facts: None)


def signed_in(role, language="en"):
    ensure_roles()
    user, _created = User.objects.get_or_create(username=f"one-{role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def text_of(client, name, *args, **query):
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_s83_from_an_empty_page_over_a_training_to_a_champion_and_a_comparison(now):
    analyst, approver = signed_in(Role.ANALYST), signed_in(Role.APPROVER)
    assert "No model yet" in text_of(analyst, "models:index")
    assert "Train a model" not in text_of(approver, "models:index")
    make_book(400, now=now)
    start = reverse("models:start", args=["default_risk"])
    assert approver.get(start).status_code == 403
    form = {"kind": "scorecard", "threshold_days": "90", "months": "6", "seed": "1"}
    page = analyst.post(start, form, follow=True)
    assert "Progress" in page.content.decode()
    run = TrainingRun.objects.get()
    training_runs.run(work_id=run.work_id, now=now)
    version = ModelVersion.objects.get()

    page = analyst.get(reverse("models:training", args=[run.pk]))
    assert page.url == reverse("models:version", args=[version.pk])
    shown = text_of(approver, "models:version", version.pk, person="b3")
    for words in ("AUC", "KS", "Model card", "monthly income", "WOE", "Approve", "Points as CSV"):
        assert words in shown
    person = Customer.objects.get(external_id="b3")
    assert reverse("admin:customers_customer_change", args=[person.pk]) in shown
    csv = approver.get(reverse("models:points", args=[version.pk])).content.decode("utf-8-sig")
    assert csv.splitlines()[0] == "Column,Bin,Rows,Cases,WOE,Points,Whole points"
    assert len(csv.splitlines()) > 5
    bound = load_model(version.content).scorecard.rounding_bound
    told = f"Whole points add up to within {bound:g} points of the score."
    assert csv.splitlines()[-1] == told
    assert f"add up to within {bound:g} points of the score" in shown

    decide = reverse("models:decide", args=[version.pk])
    refused = analyst.post(decide, {"what": "approve"}, follow=True)
    assert ModelVersion.objects.get().state == VersionState.CANDIDATE
    assert refused.status_code == 200
    approver.post(decide, {"what": "approve"})
    approver.post(decide, {"what": "promote"})
    assert ModelVersion.objects.get().state == VersionState.CHAMPION

    _compare(version, approver, now)


def _compare(version, approver, now):
    actor = system_actor("test")
    second = training_runs.start_training(
        actor=user_actor(User.objects.get(username="one-analyst")),
        choices=replace(TrainingChoices(ModelPurpose.DEFAULT_RISK, months=6), seed=4),
        now=now,
    )
    training_runs.run(work_id=second.work_id, now=now)
    other = ModelVersion.objects.get(number=2)
    there = reverse("models:decide", args=[other.pk])
    approver.post(there, {"what": "approve"})
    shown = text_of(approver, "models:version", other.pk)
    for words in ("Against the champion", version.label, "Why against the rule", "AUC, more: "):
        assert words in shown
    approver.post(there, {"what": "promote"})
    assert ModelVersion.objects.get(number=2).state == VersionState.APPROVED
    approver.post(there, {"what": "challenge", "share": "10"})
    scoring.score_model(actor=actor, model_id=version.model_id, now=now)
    shown = text_of(approver, "models:compare", version.model_id)
    assert "Expected profit" in shown
    fair = text_of(approver, "models:fairness", version.model_id)
    assert "Impact ratio" in fair
    assert "Female" in fair
    model_page = text_of(approver, "models:model", version.model_id)
    assert "Drift since the training" in model_page
    assert "Challenger" in model_page


def test_f67_a_swapped_artefact_is_shown_as_such_and_nothing_of_it(now):
    analyst, approver = signed_in(Role.ANALYST), signed_in(Role.APPROVER)
    make_book(120, now=now)
    run = training_runs.start_training(
        actor=user_actor(User.objects.get(username="one-analyst")),
        choices=TrainingChoices(ModelPurpose.DEFAULT_RISK, months=6),
        now=now,
    )
    training_runs.run(work_id=run.work_id, now=now)
    version = ModelVersion.objects.get()
    ModelVersion.objects.update(card={**version.card, "rows": 1_000_000})

    shown = text_of(analyst, "models:version", version.pk)
    assert "was changed after its training and is not used" in shown
    assert "AUC" not in shown
    assert "changed after its training" in text_of(analyst, "models:model", version.model_id)
    answer = approver.post(
        reverse("models:decide", args=[version.pk]), {"what": "approve"}, follow=True
    )
    assert "was changed after its training" in answer.content.decode()
    assert ModelVersion.objects.get().state == VersionState.CANDIDATE
    assert approver.get(reverse("models:points", args=[version.pk])).status_code == 409


def test_the_schedule_is_set_by_who_trains_and_marketing_decided_by_who_approves(now):
    analyst, approver = signed_in(Role.ANALYST), signed_in(Role.APPROVER)
    model = RegisteredModel.objects.create(
        name="response", purpose="response", created_at=now, is_for_marketing=True
    )
    steer = reverse("models:steer", args=[model.pk])
    asked = {
        "what": "schedule",
        "score_every_days": "7",
        "retrain_days": "90",
        "stale_after_days": "14",
    }
    approver.post(steer, asked)
    model.refresh_from_db()
    assert model.retrain_days == 0
    analyst.post(steer, asked)
    analyst.post(
        steer, {"what": "marketing", "is_allowed": "0", "reason": "Not before the review."}
    )
    model.refresh_from_db()
    assert (model.score_every_days, model.retrain_days, model.is_for_marketing) == (7, 90, True)
    approver.post(
        steer, {"what": "marketing", "is_allowed": "0", "reason": "Not before the review."}
    )
    model.refresh_from_db()
    assert not model.is_for_marketing


@pytest.mark.parametrize("purpose", [purpose.value for purpose in ModelPurpose])
def test_every_purpose_can_be_started_with_what_its_form_shows(purpose, now):
    analyst = signed_in(Role.ANALYST)
    page = analyst.get(reverse("models:start", args=[purpose]))
    form = page.context["form"]
    posted = {
        name: field.initial for name, field in form.fields.items() if field.initial is not None
    }
    analyst.post(reverse("models:start", args=[purpose]), posted)
    run = TrainingRun.objects.get()
    assert run.model.name == purpose
    training_runs.run(work_id=run.work_id, now=now)
    run = TrainingRun.objects.select_related("work").get()
    assert run.work.last_error
    assert run.work.last_error in text_of(analyst, "models:training", run.pk).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("No usable ranking", "Qini curve", "Sleeping dogs", "Each group by itself")),
        ("zh-hans", ("没有可用的排序", "Qini 曲线", "沉睡的狗", "组内各自排序")),
    ],
)
def test_h9_a_version_of_uplift_shows_whether_and_how_it_ranks(now, actor, language, words):
    analyst, approver = signed_in(Role.ANALYST), signed_in(Role.APPROVER, language)
    people, warmth = make_warm_people(600, now=now)
    make_campaign(people, warmth, actor=actor, now=now, is_null=True)
    page = text_of(analyst, "models:start", "uplift")
    assert "trial" in page
    analyst.post(reverse("models:start", args=["uplift"]), {"seed": "1", "campaign": "trial"})
    run = TrainingRun.objects.get()
    training_runs.run(work_id=run.work_id, now=now)
    version = ModelVersion.objects.get()
    shown = text_of(approver, "models:version", version.pk, person="w3")
    for one in words:
        assert one in shown
    approver.post(reverse("models:decide", args=[version.pk]), {"what": "approve"})
    assert ModelVersion.objects.get().state == VersionState.CANDIDATE
    assert approver.get(reverse("models:points", args=[version.pk])).status_code == 404
    text_of(approver, "models:model", version.model_id)
    text_of(approver, "models:compare", version.model_id)
