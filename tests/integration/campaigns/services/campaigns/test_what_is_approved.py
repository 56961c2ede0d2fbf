"""An approval binds what was approved: whatever a recipient sees, or decides who receives."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet

from campaigns.channels import registry
from campaigns.channels.memory import MemoryChannel
from campaigns.models import (
    Approval,
    Budget,
    Campaign,
    Channel,
    ContentVersion,
    Dispatch,
    Message,
    Step,
    Variant,
)
from campaigns.selectors.sending import message_plan
from campaigns.services.campaigns import approval, authoring, launch, ticking
from campaigns.services.campaigns.approval import ApprovalRefused
from campaigns.services.campaigns.authoring import CampaignLocked
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from campaigns.services.sending import dispatch, providers
from customers.models import Customer, Product, Segment
from customers.services.segments import versions
from loancrm.kernel import roles
from loancrm.kernel.access import Actor, user_actor
from loancrm.kernel.models import Lease
from tests.factories import kept
from tests.factories.campaigns import (
    make_approved,
    make_approver,
    make_channel,
    make_launched,
    revise_text,
    spec,
    submit_and_approve,
)
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db

RATES = {
    "zh-hans": {
        "subject": "{{ campaign_name }}",
        "text": "{{ brand }}：{% for item in products %}{{ item.name }} 年化"
        "{{ item.annual_rate|percent }} {% endfor %}退订：{{ unsubscribe_url }}",
    }
}
_NO_LOGIN = {"event": "app_login", "aggregate": "count", "operator": "<", "value": "1"}
NESTED = {
    "combinator": "and",
    "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
}


def in_city(city: str) -> dict:
    return {
        "combinator": "and",
        "rules": [{"field": "city", "operator": "=", "value": city}],
    }


@pytest.fixture
def approved(actor, now) -> Campaign:
    kept.scene("approved with a fallback", lambda: _approve_with_fallback(actor, now))
    return Campaign.objects.get()


def _approve_with_fallback(actor: Actor, now: datetime) -> None:
    make_channel()
    Product.objects.create(code="calm", name_zh="安心借", annual_rate=Decimal("0.072"))
    versions.create_segment(slug="inner", name="inner", rule=in_city("杭州"), actor=actor, now=now)
    make_people(2)
    Customer.objects.update(city="杭州")
    make_approved(
        actor,
        now,
        content=RATES,
        segment={"slug": "outer", "rule": NESTED},
        budget_amount="10",
        fallback_channel="email-memory",
        fallback_content=RATES,
        fallback_after_minutes=30,
    )


def inner_rule() -> None:
    version = Segment.objects.get(slug="inner").current_version
    assert version is not None
    type(version).objects.filter(pk=version.pk).update(rule=in_city("上海"))


def _fallback() -> QuerySet[Step]:
    return Step.objects.filter(position=2)


CHANGES: dict[str, Callable[[], object]] = {
    "a text edited in its table": lambda: ContentVersion.objects.update(
        text="别的话 {{ products }} {{ unsubscribe_url }}"
    ),
    "a product's rate from 7.2 to 36 %": lambda: Product.objects.update(
        annual_rate=Decimal("0.36")
    ),
    "the campaign's name": lambda: Campaign.objects.update(name="另一个名字"),
    "the sender": lambda: Channel.objects.update(sender="别人 <x@other.example>"),
    "the channel's price": lambda: Channel.objects.update(cost_per_part=Decimal(9)),
    "the campaign's price": lambda: Campaign.objects.update(cost_per_message=Decimal(9)),
    "the backend": lambda: Channel.objects.update(backend="console"),
    "an option that says where to": lambda: Channel.objects.update(options={"host": "elsewhere"}),
    "the salt": lambda: Campaign.objects.update(experiment_salt=uuid4()),
    "a weight": lambda: Variant.objects.update(weight=7),
    "a nested segment's rule": inner_rule,
    "the start": lambda: Campaign.objects.update(start_at="2026-03-09T02:00:00Z"),
    "the budget": lambda: Budget.objects.update(limit_amount=Decimal(11)),
    "the control group": lambda: Campaign.objects.update(holdout_share=Decimal("0.1")),
    "the goal": lambda: Campaign.objects.update(goal_event="loan_disbursed"),
    "the days of the goal": lambda: Campaign.objects.update(goal_window_days=8),
    "how late it may begin": lambda: Campaign.objects.update(late_limit_hours=9),
    "the wait before the fallback": lambda: _fallback().update(wait_minutes=9),
    "whom the next step serves": lambda: _fallback().update(is_fallback=False),
    "the purpose": lambda: Campaign.objects.update(purpose="service", product_kind="service"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_c1_an_approval_no_longer_binds_after_a_change_of(name, approved, actor, now):
    assert approval.is_approved(approved)
    CHANGES[name]()
    assert not approval.is_approved(approved)
    with pytest.raises(CampaignNotReady):
        launch.launch_campaign(campaign=approved, actor=actor, now=now)
    assert not Dispatch.objects.exists()


def test_c1_the_brand_that_texts_name_is_part_of_the_approval(approved, settings):
    settings.LOANCRM_BRAND = "另一家公司"
    assert not approval.is_approved(approved)


def test_c1_how_fast_a_channel_is_asked_is_no_part_of_the_approval(approved):
    Channel.objects.update(options={"connections": 2}, rate_per_second=1)
    assert approval.is_approved(approved)


@pytest.fixture(autouse=True)
def _close_providers():
    registry.close_all()


def run_to_the_end(now) -> None:
    for _round in range(4):
        Lease.objects.all().delete()  # a tick later
        ticking.tick(holder="tick", now=now)
        dispatch.drain(holder="worker", clock=lambda: now, rng=random.Random(1), slice_seconds=30)


def memory() -> MemoryChannel:
    provider = providers.provider_of(Channel.objects.get())
    assert isinstance(provider, MemoryChannel)
    return provider


WHILE_RUNNING = {
    "a text edited in its table": "changed_texts",
    "a product's rate from 7.2 to 36 %": "changed_constants",
    "the sender": "changed_channels",
}
# Frozen with the dispatch: a later change reaches nobody. A budget is a row that others may share,
# so its limit counts as it stands.
FROZEN = ("the campaign's name", "the purpose", "the campaign's price", "the goal")


@pytest.mark.parametrize("name", WHILE_RUNNING)
def test_c1_a_worker_holds_a_dispatch_and_fails_nobody_after_a_change_of(
    name, approved, actor, now
):
    launch.launch_campaign(campaign=approved, actor=actor, now=now)
    CHANGES[name]()
    run_to_the_end(now)
    held = Dispatch.objects.get()
    assert (held.status, held.hold_reason) == ("held", WHILE_RUNNING[name])
    assert set(Message.objects.values_list("state", flat=True)) == {"planned"}
    assert not memory().delivered


@pytest.mark.parametrize("name", FROZEN)
def test_c1_what_was_frozen_with_the_dispatch_goes_out_after_a_change_of(
    name, approved, actor, now
):
    run = launch.launch_campaign(campaign=approved, actor=actor, now=now)
    before = [run.name, run.purpose, run.unit_cost, run.goal_event]
    CHANGES[name]()
    run_to_the_end(now)
    run.refresh_from_db()
    assert run.status == "completed"
    assert [run.name, run.purpose, run.unit_cost, run.goal_event] == before
    assert memory().delivered


def test_b4_a_rule_published_after_the_launch_changes_no_gate(actor, now):
    """B4: the personalisation gate reads what was frozen, not the segment's newest version."""
    make_channel()
    make_people(1)
    rule = {
        "combinator": "and",
        "rules": [{"field": "event", "operator": "=", "value": _NO_LOGIN}],
    }
    launched = make_launched(actor, now, segment={"slug": "quiet", "rule": rule})
    assert launched.uses_personal_rules
    segment = Segment.objects.get(slug="quiet")
    versions.publish_version(
        segment=segment, rule={"combinator": "and", "rules": []}, actor=actor, now=now
    )
    fresh = Dispatch.objects.select_related("campaign__segment").get(pk=launched.pk)
    assert message_plan.plan_of(fresh, now=now).uses_personal_rules
    assert fresh.segment_version_id != Segment.objects.get(pk=segment.pk).current_version_id


