"""A call that asks for messages: how urgent it is, and what is wrong with a row of it."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from campaigns.domain.content import rate_claims, word_search
from campaigns.domain.content.word_search import Severity
from campaigns.domain.partners.contract import Fault
from campaigns.domain.sending.states import Priority
from customers.domain.consents.consent import Purpose

MOST_ROWS = 500
LONGEST_VALUE = 200
# A text has one signature, its channel's; its links are those that two people answered for.
_SIGNATURE_OR_LINK = re.compile(
    r"[【】]|://|\bwww\.|[a-z0-9-]\.[a-z]{2,}", re.ASCII | re.IGNORECASE
)


class RequestPriority(StrEnum):
    """How soon messages are worked: before, among or after what else waits."""

    URGENT = "urgent"
    SERVICE = "service"
    NORMAL = "normal"

    @property
    def rank(self) -> Priority:
        """Return the place in the queue of sending."""
        return _RANKS[self]


_RANKS: Mapping[RequestPriority, Priority] = {
    RequestPriority.URGENT: Priority.URGENT,
    RequestPriority.SERVICE: Priority.SERVICE,
    RequestPriority.NORMAL: Priority.NORMAL,
}


class RowCode(StrEnum):
    """Why a row of a call is refused."""

    PERSON_MISSING = "person_missing"
    PERSON_TOLD_TWICE = "person_told_twice"
    UNKNOWN_CUSTOMER = "unknown_customer"
    DUPLICATE_CUSTOMER = "duplicate_customer"
    VARIABLE_MISSING = "variable_missing"
    VARIABLE_UNDECLARED = "variable_undeclared"
    VARIABLE_INVALID = "variable_invalid"
    VARIABLE_WORDS = "variable_words"


def naming_faults(told: Mapping[str, object]) -> tuple[Fault, ...]:
    """Return what is wrong with the ways in which a row names its person: exactly one is needed.

    Args:
        told: `customer`, `phone` and `email` as they came, empty where they did not.
    """
    given = [name for name, value in told.items() if value]
    if not given:
        return (Fault(RowCode.PERSON_MISSING),)
    return tuple(Fault(RowCode.PERSON_TOLD_TWICE, name) for name in given[1:])


def value_faults(
    values: Mapping[str, str], *, declared: Collection[str], purpose: str
) -> tuple[Fault, ...]:
    """Return what is wrong with the values of a row; no fault quotes a value.

    A value is part of a text that two people answered for, so it may not say what they could not.

    Args:
        declared: The names that the template declares; each needs a value, and no other has one.
        purpose: Of the template.
    """
    faults = [
        Fault(RowCode.VARIABLE_MISSING, f"variables.{name}")
        for name in declared
        if not values.get(name, "").strip()
    ]
    for name, value in values.items():
        field = f"variables.{name}"
        if name not in declared:
            # A name of the caller's may be anything, so it is not said again.
            faults.append(Fault(RowCode.VARIABLE_UNDECLARED, "variables"))
        elif len(value) > LONGEST_VALUE or not value.isprintable():
            faults.append(Fault(RowCode.VARIABLE_INVALID, field))
        elif _says_too_much(value, purpose):
            faults.append(Fault(RowCode.VARIABLE_WORDS, field))
    # Two values that stand side by side in the text may make a word of two halves.
    if not faults and _says_too_much("".join(values.values()), purpose):
        faults.append(Fault(RowCode.VARIABLE_WORDS, "variables"))
    return tuple(faults)


def _says_too_much(value: str, purpose: str) -> bool:
    """Return whether a value holds a sender's signature, a link or words that nobody approved."""
    if _SIGNATURE_OR_LINK.search(value):
        return True
    if purpose == Purpose.MARKETING and rate_claims.without_annual_rate(value):
        return True
    barred = any(severity is Severity.BLOCK for _word, severity in word_search.banned(value))
    return barred or (purpose == Purpose.SERVICE and bool(word_search.offering(value)))
