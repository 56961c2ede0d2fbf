"""A campaign whose people a model chooses: measured, blocked, and let pass by two people only."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.domain.campaigns.fairness import FairnessAttribute, GroupFinding
from campaigns.domain.sending.states import HoldReason
from campaigns.models import Campaign, FairnessOverride
from campaigns.services.campaigns import authoring, fairness, launch, recurring
from campaigns.services.campaigns.fairness import AudienceUnfair
from campaigns.services.campaigns.fairness_overrides import (
    FairnessOverrideRefused,
    confirm_override,
    request_override,
)
from customers.models import Segment
from customers.services.segments import versions
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from tests.factories.campaigns import make_channel, spec, submit_and_approve
from tests.factories.people import make_people
from tests.factories.scored import give_scores

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

ABOVE_HALF = {
    "combinator": "and",
    "rules": [
        {"field": "city", "operator": "=", "value": "上海"},
        {"field": "score.take", "operator": ">=", "value": 0.5},
    ],
}
REASON = "Agreed with the regulator on 2 March."


def planted(now, *, ratio, each=400):
    """Half of all men are chosen, and `ratio` times as many women; elsewhere lives nobody."""
    men = make_people(each, prefix="m", gender="male", city="上海")
    women = make_people(each, prefix="f", gender="female", city="上海")
    make_people(40, prefix="x", city="北京")
    chosen = round(each * 0.5 * ratio)
    give_scores([*men, *women], "take", lambda at: _score(at, each, chosen), now)
    return men, women


def _score(at, each, chosen):
    is_in = at % 2 == 0 if at < each else at - each < chosen
    return 0.9 if is_in else 0.1


@pytest.fixture
def draft(now, actor):
    def make(rule=ABOVE_HALF, **changes):
        make_channel()
        source = spec(segment={"rule": rule}, **changes)
        return authoring.create_campaign(source=source, actor=actor, now=now)

    return make


@pytest.fixture
def as_role():
    ensure_roles()

    def user_of(role, name=""):
        user = User.objects.create_user(name or f"one-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user_actor(user)

    return user_of


def of_gender(campaign, now):
    found = fairness.measure(campaign, now=now)
    return found, {one.group: one for one in found.ratios[FairnessAttribute.GENDER]}


def test_d20_a_planted_impact_ratio_of_0_7_blocks_submit_and_launch(draft, actor, now):
    planted(now, ratio=0.7)
    campaign = draft()

    found, rows = of_gender(campaign, now)
    assert (found.audience, found.base) == (340, 800)
    assert rows["female"].ratio == pytest.approx(0.7)
    assert rows["female"].finding is GroupFinding.UNFAIR
    assert rows["male"].finding is GroupFinding.REFERENCE
    with pytest.raises(AudienceUnfair) as error:
        authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    assert "0.70" in str(error.value.message)
    assert error.value.facts["groups"] == [("gender", "female", 0.7)]
    campaign.refresh_from_db()
    assert campaign.status == "draft"
    # The model leans the same way: women score lower.
    difference = found.differences["take"][FairnessAttribute.GENDER][0]
    assert difference.group == "female"
    assert difference.high < 0


def test_what_became_unfair_after_the_approval_is_not_launched(draft, actor, now):
    _men, women = planted(now, ratio=1.0)
    campaign = draft()
    submit_and_approve(campaign, actor, now)
    give_scores(women[:60], "take", lambda _at: 0.1, now)

    with pytest.raises(AudienceUnfair):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.dispatches.count()) == ("approved", 0)


@pytest.mark.parametrize("ratio", [0.85, 1.0, 1.2])
def test_an_even_choice_is_launched_and_the_entry_tells_the_lowest_ratio(draft, actor, now, ratio):
    planted(now, ratio=ratio)
    campaign = draft()
    submit_and_approve(campaign, actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    entry = AuditEntry.objects.filter(action="campaign.running").latest("pk")
    assert entry.facts["lowest_impact_ratio"] == pytest.approx(min(ratio, 1 / ratio), abs=1e-3)


def test_few_people_are_not_judged_and_a_small_ratio_of_them_does_not_block(draft, actor, now):
    planted(now, ratio=0.5, each=28)
    campaign = draft()
    _found, rows = of_gender(campaign, now)
    assert {one.finding for one in rows.values()} == {GroupFinding.TOO_SMALL}
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)


def test_a_segment_without_a_model_is_not_measured(draft, actor, now):
    planted(now, ratio=0.5)
    rule = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "上海"}]}
    assert fairness.measure(draft(rule), now=now) is None


@pytest.mark.parametrize(
    ("leaf", "base"),
    [
        ({"field": "score.take", "operator": ">=", "value": 0.5}, 840),
        ({"combinator": "or", "rules": ABOVE_HALF["rules"]}, 840),
        (
            {
                "combinator": "and",
                "not": True,
                "rules": [{"field": "score.take", "operator": "<", "value": 0.5}],
            },
            840,
        ),
        (ABOVE_HALF, 800),
    ],
)
def test_the_base_is_whom_some_score_would_have_let_in(draft, now, leaf, base):
    planted(now, ratio=1.0)
    rule = leaf if "combinator" in leaf else {"combinator": "and", "rules": [leaf]}
    assert fairness.measure(draft(rule), now=now).base == base


def test_a_list_that_a_model_chose_is_measured_against_whom_it_was_chosen_from(draft, actor, now):
    men, women = planted(now, ratio=0.7)
    rule = {"combinator": "and", "rules": [ABOVE_HALF["rules"][0]]}
    base = versions.create_segment(actor=actor, slug="city", name="c", rule=rule, now=now)
    chosen = [one.pk for one in [*men[:200], *women[:140]]]
    listed = versions.replace_members(
        actor=actor, slug="list", name="l", customer_ids=chosen, source="targeting:1", now=now
    )
    fairness.record_model_audience(
        actor=actor, segment=listed, base=base, source="targeting:1", score_models=["take"], now=now
    )
    inside = {"combinator": "and", "rules": [
        {"field": "segment", "operator": "=", "value": "list"}
    ]}  # fmt: skip
    found, rows = of_gender(draft(inside), now)
    assert (found.audience, found.base) == (340, 800)
    assert rows["female"].finding is GroupFinding.UNFAIR
    assert list(found.differences) == ["take"]


def test_a_list_chosen_from_people_that_a_model_chose_is_measured_against_the_first(
    draft, actor, now
):
    """A fair choice among an unfair one is an unfair choice: steps between do not launder it."""
    men, women = planted(now, ratio=0.7)
    base = versions.create_segment(actor=actor, slug="above", name="a", rule=ABOVE_HALF, now=now)
    chosen = [one.pk for one in [*men[:400:2], *women[:140]]]
    for slug, source in (("first", base), ("second", "first")):
        listed = versions.replace_members(
            actor=actor, slug=slug, name=slug, customer_ids=chosen, source="t", now=now
        )
        of = Segment.objects.get(slug=source) if isinstance(source, str) else source
        fairness.record_model_audience(
            actor=actor, segment=listed, base=of, source="t", score_models=[slug], now=now
        )
    for slug in ("first", "second"):
        inside = {"combinator": "and", "rules": [
            {"field": "segment", "operator": "=", "value": slug}
        ]}  # fmt: skip
        found = fairness.measure_rule(inside, now=now)
        rows = {one.group: one for one in found.ratios[FairnessAttribute.GENDER]}
        assert (found.audience, found.base) == (340, 800)
        assert rows["female"].finding is GroupFinding.UNFAIR
    assert set(found.differences) == {"take", "first", "second"}


def test_a_list_that_is_chosen_from_itself_is_measured_against_everybody(actor, now):
    men, _women = planted(now, ratio=1.0)
    ids = [one.pk for one in men]
    listed = versions.replace_members(
        actor=actor, slug="own", name="o", customer_ids=ids, source="t", now=now
    )
    fairness.record_model_audience(
        actor=actor, segment=listed, base=listed, source="t", score_models=[], now=now
    )
    inside = {"combinator": "and", "rules": [
        {"field": "segment", "operator": "=", "value": "own"}
    ]}  # fmt: skip
    assert fairness.measure_rule(inside, now=now).base == 840


def test_d20_an_override_needs_a_reason_and_a_second_person_who_did_not_write(draft, as_role, now):
    planted(now, ratio=0.7)
    author = as_role(Role.MARKETER)
    make_channel()
    campaign = authoring.create_campaign(
        source=spec(segment={"rule": ABOVE_HALF}), actor=author, now=now
    )
    with pytest.raises(FairnessOverrideRefused, match=r"为什么|why"):
        request_override(campaign=campaign, reason="because", actor=author, now=now)
    row = request_override(campaign=campaign, reason=REASON, actor=author, now=now)
    with pytest.raises(AudienceUnfair):
        authoring.submit_for_review(campaign=campaign, actor=author, now=now)
    with pytest.raises(PermissionRefused):
        confirm_override(override_id=row.pk, actor=author, now=now)
    author.user.groups.add(Group.objects.get(name=Role.COMPLIANCE))
    again = user_actor(User.objects.get(pk=author.user.pk))
    with pytest.raises(FairnessOverrideRefused):
        confirm_override(override_id=row.pk, actor=again, now=now)

    second = as_role(Role.COMPLIANCE, "second")
    confirm_override(override_id=row.pk, actor=second, now=now)
    authoring.submit_for_review(campaign=campaign, actor=author, now=now)

    actions = AuditEntry.objects.filter(action__startswith="fairness_override.")
    assert list(actions.order_by("pk").values_list("action", "actor_label", "reason")) == [
        ("fairness_override.requested", author.label, REASON),
        ("fairness_override.confirmed", second.label, REASON),
    ]


def test_who_wrote_the_campaign_does_not_agree_to_what_another_asked_for(as_role, now):
    planted(now, ratio=0.7)
    make_channel()
    author, asking = as_role(Role.MARKETER), as_role(Role.COMPLIANCE, "asking")
    campaign = authoring.create_campaign(
        source=spec(segment={"rule": ABOVE_HALF}), actor=author, now=now
    )
    row = request_override(campaign=campaign, reason=REASON, actor=asking, now=now)
    author.user.groups.add(Group.objects.get(name=Role.COMPLIANCE))
    with pytest.raises(FairnessOverrideRefused):
        confirm_override(
            override_id=row.pk, actor=user_actor(User.objects.get(pk=author.user.pk)), now=now
        )
    assert FairnessOverride.objects.get().confirmed_at is None


def agreed(campaign, as_role, now):
    row = request_override(campaign=campaign, reason=REASON, actor=as_role(Role.MARKETER), now=now)
    confirm_override(override_id=row.pk, actor=as_role(Role.COMPLIANCE), now=now)


def test_an_override_does_not_cover_a_worse_ratio_or_another_rule(draft, actor, as_role, now):
    _men, women = planted(now, ratio=0.7)
    campaign = draft()
    agreed(campaign, as_role, now)
    fairness.require_fair(campaign, now=now)

    give_scores(women[:30], "take", lambda _at: 0.1, now)
    with pytest.raises(AudienceUnfair):
        fairness.require_fair(campaign, now=now)
    give_scores(women[:30], "take", lambda _at: 0.9, now)
    fairness.require_fair(campaign, now=now)
    segment = Segment.objects.get(pk=campaign.segment_id)
    other = {**ABOVE_HALF, "rules": [ABOVE_HALF["rules"][0], {
        "field": "score.take", "operator": ">", "value": 0.5
    }]}  # fmt: skip
    versions.publish_version(actor=actor, segment=segment, rule=other, now=now)
    with pytest.raises(AudienceUnfair):
        fairness.require_fair(Campaign.objects.get(pk=campaign.pk), now=now)


def test_the_page_shows_table_and_picture_and_takes_both_steps(draft, as_role, now):
    planted(now, ratio=0.7)
    campaign = draft()
    asking, second = as_role(Role.MARKETER), as_role(Role.COMPLIANCE)
    address = reverse("admin:campaigns_campaign_fairness", args=[campaign.pk])
    client = Client(headers={"accept-language": "en"})
    client.force_login(asking.user)
    page = client.get(address).content.decode()
    assert "Too rarely chosen" in page
    assert "<svg" in page
    assert "0.70" in page
    client.post(
        reverse("admin:campaigns_campaign_fairness_override", args=[campaign.pk]),
        {"reason": REASON},
    )
    row = FairnessOverride.objects.get()
    assert "Agree as the second person" not in client.get(address).content.decode()
    client.force_login(second.user)
    assert "Agree as the second person" in client.get(address).content.decode()
    client.post(reverse("admin:campaigns_campaign_fairness_confirm", args=[campaign.pk, row.pk]))
    row.refresh_from_db()
    assert row.confirmed_by_id == second.user.pk
    assert "Nothing stands in the way" in client.get(address).content.decode()
    chinese = Client(headers={"accept-language": "zh-hans"})
    chinese.force_login(second.user)
    assert "公平性" in chinese.get(address).content.decode()


def test_a_later_run_that_became_unfair_waits_for_a_person_and_sends_nothing(draft, actor, now):
    _men, women = planted(now, ratio=1.0)
    campaign = draft(schedule={"start_at": now.isoformat(), "repeat": {"every": "week"}})
    submit_and_approve(campaign, actor, now)
    first = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    first.messages.update(state="sent", sent_at=now, attempted_at=now)
    first.chunks.update(state="done")
    campaign.dispatches.update(status="completed", completed_at=now)
    give_scores(women[:60], "take", lambda _at: 0.1, now)

    campaign.refresh_from_db()
    assert recurring.start_run(campaign=campaign, now=now + timedelta(days=7, minutes=5)) is None
    campaign.refresh_from_db()
    assert campaign.run_hold_reason == HoldReason.UNFAIR_AUDIENCE
    assert campaign.dispatches.count() == 1


def test_h23_who_is_chosen_between_the_check_and_the_freeze_is_checked_too(
    draft, actor, now, monkeypatch
):
    """A model scores anew while the launch is under way."""
    men, women = planted(now, ratio=1.0)
    campaign = draft()
    submit_and_approve(campaign, actor, now)
    freeze = launch.freeze_first_step

    def meanwhile(**given):
        give_scores([*men, *women], "take", lambda at: _score(at, 400, 40), now)
        return freeze(**given)

    monkeypatch.setattr(launch, "freeze_first_step", meanwhile)
    with pytest.raises(AudienceUnfair):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.dispatches.count()) == ("approved", 0)