def test_b4_a_rule_published_after_the_launch_changes_no_gate_of_the_fallback(actor, now):
    make_channel()
    make_people(1)
    rule = {
        "combinator": "and",
        "rules": [{"field": "event", "operator": "=", "value": _NO_LOGIN}],
    }
    launched = make_launched(
        actor,
        now,
        segment={"slug": "quiet", "rule": rule},
        fallback_channel="email-memory",
        fallback_content="same_as_message",
        fallback_after_minutes=1,
    )
    versions.publish_version(
        segment=Segment.objects.get(slug="quiet"),
        rule={"combinator": "and", "rules": []},
        actor=actor,
        now=now,
    )
    Dispatch.objects.update(status="completed", completed_at=now)
    Message.objects.update(state="failed", reason="channel_refused")
    before = Dispatch.objects.select_related("campaign", "step").get(pk=launched.pk)
    fallback = launch.start_next_step(before=before, now=now + timedelta(minutes=2))
    assert fallback is not None
    assert message_plan.plan_of(fallback, now=now).uses_personal_rules
    assert fallback.segment_version_id == launched.segment_version_id


def test_c1_a_price_changed_after_the_launch_is_not_charged(actor, now):
    channel = make_channel(cost_per_part=Decimal("0.05"))
    make_people(1)
    launched = make_launched(actor, now)
    Channel.objects.filter(pk=channel.pk).update(cost_per_part=Decimal(9))
    run_to_the_end(now)
    assert Message.objects.get(dispatch=launched).cost_amount == Decimal("0.05")


