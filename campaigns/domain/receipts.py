"""What comes back about a message, in one normal form, and which report outranks which.

Providers deliver reports late, twice and in any order, so a report never overwrites a stronger one:
`outranks` is the whole rule, and the service turns it into conditional updates.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What a provider can say about a message, or a person about being contacted."""

    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    FAILED = "failed"
    COMPLAINED = "complained"
    REPLIED = "replied"
    OPENED = "opened"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One report about one message.

    Attributes:
        provider_event_id: The provider's id of the report; the same id is applied once.
        kind: What happened.
        provider_message_id: The provider's id of the message, empty when it names only our key.
        message_key: Our idempotency key of the message, empty when the report does not carry it.
        occurred_at: When it happened by the provider's clock, aware.
        detail: Status code or short text for the operator; never an address.
        text: What the person wrote, for replies.
        address: Who wrote it, for replies that name no message (an SMS to our number).
    """

    provider_event_id: str
    kind: DeliveryKind
    provider_message_id: str
    message_key: str
    occurred_at: datetime
    detail: str = ""
    text: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
