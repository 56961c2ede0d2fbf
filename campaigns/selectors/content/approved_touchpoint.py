"""A touchpoint as it stands, in the parts that workers read anew and an approval covers.

Everything is read from what will be used, never from a column that says what once was: the texts
themselves, the values put into them, the channel's options.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from campaigns.domain.content import approval
from campaigns.domain.content import texts as content
from campaigns.domain.content.approval import ApprovedPart
from campaigns.models import Channel, Touchpoint
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.constants import constants, offers_end
from campaigns.selectors.content.current_texts import CurrentText
from customers.models import ListedPartner, Product, ProductFee
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
# Rows that decide what texts tell of products.
_PRICING = (Product, ProductFee, ListedPartner)
_EVERY_CONSTANT = frozenset({"brand", "hotline", "sender_address", "campaign_name", "products"})


def parts_of(touchpoint: Touchpoint, *, name: str) -> dict[str, str]:
    """Return the digest of each part of a touchpoint as it stands in the database now.

    Args:
        name: What its texts may call the campaign by.
    """
    rows = Channel.objects.prefetch_related("stand_ins__other")
    channel = rows.filter(pk=touchpoint.channel_id or 0).first()
    return approval.digests(shown(channel, current_texts.of_touchpoint(touchpoint), name=name))


def shown(channel: Channel | None, texts: Sequence[CurrentText], *, name: str) -> dict[str, Any]:
    """Return everything that an approval of one touchpoint covers, in full."""
    return {
        ApprovedPart.TEXTS: [_text(row) for row in texts],
        ApprovedPart.CONSTANTS: _constants(name, texts),
        ApprovedPart.CHANNELS: _channel(channel),
        ApprovedPart.STAND_INS: stand_in_senders(channel),
    }


def stand_in_senders(channel: Channel | None) -> list[str]:
    """Return the other senders that people may read where another channel stands in.

    One with the same sender says nothing that the approver has not seen, so it can be added while
    a channel is down.
    """
    if channel is None:
        return []
    return sorted({row.other.sender for row in channel.stand_ins.all()} - {channel.sender})


def _text(text: CurrentText) -> list[Any]:
    variant, written = text.variant, text.written
    return [variant.key, variant.follows_message, text.locale, written.pk,
            written.subject, written.text, written.html]  # fmt: skip


def _constants(name: str, texts: Sequence[CurrentText]) -> dict[str, Any]:
    """Return what the texts tell everybody, by language; what no text reads is left out."""
    read: dict[str, frozenset[str]] = {}
    for text in texts:
        read[text.locale] = read.get(text.locale, frozenset()) | variables(text)
    shown: dict[str, Any] = {
        locale: {
            key: _plain(value)
            for key, value in constants(name, names, language=locale).items()
            if key in names
        }
        for locale, names in read.items()
    }
    # Nobody is told it, but everybody goes by it: the messages end with the first of these.
    lists_products = any("products" in names for names in read.values())
    ends = offers_end() if lists_products else []
    return {**shown, "offered_until": [at.isoformat() for at in ends]} if ends else shown


def offer_end(touchpoint: Touchpoint) -> datetime | None:
    """Return when the first of the products ends that a touchpoint's texts list; None without."""
    texts = current_texts.of_touchpoint(touchpoint)
    if not any("products" in variables(text) for text in texts):
        return None
    return next(iter(offers_end()), None)


def variables(text: CurrentText) -> frozenset[str]:
    """Return the names that a text reads."""
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


def has_changed_products(user: User, *, since: int) -> bool:
    """Return whether a person changed a product.

    Args:
        since: Number of an entry of the audit trail.
    """
    changes = AuditEntry.objects.filter(
        object_type__in=[audit.type_of(model) for model in _PRICING],
        actor_kind=ActorKind.USER,
        actor_id=str(user.pk),
        pk__gt=since,
    )
    return changes.exists()


def has_products(texts: Sequence[CurrentText]) -> bool:
    """Return whether one of the texts tells of products."""
    return any("products" in variables(text) for text in texts)


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
