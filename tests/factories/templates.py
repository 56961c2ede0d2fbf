"""The smallest message template that can be sent, and calls for it."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from campaigns.domain.content.written import TextSpec
from campaigns.domain.requests.call import RequestPriority
from campaigns.models import Channel, MessageTemplate, Partner
from campaigns.selectors.requests import templates as template_state
from campaigns.services.partners import contracts
from campaigns.services.requests import receiving, templates
from campaigns.services.requests.receiving import RequestResult, RequestRow
from campaigns.services.requests.templates import TemplateSpec
from customers.domain.sources import SourceKind
from customers.models import Customer
from loancrm.kernel.access import Actor, user_actor
from tests.factories.campaigns import make_approver

CODE_TEXT = "您的验证码是{{ code }}，五分钟内有效。"


def template_spec(channel: Channel, **changes: Any) -> TemplateSpec:
    """Return the description of a template for one-time codes."""
    text = changes.pop("text", CODE_TEXT)
    values: dict[str, Any] = {
        "slug": "login-code",
        "name": "登录验证码",
        "channel": channel,
        "purpose": "service",
        "service_kind": "one_time_code",
        "variables": ("code",),
        "texts": (TextSpec(locale="zh-hans", subject="验证码", text=text, html=""),),
        **changes,
    }
    return TemplateSpec(**values)


def make_author(name: str = "author") -> Actor:
    """Create a superuser who writes."""
    user, _created = User.objects.get_or_create(username=name, is_superuser=True)
    return user_actor(user)


def make_template(channel: Channel, now: datetime, **changes: Any) -> MessageTemplate:
    """Create and approve a template."""
    author = make_author()
    template = templates.create_template(
        spec=template_spec(channel, **changes), actor=author, now=now
    )
    return submit_and_approve(template, author, now)


def submit_and_approve(template: MessageTemplate, author: Actor, now: datetime) -> MessageTemplate:
    """Submit a template and approve it as it then stands."""
    submitted = templates.submit_template(template=template, actor=author, now=now)
    return templates.approve_template(
        template=submitted,
        seen_digest=template_state.digest_of(template_state.shown(submitted)),
        actor=make_approver(),
        now=now,
    )


def make_own_system(actor: Actor, now: datetime, slug: str = "core") -> Partner:
    """Register a system of the lender's own."""
    partner, _credentials = contracts.register_partner(
        actor=actor, slug=slug, name=slug.title(), kind=SourceKind.OWN_SYSTEM, now=now
    )
    return partner


def ask_for(
    partner: Partner,
    people: list[Customer],
    actor: Actor,
    now: datetime,
    *,
    template: str = "login-code",
    priority: RequestPriority = RequestPriority.URGENT,
    variables: dict[str, str] | None = None,
) -> RequestResult:
    """Ask for a message to each of some people."""
    values = {"code": "482913"} if variables is None else variables
    return receiving.receive(
        partner=partner,
        template_slug=template,
        priority=priority,
        rows=[
            RequestRow(
                index=index, customer=person.public_id, variables=values, reference=f"r{index}"
            )
            for index, person in enumerate(people)
        ],
        actor=actor,
        now=now,
    )
