"""What partners may do, and where a lead of theirs stands."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from customers.domain.events.event import EventName
from customers.domain.sources import SourceKind


class TokenScope(StrEnum):
    """What a token of a partner is good for."""

    LEADS_WRITE = "leads:write"
    EVENTS_WRITE = "events:write"
    CONVERSIONS_WRITE = "conversions:write"
    SEGMENTS_READ = "segments:read"
    CAMPAIGNS_READ = "campaigns:read"
    REPORTS_READ = "reports:read"
    TIMELINE_READ = "timeline:read"
    MESSAGES_WRITE = "messages:write"
    CREDIT_WRITE = "credit:write"
    DECISIONS_READ = "decisions:read"


# Of no use to another company: who may have messages sent speaks in the lender's name, and what a
# bureau says of a person is the lender's to ask for.
OWN_SYSTEM_SCOPES = frozenset(
    {TokenScope.MESSAGES_WRITE, TokenScope.CREDIT_WRITE, TokenScope.DECISIONS_READ}
)


def scopes_for(kind: SourceKind) -> tuple[TokenScope, ...]:
    """Return what a client may do whose data comes from a source of this kind."""
    is_own = kind is SourceKind.OWN_SYSTEM
    return tuple(scope for scope in TokenScope if is_own or scope not in OWN_SYSTEM_SCOPES)


class LeadStanding(StrEnum):
    """Who gets the credit for a lead.

    ATTRIBUTED: The partner brought a new person.
    KNOWN: The lender knew the person without any partner; no credit, and the partner is not told,
        because "is a customer of this lender" is the person's own business.
    DUPLICATE: Another partner, or this one, brought the person before; the first keeps the credit.
    """

    ATTRIBUTED = "attributed"
    KNOWN = "known"
    DUPLICATE = "duplicate"


class LeadStatus(StrEnum):
    """What a partner is told about a lead."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class ItemCode(StrEnum):
    """Why one item of a partner's call is refused."""

    MALFORMED = "malformed_item"
    REFERENCE_TAKEN = "reference_taken"
    LEAD_NOT_FOUND = "lead_not_found"
    LEAD_IS_DUPLICATE = "lead_is_duplicate"
    LEAD_MISSING = "lead_missing"
    EVENT_NOT_REPORTABLE = "event_not_reportable"
    TIME_IMPLAUSIBLE = "time_implausible"
    AMOUNT_INVALID = "amount_invalid"
    PROPERTIES_INVALID = "properties_invalid"
    CAMPAIGN_NOT_FOUND = "campaign_not_found"
    CUSTOMER_NOT_FOUND = "customer_not_found"


# Decisions, money and contact history are the lender's own facts; a partner reports only what
# happens in front of it.
REPORTABLE_EVENTS = frozenset(
    {
        EventName.APPLICATION_STARTED,
        EventName.APPLICATION_SUBMITTED,
        EventName.APP_LOGIN,
        EventName.PAGE_VIEWED,
        EventName.CALL_MADE,
        EventName.COMPLAINT_MADE,
    }
)
REPORTABLE_CONVERSIONS = frozenset(
    {
        EventName.CONVERSION_REPORTED,
        EventName.APPLICATION_SUBMITTED,
        EventName.APPLICATION_APPROVED,
        EventName.LOAN_DISBURSED,
    }
)


def status_of(standing: LeadStanding) -> LeadStatus:
    """Return what the partner is told about a lead of this standing."""
    if standing is LeadStanding.DUPLICATE:
        return LeadStatus.DUPLICATE
    return LeadStatus.ACCEPTED


def source_of(slug: str) -> str:
    """Return the name under which everything a partner hands in is stored."""
    return f"partner:{slug}"


@dataclass(frozen=True, slots=True)
class ItemFault:
    """Why an item is refused: a code, and the field it is about."""

    code: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of the item at `index` of a call."""

    index: int
    status: LeadStatus
    lead_id: UUID | None = None
    faults: tuple[ItemFault, ...] = ()


def rejected(index: int, *faults: ItemFault) -> ItemOutcome:
    """Return the outcome of a refused item."""
    return ItemOutcome(index=index, status=LeadStatus.REJECTED, faults=faults)
