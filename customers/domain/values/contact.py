"""Kinds of contact points and what became of them."""

from enum import StrEnum


class ContactKind(StrEnum):
    """What a contact point is."""

    PHONE = "phone"
    EMAIL = "email"
    WECHAT = "wechat"
    PUSH = "push"
    POSTAL = "postal"


class ContactStatus(StrEnum):
    """Whether a contact point takes messages."""

    ACTIVE = "active"
    BOUNCED = "bounced"
    INVALID = "invalid"
