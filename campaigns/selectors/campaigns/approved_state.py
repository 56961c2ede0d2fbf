"""A campaign as it stands, in the parts that an approval covers.

Everything is read from what will be used, never from a column that says what once was: the texts
themselves, the values put into them, the rules of segments that the rule names.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from campaigns.domain.content import approval
from campaigns.domain.content import texts as content
from campaigns.domain.content.approval import ApprovedPart
from campaigns.models import Campaign, Channel, Step, Variant
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.constants import constants
from campaigns.selectors.content.current_texts import CurrentText
from customers.models import Product, SegmentVersion
from customers.selectors.segments import references
from loancrm.kernel.access import ActorKind
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.texts.survey import TemplateRefused

# Options that tell how fast, how patiently and with which key a provider is spoken to; all others
# say to whom.
_PACE = frozenset(
    {
        "batch_size", "connect_timeout_seconds", "connections", "idle_seconds",
        "max_messages_per_connection", "messages_per_request", "password", "secret",
        "supports_idempotency", "timeout_seconds", "use_chunking", "use_pipelining",
        "webhook_secret", "window",
    }
)  # fmt: skip
_EVERY_CONSTANT = frozenset({"brand", "hotline", "sender_address", "campaign_name", "products"})


def parts_of(campaign: Campaign) -> dict[str, str]:
    """Return the digest of each part of a campaign as it stands in the database now."""
    return {part: approval.part_digest(value) for part, value in shown(campaign).items()}


def shown(campaign: Campaign) -> dict[str, Any]:
    """Return everything that an approval covers, in full, for who has to read it."""
    steps = list(campaign.steps.select_related("channel").order_by("position"))
    texts = current_texts.of_campaign(campaign)
    variants = list(
        Variant.objects.filter(step__campaign=campaign)
        .order_by("step__position", "key")
        .values_list("step__position", "key", "weight")
    )
    values: dict[ApprovedPart, Any] = {
        ApprovedPart.TEXTS: [_text(row) for row in texts],
        ApprovedPart.CONSTANTS: _constants(campaign, texts),
        ApprovedPart.CHANNELS: [_channel(step.channel) for step in steps],
        ApprovedPart.PURPOSE: [campaign.purpose, campaign.service_kind],
        ApprovedPart.PRICES: [_price(campaign, step) for step in steps],
        ApprovedPart.AUDIENCE: _audience(campaign),
        ApprovedPart.EXPERIMENT: [
            str(campaign.experiment_salt),
            f"{campaign.holdout_share:.3f}",
            [list(row) for row in variants],
        ],
        ApprovedPart.SCHEDULE: [
            campaign.start_at.isoformat() if campaign.start_at else "",
            campaign.late_limit_hours,
            [[step.position, step.is_fallback, step.wait_minutes] for step in steps],
        ],
        ApprovedPart.TERMS: [
            campaign.name,
            campaign.goal_event,
            campaign.goal_window_days,
            "" if campaign.budget_amount is None else f"{campaign.budget_amount:.2f}",
        ],
    }
    return {part.value: value for part, value in values.items()}


def has_changed_rules(campaign: Campaign, user: User, *, since: datetime) -> bool:
    """Return whether a person wrote a rule that decides who receives the campaign."""
    segment = campaign.segment
    if segment is None:
        return False
    rule = segment.current_version.rule if segment.current_version else None
    slugs = {segment.slug, *references.rules_behind(rule)}
    return SegmentVersion.objects.filter(
        segment__slug__in=slugs, author=user, created_at__gte=since
    ).exists()


def has_changed_products(campaign: Campaign, user: User, *, since: datetime) -> bool:
    """Return whether a person changed a product, where a text of the campaign tells of products."""
    changes = AuditEntry.objects.filter(
        object_type=audit.type_of(Product),
        actor_kind=ActorKind.USER,
        actor_id=str(user.pk),
        at__gte=since,
    )
    return changes.exists() and any(
        "products" in _variables(text) for text in current_texts.of_campaign(campaign)
    )


def _text(text: CurrentText) -> list[Any]:
    variant, written = text.variant, text.written
    return [variant.step.position, variant.key, variant.follows_message, text.locale, written.pk,
            written.subject, written.text, written.html]  # fmt: skip


def _constants(campaign: Campaign, texts: list[CurrentText]) -> dict[str, Any]:
    """Return what the texts tell everybody, by language; what no text reads is left out."""
    read: dict[str, frozenset[str]] = {}
    for text in texts:
        read[text.locale] = read.get(text.locale, frozenset()) | _variables(text)
    return {
        locale: {
            name: _plain(value)
            for name, value in constants(campaign.name, names, language=locale).items()
            if name in names
        }
        for locale, names in read.items()
    }


def _variables(text: CurrentText) -> frozenset[str]:
    row = text.written
    try:
        if text.is_email:
            return content.compile_email(
                subject=row.subject, text=row.text, html=row.html, language=row.locale
            ).variables
        return content.compile_sms(text=row.text, language=row.locale).variables
    except TemplateRefused:
        # A text that cannot be read is never sent; until it is mended it may say anything.
        return _EVERY_CONSTANT


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _channel(channel: Channel | None) -> list[Any]:
    if channel is None:
        return []
    options = {name: value for name, value in channel.options.items() if name not in _PACE}
    return [channel.slug, channel.kind, channel.backend, channel.sender, _plain(options)]


def _price(campaign: Campaign, step: Step) -> str:
    if campaign.cost_per_message is not None:
        return f"{campaign.cost_per_message:.4f}"
    return f"{step.channel.cost_per_part:.4f}" if step.channel else ""


def _audience(campaign: Campaign) -> Any:
    """Return the segment with its rule and the rules of all segments that it leads to."""
    segment = campaign.segment
    if segment is None:
        return None
    version = segment.current_version
    rule = version.rule if version else None
    return [segment.slug, rule, references.rules_behind(rule)]
