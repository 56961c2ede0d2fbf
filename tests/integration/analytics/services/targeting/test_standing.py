"""A targeting asks of every score whether it may choose people: at the start, and when writing."""

from datetime import timedelta

import pytest
from django.utils import translation

from analytics.models import TargetingRun
from analytics.services.targeting import runs
from campaigns.models import ModelAudience
from campaigns.services.campaigns.score_use import ScoreNotUsable
from customers.domain.score_standing import ScoreState
from customers.models import ScoreStanding
from customers.services import scores
from loancrm.kernel.work import service
from tests.factories.campaigns import make_channel
from tests.integration.analytics.services.targeting.test_runs import (
    description,
    finished,
    population,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
FAULTS = [
    ({"state": ScoreState.HALTED}, "halted", "停用"),
    ({"state": ScoreState.RETIRED}, "retired", "停用"),
    ({"state": ScoreState.SHADOW}, "challenger", "挑战"),
    ({"stale_after_days": 3}, "too old", "太旧"),
    ({"is_for_marketing": False}, "for risk only", "风控"),
]


@pytest.fixture(autouse=True)
def _scene(monkeypatch, db, now):
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    population(now)
    make_channel("sms", cost_per_part="0.045")


@pytest.fixture
def stand(actor, now):
    def given(model, **changes):
        facts = {
            "version": "v7", "state": ScoreState.IN_USE, "scored_at": now - timedelta(days=5),
            "stale_after_days": 30, "is_for_marketing": True,
        }  # fmt: skip
        scores.record_standing(actor=actor, model_name=model, now=now, **{**facts, **changes})

    return given


@pytest.mark.parametrize(("changes", "english", "_chinese"), FAULTS)
def test_a_score_that_may_not_choose_people_starts_no_targeting(
    stand, actor, now, changes, english, _chinese
):
    stand("pd", **changes)
    with translation.override("en"), pytest.raises(ScoreNotUsable) as error:
        runs.start_run(actor=actor, data=description(), now=now)
    assert english in str(error.value.message)
    assert "v7" in str(error.value.message)
    assert not TargetingRun.objects.exists()


@pytest.mark.parametrize(("changes", "english", "_chinese"), FAULTS)
def test_what_became_unusable_before_the_worker_began_is_refused_in_both_languages(
    stand, actor, now, changes, english, _chinese
):
    stand("up")
    run = runs.start_run(actor=actor, data=description(), now=now)
    stand("up", **changes)
    told = {}
    finished(run, now, actor)
    for language in ("en", "zh-hans"):
        with translation.override(language):
            row = TargetingRun.objects.select_related("work").get(pk=run.pk)
            told[language] = str(row.work.last_error)
    assert (row.work.state, row.result) == ("failed", {})
    assert english in told["en"]
    assert "现在不能" in told["zh-hans"] or "评分" in told["zh-hans"]
    assert not ModelAudience.objects.exists()


def test_a_model_that_is_halted_while_the_choice_is_made_writes_no_list(
    stand, actor, now, monkeypatch
):
    stand("up")
    compare = runs.compare

    def meanwhile(**given):
        ScoreStanding.objects.update(state=ScoreState.HALTED.value)
        return compare(**given)

    monkeypatch.setattr(runs, "compare", meanwhile)
    run = runs.start_run(actor=actor, data=description(), now=now)
    with translation.override("en"):
        run = finished(run, now, actor)
        assert "halted" in str(run.work.last_error)
    assert (run.work.state, run.result) == ("failed", {})
    assert not ModelAudience.objects.exists()


def test_scores_that_stand_and_scores_from_outside_are_used(stand, actor, now):
    stand("up")
    run = finished(runs.start_run(actor=actor, data=description(), now=now), now, actor)
    assert run.work.state == "done"
