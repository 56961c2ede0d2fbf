"""Where data comes from: under which contract, for what, and until when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from customers.domain.consents.consent import Purpose

# A contract that ends within so many days is pointed out.
WARNING_DAYS = 30


class SourceKind(StrEnum):
    """What kind of place data comes from.

    UNREGISTERED: Somebody named it in an import and nobody has described it yet.
    """

    OWN_SYSTEM = "own_system"
    OWN_FORM = "own_form"
    BRANCH = "branch"
    QUESTIONNAIRE = "questionnaire"
    PARTNER = "partner"
    VENDOR = "vendor"
    UNREGISTERED = "unregistered"


class OwnSource(StrEnum):
    """Where people told us something themselves, and what loancrm itself writes down.

    Nobody describes these as sources.
    """

    LEAD_FORM = "lead_form"
    PREFERENCE_CENTRE = "preference_centre"
    UNSUBSCRIBE_LINK = "unsubscribe_link"
    CAMPAIGNS = "campaigns"
    LIFECYCLE = "lifecycle"
    SEGMENTS = "segments"
    MERGE = "merge"
    DOUBLE_OPT_IN = "double_opt_in"
    HOTLINE = "hotline"
    CREDIT_FACTS = "credit_facts"


# Where people told us something themselves and it was confirmed; no contract stands behind it.
PERSONAL_SOURCES = frozenset({OwnSource.PREFERENCE_CENTRE, OwnSource.LEAD_FORM})


class Standing(StrEnum):
    """Whether a source may hand in data on a day."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    ENDED = "ended"
    SWITCHED_OFF = "switched_off"


class TermsProblem(StrEnum):
    """What is wrong with the description of a source."""

    CONTRACT_MISSING = "contract_missing"
    END_MISSING = "end_missing"
    DATES_REVERSED = "dates_reversed"
    PURPOSE_UNKNOWN = "purpose_unknown"


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """What was agreed about a source.

    Attributes:
        purposes: What its data may be used for.
        valid_from: First day, None for always.
        valid_until: Last day, None for no end.
    """

    kind: SourceKind
    purposes: frozenset[Purpose]
    is_active: bool = True
    contract: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


def standing(terms: SourceTerms, *, today: date) -> Standing:
    """Return whether the source may hand in data; the last day of a contract still counts."""
    if not terms.is_active:
        return Standing.SWITCHED_OFF
    if terms.valid_until is not None and terms.valid_until < today:
        return Standing.ENDED
    if terms.valid_from is not None and terms.valid_from > today:
        return Standing.NOT_YET
    return Standing.IN_FORCE


def allows(terms: SourceTerms, purpose: Purpose, *, today: date) -> bool:
    """Return whether data of the source may be used for a purpose on a day."""
    return purpose in terms.purposes and standing(terms, today=today) is Standing.IN_FORCE


def days_left(terms: SourceTerms, *, today: date) -> int | None:
    """Return the days until the last one when they are few enough to point out, else None."""
    if terms.valid_until is None or standing(terms, today=today) is not Standing.IN_FORCE:
        return None
    left = terms.valid_until - today
    return left.days if left <= timedelta(days=WARNING_DAYS) else None


def check_terms(terms: SourceTerms, *, purposes: Collection[str]) -> tuple[TermsProblem, ...]:
    """Return what is wrong with a description; `purposes` are the words as they were given."""
    problems = []
    if terms.kind is SourceKind.VENDOR and not terms.contract.strip():
        problems.append(TermsProblem.CONTRACT_MISSING)
    if terms.kind is SourceKind.VENDOR and terms.valid_until is None:
        problems.append(TermsProblem.END_MISSING)
    if terms.valid_from and terms.valid_until and terms.valid_until < terms.valid_from:
        problems.append(TermsProblem.DATES_REVERSED)
    if not set(purposes) <= set(Purpose):
        problems.append(TermsProblem.PURPOSE_UNKNOWN)
    return tuple(problems)
