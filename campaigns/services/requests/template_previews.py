"""A template's message as a customer would get it, with what it takes to send it.

Written by the same code that sends, from a plan that is not stored, for a person who is made up:
nobody's data is opened and nothing is left behind. Where a call would bring a value of its own,
the value's name stands in its place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final
from uuid import uuid4

from campaigns.channels.base import EmailPayload, SmsPayload
from campaigns.domain.requests.call import RequestPriority
from campaigns.domain.sending.eligibility import ContactFacts
from campaigns.models import MessageTemplate, MessageVariables
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.sending.contact_facts import Recipient, SealedText
from campaigns.services.requests.plans import plan_request
from campaigns.services.sending.composing import Composer, NotComposed
from customers.domain.values.person import Gender, MarketingStatus
from customers.models import ContactPoint, Customer
from loancrm.kernel.security import crypto

_NAMES: Final = {"zh-hans": "王芳"}
_NAME: Final = "Fang Wang"
_ADDRESSES: Final = {"sms": "+8613800000000", "email": "wang.fang@example.com"}
_PLACES: Final = {"zh-hans": ("四川", "成都")}
_PLACE: Final = ("Sichuan", "Chengdu")


@dataclass(frozen=True, slots=True)
class TemplatePreview:
    """The message in one language.

    Attributes:
        problem: Why there is none (a `SkipReason`); empty when there is one.
        parts: As many messages the provider counts; 1 for an e-mail.
        cost: Of all parts, in yuan; 0 where the channel has no price.
    """

    language: str
    problem: str = ""
    subject: str = ""
    text: str = ""
    parts: int = 0
    cost: Decimal = Decimal(0)


def preview_template(*, template: MessageTemplate, now: datetime) -> list[TemplatePreview]:
    """Return the message of a template in each of its languages; none without a channel.

    Args:
        template: With its touchpoint and channel.
        now: The time that the message would bear.

    Raises:
        LoanCrmError: The text itself is faulty.
    """
    channel = template.channel
    if channel is None:
        return []
    plan = plan_request(template=template, priority=RequestPriority.NORMAL, due_at=now)
    composer = Composer(plan, channel, rules=rules_at(now))
    values = {name: f"‹{name}›" for name in template.variables}
    attributes = {name: f"‹{name}›" for name in composer.attribute_names}
    return [
        _preview(composer, text, _recipient(text, channel.kind, values, attributes), now)
        for text in current_texts.of_touchpoint(template.touchpoint)
    ]


def _preview(
    composer: Composer, text: CurrentText, recipient: Recipient, now: datetime
) -> TemplatePreview:
    language = text.written.locale
    composed = composer.compose(recipient, now=now)
    if isinstance(composed, NotComposed):
        return TemplatePreview(language, problem=composed.reason.value)
    subject, body = _readable(composed.outbound.payload)
    return TemplatePreview(
        language, subject=subject, text=body, parts=composed.parts, cost=composed.cost
    )


def _readable(payload: SmsPayload | EmailPayload) -> tuple[str, str]:
    match payload:
        case SmsPayload(body, _):
            return "", body
        case EmailPayload(_, raw):
            message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
            part = message.get_body(("plain",))
            return str(message["Subject"] or ""), part.get_content() if part is not None else ""


def _recipient(
    text: CurrentText, kind: str, values: Mapping[str, str], attributes: Mapping[str, str]
) -> Recipient:
    """Return somebody who is nobody, reachable and with every value."""
    language = text.written.locale
    province, city = _PLACES.get(language, _PLACE)
    facts = ContactFacts(
        customer_id=0,
        has_point=True,
        is_point_active=True,
        has_consent=True,
        is_suppressed=False,
        marketing_status=MarketingStatus.OPEN,
        birth_date=None,
        dpd_days=0,
        personalisation_allowed=True,
        zone=None,
    )
    return Recipient(
        message_id=0,
        customer_id=0,
        variant_id=text.variant.pk,
        attempts=0,
        language=language,
        gender=Gender.FEMALE,
        province=province,
        city=city,
        name=_sealed(Customer.NAME_COLUMN, _NAMES.get(language, _NAME)),
        address=_sealed(ContactPoint.VALUE_COLUMN, _ADDRESSES[kind]),
        contact_point_id=None,
        facts=facts,
        attributes=attributes,
        variables=_sealed(MessageVariables.VALUES_COLUMN, json.dumps(dict(values))),
    )


def _sealed(column: str, value: str) -> SealedText:
    key = uuid4()
    return SealedText(key, crypto.vault().seal(column, key, value))
