"""The smallest campaign that can be launched."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from campaigns.domain.campaigns.spec import SAME_TEXT
from campaigns.models import (
    Approval,
    Budget,
    Campaign,
    Channel,
    Chunk,
    Dispatch,
    Step,
    Touchpoint,
    Variant,
)
from campaigns.services.campaigns import approval, authoring, launch, plans
from loancrm.kernel.access import Actor, user_actor
from loancrm.kernel.database.shared_clock import Moment

EVERYONE: dict[str, Any] = {"combinator": "and", "rules": []}
EMAIL = {
    "zh-hans": {
        "subject": "{{ name }}，您好",
        "text": "尊敬的{{ name }}{{ title }}：本月额度可用。退订：{{ unsubscribe_url }}",
        "html": "<p>尊敬的{{ name }}：<a href='https://example.com/offer'>查看</a></p>"
        "<p><a href='{{ unsubscribe_url }}'>退订</a></p>",
    }
}
SMS = {"zh-hans": {"text": "尊敬的{{ name }}，您的专属服务已开通。"}}


def make_channel(kind: str = "email", backend: str = "memory", **columns: Any) -> Channel:
    """Create a channel; in memory unless told otherwise."""
    sender = "示例金融 <news@lender.example>" if kind == "email" else "示例金融"
    values = {"slug": f"{kind}-{backend}", "name": kind, "sender": sender, **columns}
    return Channel.objects.create(kind=kind, backend=backend, **values)


def spec(**changes: Any) -> dict[str, Any]:
    """Return the description of an e-mail campaign to everyone."""
    base: dict[str, Any] = {
        "slug": "spring",
        "name": "春季关怀",
        "goal": {"event": "application_submitted", "window_days": 7},
        "segment": {"rule": EVERYONE},
        "channel": "email-memory",
        "content": EMAIL,
    }
    return {**base, **changes}


def make_approver() -> Actor:
    """Create a superuser who approves."""
    user, _created = User.objects.get_or_create(username="approver", is_superuser=True)
    return user_actor(user)


def make_approved(actor: Actor, now: datetime, **changes: Any) -> Campaign:
    """Create and approve a campaign."""
    campaign = authoring.create_campaign(source=spec(**changes), actor=actor, now=now)
    submit_and_approve(campaign, actor, now)
    return campaign


def submit_and_approve(
    campaign: Campaign, actor: Actor, now: datetime, *, approver: Actor | None = None
) -> Approval:
    """Submit a draft and approve it as it then stands."""
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    approved = approval.approve_campaign(
        campaign=campaign,
        seen_digest=approval.campaign_digest(campaign),
        actor=approver or make_approver(),
        now=now,
    )
    campaign.refresh_from_db()
    return approved


def make_launched(actor: Actor, now: datetime, **changes: Any) -> Dispatch:
    """Create, approve and launch a campaign."""
    campaign = make_approved(actor, now, **changes)
    return launch.launch_campaign(campaign=campaign, actor=actor, now=now)


def make_step(campaign: Campaign, *, channel: Channel | None = None, **columns: Any) -> Step:
    """Create a step of a campaign, without a text."""
    touchpoint = Touchpoint.objects.create(channel=channel)
    return Step.objects.create(campaign=campaign, touchpoint=touchpoint, **columns)


def make_run(
    campaign: Campaign,
    *,
    due_at: datetime,
    step: Step | None = None,
    channel: Channel | None = None,
    kind: str = "email",
) -> Dispatch:
    """Create a dispatch of a campaign's step as it is, without messages."""
    step = step or make_step(campaign, channel=channel)
    plan = plans.plan_step(campaign=campaign, step=step, version=None, due_at=due_at, now=due_at)
    plan.channel_kind = plan.channel_kind or kind
    plan.save()
    return plan


def give_budget(limit: int, *, committed: int = 0) -> None:
    """Let every campaign and its dispatches spend from one budget."""
    budget = Budget.objects.create(limit_amount=limit, committed_amount=committed)
    Campaign.objects.update(budget=budget)
    Dispatch.objects.update(budget=budget)


def revise_text(variant: Variant, content: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Give one variant of a draft's message other texts and leave the rest as it is."""
    campaign = variant.touchpoint.step.campaign
    messages: list[dict[str, Any]] = []
    for step in campaign.steps.order_by("position"):
        variants = [
            {
                "key": one.key,
                "weight": one.weight,
                "content": content if one.pk == variant.pk else _content(one),
            }
            for one in step.touchpoint.variants.order_by("key")
        ]
        if step.is_fallback:
            messages[-1] |= {
                "fallback_channel": step.channel.slug,
                "fallback_content": variants[0]["content"],
                "fallback_after_minutes": step.wait_minutes,
            }
        else:
            messages.append({"channel": step.channel.slug, "variants": variants})
    authoring.revise_messages(campaign=campaign, messages=messages, actor=actor, now=now)


def _content(variant: Variant) -> str | dict[str, Any]:
    if variant.follows_message:
        return SAME_TEXT
    return {
        row.locale: {"subject": row.subject, "text": row.text, "html": row.html}
        for row in variant.contents.filter(is_current=True)
    }


def expire_leases() -> None:
    """Let every leased chunk look as if its worker had died a while ago."""
    Chunk.objects.filter(lease_until__isnull=False).update(lease_until=Moment(-1))


def end_pauses() -> None:
    """Let the pauses of all provider accounts be over."""
    Channel.objects.filter(paused_until__isnull=False).update(paused_until=Moment(-1))
