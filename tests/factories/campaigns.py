"""The smallest campaign that can be launched."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from campaigns.models import Approval, Campaign, Channel, Chunk, Dispatch
from campaigns.services import approval, authoring, launch
from loancrm.kernel.access import Actor, user_actor
from loancrm.kernel.database_clock import Moment

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


def expire_leases() -> None:
    """Let every leased chunk look as if its worker had died a while ago."""
    Chunk.objects.filter(lease_until__isnull=False).update(lease_until=Moment(-1))


def end_pauses() -> None:
    """Let the pauses of all provider accounts be over."""
    Channel.objects.filter(paused_until__isnull=False).update(paused_until=Moment(-1))
