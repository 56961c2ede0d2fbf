"""What partners may do, and where a lead of theirs stands."""

from enum import StrEnum

from customers.domain.events import EventName


class Scope(StrEnum):
    """What a token of a partner is good for."""

    LEADS_WRITE = "leads:write"
    EVENTS_WRITE = "events:write"
    CONVERSIONS_WRITE = "conversions:write"
    SEGMENTS_READ = "segments:read"
    CAMPAIGNS_READ = "campaigns:read"
    REPORTS_READ = "reports:read"


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
    NOTHING_TO_IDENTIFY = "nothing_to_identify"
    REFERENCE_TAKEN = "reference_taken"
    LEAD_NOT_FOUND = "lead_not_found"
    LEAD_IS_DUPLICATE = "lead_is_duplicate"
    LEAD_MISSING = "lead_missing"
    EVENT_NOT_REPORTABLE = "event_not_reportable"
    EVENT_ID_TAKEN = "event_id_taken"
    TIME_IN_FUTURE = "time_in_future"
    AMOUNT_INVALID = "amount_invalid"
    PROPERTIES_TOO_LARGE = "properties_too_large"
    CONSENT_WITHOUT_EVIDENCE = "consent_without_evidence"
    CAMPAIGN_NOT_FOUND = "campaign_not_found"


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
