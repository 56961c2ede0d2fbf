"""Who does not want to be contacted, why, and which reason outweighs which."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from customers.domain.consents.consent import Purpose


class StopReason(StrEnum):
    """Why somebody must not be contacted any more."""

    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    UNDER_REVIEW = "under_review"
    BY_HAND = "by_hand"
    IMPORTED = "imported"


class StopSource(StrEnum):
    """Where a stop came from; the names of imported lists are people's own."""

    UNSUBSCRIBE_LINK = "unsubscribe_link"
    PREFERENCE_CENTRE = "preference_centre"
    COMPLAINT = "complaint"
    SMS_REPLY = "sms_reply"
    EMAIL_REPLY = "email_reply"
    PHONE_REPLY = "phone_reply"
    WECHAT_REPLY = "wechat_reply"
    PUSH_REPLY = "push_reply"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Stop:
    """A person, or whoever has an address, does not want messages of a purpose through a channel.

    Attributes:
        customer_id: None where nobody is known under the address.
        value_index: Blind index of the address that it was said from, empty where it is not known:
            whoever turns up with it later is not written to either.
        address_masked: The same address as a person recognises it, where it is known.
        key: Names the occasion; the same key makes one event.
        source: A `StopSource`, or the name of an imported list.
        subject: Slug of the campaign that was answered, may be empty.
    """

    customer_id: int | None
    channel: str
    key: str
    source: str
    occurred_at: datetime
    value_index: str = ""
    reason: StopReason = StopReason.OPTED_OUT
    purpose: str = Purpose.MARKETING
    subject: str = ""
    address_masked: str = ""


# Weakest first. A stronger reason takes the place of a weaker one, so that what ends the weaker one
# (somebody has read the reply; the person agrees again) does not end the stronger one with it.
_STRENGTH = (
    StopReason.UNDER_REVIEW,
    StopReason.OPTED_OUT,
    StopReason.IMPORTED,
    StopReason.BY_HAND,
    StopReason.COMPLAINED,
)


def outweighs(reason: StopReason, stored: str) -> bool:
    """Return whether a reason takes the place of the stored one, which may be of another time."""
    if stored not in set(StopReason):
        return False
    return _STRENGTH.index(reason) > _STRENGTH.index(StopReason(stored))
