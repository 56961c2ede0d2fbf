"""A template's message as a customer would get it, with what it takes to send it.

Written by the same code that sends, from a plan that is not stored, for a person who is made up:
nobody's data is opened and nothing is left behind. Where a call would bring a value of its own,
the value's name stands in its place.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage

from campaigns.channels.base import EmailPayload, SmsPayload
from campaigns.domain.requests.call import RequestPriority
from campaigns.models import MessageTemplate
from campaigns.selectors.content import current_texts
from campaigns.selectors.content.current_texts import CurrentText
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.content.samples import sample_recipient
from campaigns.services.requests.plans import plan_request
from campaigns.services.sending.composing import Composer, NotComposed


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
        _preview(
            composer,
            text,
            sample_recipient(
                variant_id=text.variant.pk,
                language=text.written.locale,
                kind=channel.kind,
                attributes=attributes,
                values=values,
            ),
            now,
        )
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
