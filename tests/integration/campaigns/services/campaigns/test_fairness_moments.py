"""When the check of fairness binds: at the approval, and of the very people who were frozen."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.domain.campaigns.fairness import FairnessAttribute
from campaigns.domain.sending.states import HoldReason
from campaigns.models import Approval, FairnessOverride
from campaigns.services.campaigns import approval, authoring, fairness, launch, recurring
from campaigns.services.campaigns.fairness import AudienceUnfair
from campaigns.services.campaigns.fairness_overrides import request_override
from campaigns.services.campaigns.score_use import ScoreNotUsable
from customers.domain.score_standing import ScoreState
from customers.models import Segment
from customers.services import scores
from customers.services.segments import versions
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import make_channel, spec, submit_and_approve
from tests.factories.people import make_people
from tests.factories.scored import give_scores
from tests.integration.campaigns.services.campaigns.test_fairness import (
    ABOVE_HALF,
    REASON,
    as_role,
    draft,
    planted,
)

__all__ = ["as_role", "draft"]
pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "target-spring-cash"


def listed(actor, now, people):
    """A list that a targeting chose from everybody of the city."""
    if not Segment.objects.filter(slug="city").exists():
        rule = {"combinator": "and", "rules": [ABOVE_HALF["rules"][0]]}
        versions.create_segment(actor=actor, slug="city", name="c", rule=rule, now=now)
    segment = versions.replace_members(
        actor=actor,
        slug=LIST,
        name="l",
        customer_ids=[one.pk for one in people],
        source="targeting:1",
        now=now,
    )
    fairness.record_model_audience(
        actor=actor,
        segment=segment,
        base=Segment.objects.get(slug="city"),
        source="targeting:1",
        score_models=["take"],
        now=now,
    )


def campaign_of_list(actor, now):
    make_channel()
    return authoring.create_campaign(source=spec(segment=LIST), actor=actor, now=now)


def approve(campaign, approver, now):
    return approval.approve_campaign(
        campaign=campaign,
        seen_digest=approval.campaign_digest(campaign),
        actor=approver,
        now=now,
    )


def test_a_list_that_was_replaced_after_the_submission_is_not_approved(actor, as_role, now):
    men, women = planted(now, ratio=1.0)
    listed(actor, now, [*men[:200], *women[:200]])
    campaign = campaign_of_list(actor, now)
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    listed(actor, now, [*men[:200], *women[:140]])
    approver = as_role(Role.APPROVER)
    with pytest.raises(AudienceUnfair) as error:
        approve(campaign, approver, now)
    assert error.value.facts["groups"] == [("gender", "female", 0.7)]
    assert not Approval.objects.exists()
    listed(actor, now, [*men[:200], *women[:200]])
    approve(campaign, approver, now)


def test_a_model_that_was_halted_after_the_submission_is_not_approved(actor, as_role, now):
    men, women = planted(now, ratio=1.0)
    listed(actor, now, [*men[:200], *women[:200]])
    campaign = campaign_of_list(actor, now)
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    scores.record_standing(
        actor=actor,
        model_name="take",
        version="v1",
        state=ScoreState.HALTED,
        scored_at=now,
        stale_after_days=30,
        is_for_marketing=True,
        now=now,
    )
    with pytest.raises(ScoreNotUsable):
        approve(campaign, as_role(Role.APPROVER), now)


def test_the_very_people_who_are_frozen_are_measured(actor, now, monkeypatch):
    """An unfair list is frozen, and a fair one stands there again when the launch looks."""
    men, women = planted(now, ratio=1.0)
    fair, unfair = [*men[:200], *women[:200]], [*men[:200], *women[:140]]
    listed(actor, now, fair)
    campaign = campaign_of_list(actor, now)
    submit_and_approve(campaign, actor, now)
    freeze = launch.freeze_first_step

    def meanwhile(**given):
        listed(actor, now, unfair)
        dispatch = freeze(**given)
        listed(actor, now, fair)
        return dispatch

    monkeypatch.setattr(launch, "freeze_first_step", meanwhile)
    with pytest.raises(AudienceUnfair) as error:
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    assert error.value.facts["groups"] == [("gender", "female", 0.7)]
    campaign.refresh_from_db()
    assert (campaign.status, campaign.dispatches.count()) == ("approved", 0)


def test_who_left_the_list_after_the_freeze_still_counts(actor, now):
    men, women = planted(now, ratio=1.0)
    listed(actor, now, [*men[:200], *women[:200]])
    campaign = campaign_of_list(actor, now)
    submit_and_approve(campaign, actor, now)
    dispatch = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    found = fairness.measure(campaign, now=now, frozen=dispatch)
    assert (found.audience, found.base) == (400, 800)
    listed(actor, now, men[:10])
    still = fairness.measure(campaign, now=now, frozen=dispatch)
    assert (still.audience, still.base, still.ratios) == (400, 800, found.ratios)


def test_a_later_run_is_measured_by_its_own_rule_and_can_be_agreed_to(draft, actor, as_role, now):
    """The segment may get another rule meanwhile: a run goes by the one that was frozen."""
    _men, women = planted(now, ratio=1.0)
    campaign = draft(schedule={"start_at": now.isoformat(), "repeat": {"every": "week"}})
    submit_and_approve(campaign, actor, now)
    first = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    first.messages.update(state="sent", sent_at=now, attempted_at=now)
    first.chunks.update(state="done")
    campaign.dispatches.update(status="completed", completed_at=now)
    by_city = {"combinator": "and", "rules": [ABOVE_HALF["rules"][0]]}
    versions.publish_version(actor=actor, segment=campaign.segment, rule=by_city, now=now)
    give_scores(women[:60], "take", lambda _at: 0.1, now)

    campaign.refresh_from_db()
    assert recurring.start_run(campaign=campaign, now=now + timedelta(days=7, minutes=5)) is None
    campaign.refresh_from_db()
    assert campaign.run_hold_reason == HoldReason.UNFAIR_AUDIENCE
    row = request_override(campaign=campaign, reason=REASON, actor=as_role(Role.MARKETER), now=now)
    assert row.segment_version_id == first.segment_version_id
    assert FairnessOverride.objects.count() == 1


def test_the_page_tells_the_lowest_against_the_highest_share(draft, as_role, now):
    planted(now, ratio=0.7)
    make_people(40, prefix="y", city="上海", gender="")
    campaign = draft()
    found = fairness.measure(campaign, now=now)
    assert found.parity[FairnessAttribute.GENDER] == pytest.approx(0.7)
    client = Client(headers={"accept-language": "en"})
    client.force_login(as_role(Role.MARKETER).user)
    page = client.get(reverse("admin:campaigns_campaign_fairness", args=[campaign.pk]))
    assert ("Gender", "0.70") in page.context["lowest"]
    assert "Lowest against highest share" in page.content.decode()
