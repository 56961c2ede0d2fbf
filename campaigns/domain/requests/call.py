"""A call that asks for messages: how urgent it is, and what is wrong with a row of it."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from campaigns.domain.compliance.rules import RulesInForce
from campaigns.domain.content import rule_checks
from campaigns.domain.partners.contract import ItemFault
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
    ADDRESS_OF_OTHER_CHANNEL = "address_of_other_channel"
    DUPLICATE_CUSTOMER = "duplicate_customer"
    VARIABLE_MISSING = "variable_missing"
    VARIABLE_UNDECLARED = "variable_undeclared"
    VARIABLE_INVALID = "variable_invalid"
    VARIABLE_WORDS = "variable_words"


def naming_faults(told: Mapping[str, object]) -> tuple[ItemFault, ...]:
    """Return what is wrong with the ways in which a row names its person: exactly one is needed.

    Args:
        told: `customer`, `phone` and `email` as they came, empty where they did not.
    """
    given = [name for name, value in told.items() if value]
    if not given:
        return (ItemFault(RowCode.PERSON_MISSING),)
    return tuple(ItemFault(RowCode.PERSON_TOLD_TWICE, name) for name in given[1:])


def value_faults(
    values: Mapping[str, str], *, declared: Collection[str], purpose: str, rules: RulesInForce
) -> tuple[ItemFault, ...]:
    """Return what is wrong with the values of a row; no fault quotes a value.

    A value is part of a text that two people answered for, so it may not say what they could not.

    Args:
        declared: The names that the template declares; each needs a value, and no other has one.
        purpose: Of the template.
        rules: Those of the day.
    """
    faults = [
        ItemFault(RowCode.VARIABLE_MISSING, f"variables.{name}")
        for name in declared
        if not values.get(name, "").strip()
    ]
    for name, value in values.items():
        field = f"variables.{name}"
        if name not in declared:
            # A name of the caller's may be anything, so it is not said again.
            faults.append(ItemFault(RowCode.VARIABLE_UNDECLARED, "variables"))
        elif len(value) > LONGEST_VALUE or not value.isprintable():
            faults.append(ItemFault(RowCode.VARIABLE_INVALID, field))
        elif _says_too_much(value, purpose, rules):
            faults.append(ItemFault(RowCode.VARIABLE_WORDS, field))
    # Two values that stand side by side in the text may make a word of two halves.
    if not faults and _says_too_much("".join(values.values()), purpose, rules):
        faults.append(ItemFault(RowCode.VARIABLE_WORDS, "variables"))
    return tuple(faults)


def _says_too_much(value: str, purpose: str, rules: RulesInForce) -> bool:
    """Return whether a value holds a sender's signature, a link or words that nobody approved."""
    if _SIGNATURE_OR_LINK.search(value):
        return True
    is_marketing = purpose == Purpose.MARKETING
    return bool(rule_checks.check_rendered({"text": value}, is_marketing=is_marketing, rules=rules))