def person(name: str, *groups: str) -> Actor:
    roles.ensure_roles()
    user = User.objects.create_user(name)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user_actor(User.objects.get(pk=user.pk))


@pytest.fixture
def draft(now) -> Campaign:
    make_channel()
    return authoring.create_campaign(source=spec(), actor=person("wang", "marketer"), now=now)


def test_c2_whoever_edited_since_the_last_approval_does_not_approve(draft, now):
    editor = person("zhao", "marketer", "approver")
    variant = Variant.objects.get()
    content = {"zh-hans": {"subject": "主题", "text": "内容 {{ unsubscribe_url }}"}}
    revise_text(variant, content, editor, now)
    with pytest.raises(ApprovalRefused):
        submit_and_approve(draft, editor, now, approver=editor)
    assert not Approval.objects.exists()
    # Another person approves; what was changed before that is no longer in the way.
    digest = approval.campaign_digest(draft)
    approval.approve_campaign(
        campaign=draft, seen_digest=digest, actor=person("li", "approver"), now=now
    )
    authoring.return_to_draft(campaign=draft, actor=editor, now=now)
    later = now + timedelta(hours=1)
    authoring.submit_for_review(campaign=draft, actor=editor, now=later)
    assert not approval.is_barred(draft, User.objects.get(username="li"))


def test_c2_a_change_of_a_field_bars_who_made_it(draft, now):
    editor = person("zhao", "marketer", "approver")
    authoring.update_campaign(
        campaign=draft, changes={"goal_window_days": 9}, actor=editor, now=now
    )
    with pytest.raises(ApprovalRefused):
        submit_and_approve(draft, editor, now, approver=editor)


def test_c2_what_changed_since_it_was_seen_is_not_approved(draft, actor, now):
    authoring.submit_for_review(campaign=draft, actor=actor, now=now)
    seen = approval.campaign_digest(draft)
    ContentVersion.objects.update(subject="换掉的主题")
    with pytest.raises(ApprovalRefused):
        approval.approve_campaign(campaign=draft, seen_digest=seen, actor=make_approver(), now=now)
    draft.refresh_from_db()
    assert draft.status == "in_review"
    assert not Approval.objects.exists()


def test_c2_a_draft_that_was_not_submitted_is_not_approved(draft, now):
    with pytest.raises(CampaignLocked):
        approval.approve_campaign(
            campaign=draft,
            seen_digest=approval.campaign_digest(draft),
            actor=make_approver(),
            now=now,
        )
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert not Approval.objects.exists()


def test_c2_what_is_stored_is_what_was_seen_whatever_changes_meanwhile(
    draft, actor, now, monkeypatch
):
    authoring.submit_for_review(campaign=draft, actor=actor, now=now)
    seen = approval.campaign_digest(draft)
    move = authoring.move

    def changed_first(*args, **kwargs):
        Channel.objects.update(sender="别人 <x@other.example>")
        return move(*args, **kwargs)

    monkeypatch.setattr(authoring, "move", changed_first)
    approved = approval.approve_campaign(
        campaign=draft, seen_digest=seen, actor=make_approver(), now=now
    )
    assert approved.digest == seen
    draft.refresh_from_db()
    assert not approval.is_approved(draft)


def test_c1_a_rule_published_while_the_audience_is_frozen_chooses_nobody(
    approved, actor, now, monkeypatch
):
    is_approved = approval.is_approved

    def published_afterwards(campaign):
        found = is_approved(campaign)
        versions.publish_version(
            segment=Segment.objects.get(slug="outer"), rule=in_city("上海"), actor=actor, now=now
        )
        return found

    monkeypatch.setattr(approval, "is_approved", published_afterwards)
    with pytest.raises(CampaignNotReady):
        launch.launch_campaign(campaign=approved, actor=actor, now=now)
    assert not Dispatch.objects.exists()
    approved.refresh_from_db()
    assert approved.status == "approved"
