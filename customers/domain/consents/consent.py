"""Consent: what a customer agreed to, a channel and purpose at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from customers.domain.values.contact import ContactKind


class ConsentChannel(StrEnum):
    """Channel that a consent covers."""

    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"
    WECHAT = "wechat"
    PUSH = "push"


_CONTACT_KINDS: Final[Mapping[ConsentChannel, ContactKind]] = {
    ConsentChannel.SMS: ContactKind.PHONE,
    ConsentChannel.EMAIL: ContactKind.EMAIL,
    ConsentChannel.PHONE: ContactKind.PHONE,
    ConsentChannel.WECHAT: ContactKind.WECHAT,
    ConsentChannel.PUSH: ContactKind.PUSH,
}


def contact_kind_of(channel: str) -> ContactKind:
    """Return which kind of address messages through a channel go to and come from."""
    return _CONTACT_KINDS[ConsentChannel(channel)]


class Purpose(StrEnum):
    """What a message is for."""

    MARKETING = "marketing"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """One entry of the ledger, reduced to what decides the state.

    Attributes:
        source: Where the word came from; two facts are equal whoever said it.
    """

    is_granted: bool
    at: datetime
    expires_at: datetime | None = None
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsentProof:
    """Where the rows of a file say which text was agreed to, and when.

    Attributes:
        text: Version of the text, the same in all rows; empty if `text_column` has it.
        time_zone: Zone of times that name none.
    """

    text: str = ""
    text_column: str = ""
    time_column: str = ""
    time_zone: str = "Asia/Shanghai"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file that the proof needs."""
        return tuple(name for name in (self.text_column, self.time_column) if name)


def state_at(facts: Iterable[ConsentFact], *, now: datetime) -> ConsentFact | None:
    """Return the fact in force at a time: the latest one; at equal times a withdrawal wins.

    Source: PIPL articles 15 and 16 (withdrawal takes effect and must be as easy as granting).
    """
    past = [fact for fact in facts if fact.at <= now]
    if not past:
        return None
    return max(past, key=lambda fact: (fact.at, not fact.is_granted))


def is_in_force(fact: ConsentFact | None, *, now: datetime) -> bool:
    """Return whether a consent allows a message at a time; no record means no."""
    if fact is None or not fact.is_granted:
        return False
    return fact.expires_at is None or fact.expires_at > now


class ReportedConsentEffect(StrEnum):
    """What a word that somebody else reports about a consent is worth."""

    FIRST_WORD = "first_word"
    NARROWS = "narrows"
    SAME = "same"
    CONFLICTS = "conflicts"


def decide_reported_consent(is_granted: bool, *, before: bool | None) -> ReportedConsentEffect:  # noqa: FBT001 - the word itself
    """Return what to do with a reported consent; `before` is the word in force, None for none.

    A file, partner or form may take a consent back but never lift a withdrawal.
    """
    if before is None:
        return ReportedConsentEffect.FIRST_WORD
    if before == is_granted:
        return ReportedConsentEffect.SAME
    return ReportedConsentEffect.CONFLICTS if is_granted else ReportedConsentEffect.NARROWS


class UnclearDecision(StrEnum):
    """What somebody found out about a word that could not be read and ended a grant."""

    OPEN = ""
    REFUSED = "refused"
    GRANTED = "granted"
