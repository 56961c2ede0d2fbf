"""A campaign states the version of each score it uses, and none that must not choose people."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.domain.sending.states import HoldReason
from campaigns.models import Campaign
from campaigns.services.campaigns import authoring, fairness, launch, recurring, score_use
from campaigns.services.campaigns.score_use import ScoreNotUsable
from customers.domain.score_standing import ScoreFault, ScoreState
from customers.models import ScoreStanding
from customers.services import scores
from customers.services.scores import GivenScore
from customers.services.segments import versions
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_channel, spec, submit_and_approve
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

LIKELY = {
    "combinator": "and",
    "rules": [{"field": "score.response", "operator": ">=", "value": 0.5}],
}


def stand(actor, now, **changes):
    facts = {
        "model_name": "response",
        "version": "v3-abc",
        "state": ScoreState.IN_USE,
        "scored_at": now,
        "stale_after_days": 30,
        "is_for_marketing": True,
    }
    return scores.record_standing(actor=actor, now=now, **{**facts, **changes})


@pytest.fixture
def draft(now, actor):
    people = make_people(4)
    scores.record_scores(
        actor=actor,
        model_name="response",
        version="v3-abc",
        scores=[GivenScore(person.pk, Decimal("0.8")) for person in people],
        now=now,
    )
    make_channel()

    def make(rule=LIKELY, **changes):
        source = spec(segment={"rule": rule}, **changes)
        return authoring.create_campaign(source=source, actor=actor, now=now)

    return make


FAULTS = [
    ({"state": ScoreState.HALTED}, ScoreFault.HALTED),
    ({"state": ScoreState.RETIRED}, ScoreFault.RETIRED),
    ({"state": ScoreState.SHADOW}, ScoreFault.SHADOW),
    ({"is_for_marketing": False}, ScoreFault.RISK_ONLY),
    ({"scored_at": timedelta(days=-31)}, ScoreFault.STALE),
]


@pytest.mark.parametrize(("changes", "fault"), FAULTS, ids=[fault for _c, fault in FAULTS])
def test_h20_a_score_that_may_not_choose_blocks_submit_and_launch(
    draft, actor, now, changes, fault
):
    if "scored_at" in changes:
        changes = {"scored_at": now + changes["scored_at"]}
    campaign = draft()
    stand(actor, now, **changes)
    with pytest.raises(ScoreNotUsable) as refusal:
        authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    assert refusal.value.facts["scores"] == [("response", fault.value)]
    assert "v3-abc" in refusal.value.message

    ScoreStanding.objects.all().delete()
    stand(actor, now)
    submit_and_approve(campaign, actor, now)
    stand(actor, now, **changes)
    with pytest.raises(ScoreNotUsable):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    assert Campaign.objects.get(pk=campaign.pk).dispatches.count() == 0


def test_h20_a_usable_score_passes_and_its_version_is_stated(draft, actor, now, admin_client):
    campaign = draft()
    stand(actor, now)
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)

    entry = AuditEntry.objects.filter(action="campaign.running").get()
    assert entry.facts["score_versions"] == {"response": "v3-abc"}
    page = admin_client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    assert "v3-abc" in page.content.decode()


def test_h20_a_score_behind_another_segment_is_seen_and_one_from_outside_is_not_watched(
    draft, actor, now
):
    inner = draft(slug="inner").segment
    outer = draft(
        slug="outer",
        rule={
            "combinator": "and",
            "rules": [{"field": "segment", "operator": "=", "value": inner.slug}],
        },
    )
    (use,) = score_use.scores_of(outer, now=now)
    assert (use.model_name, use.standing, use.fault) == ("response", None, None)
    stand(actor, now, state=ScoreState.HALTED)
    (use,) = score_use.scores_of(outer, now=now)
    assert use.fault is ScoreFault.HALTED


def test_h20_a_run_again_is_held_while_its_score_is_halted(draft, actor, now):
    campaign = draft(
        schedule={"start_at": now.isoformat(), "repeat": {"every": "day", "interval": 1}}
    )
    stand(actor, now)
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    stand(actor, now, state=ScoreState.HALTED)
    campaign.refresh_from_db()
    for run in campaign.dispatches.all():
        run.status = "completed"
        run.save(update_fields=["status"])

    assert recurring.start_run(campaign=campaign, now=campaign.next_run_at) is None
    campaign.refresh_from_db()
    assert campaign.run_hold_reason == HoldReason.SCORE_NOT_USABLE


def test_nobody_scored_yet_has_no_standing(actor, now):
    assert stand(actor, now, scored_at=None, state=ScoreState.HALTED) is None
    assert not ScoreStanding.objects.exists()


def test_h20_a_list_that_a_model_made_counts_as_its_choice(draft, actor, now):
    people = make_people(2, prefix="x")
    made = versions.replace_members(
        actor=actor,
        slug="targeted",
        name="targeted",
        customer_ids=[person.pk for person in people],
        source="targeting@1",
        now=now,
    )
    fairness.record_model_audience(
        actor=actor,
        segment=made,
        base=None,
        source="targeting@1",
        score_models=["response"],
        now=now,
    )
    stand(actor, now, state=ScoreState.HALTED)
    campaign = draft(
        rule={
            "combinator": "and",
            "rules": [{"field": "segment", "operator": "=", "value": "targeted"}],
        }
    )
    with pytest.raises(ScoreNotUsable):
        authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
