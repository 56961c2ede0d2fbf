"""What partners send and what they get back; unknown fields are refused, not ignored."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from campaigns.domain.partners.contract import LeadStatus
from campaigns.domain.requests.call import MOST_ROWS, RequestPriority
from campaigns.domain.sending.states import MessageState
from customers.domain.consents.consent import ConsentChannel, Purpose
from loancrm.api.errors import ItemError

# Control characters never belong in an id, and PostgreSQL stores no NUL.
_PRINTABLE = r"^[^\u0000-\u001f\u007f]*$"
Text = Annotated[str, Meta(max_length=200)]
Reference = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
OptionalReference = Annotated[str, Meta(max_length=64, pattern=_PRINTABLE)]
EventId = Annotated[str, Meta(min_length=1, max_length=100, pattern=_PRINTABLE)]
Subject = Annotated[str, Meta(max_length=64, pattern=_PRINTABLE)]
EventLabel = Annotated[str, Meta(max_length=40, pattern=_PRINTABLE)]
Label = Annotated[str, Meta(max_length=40)]
Slug = Annotated[str, Meta(max_length=80, pattern="^[-a-zA-Z0-9_]*$")]
TemplateSlug = Annotated[str, Meta(min_length=1, max_length=80, pattern="^[-a-zA-Z0-9_]+$")]
Moment = Annotated[datetime, Meta(tz=True)]
_BULK_ITEMS = 1000


class ConsentIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A consent that the partner collected; a grant needs its evidence."""

    channel: ConsentChannel
    purpose: Purpose
    at: Moment
    granted: Any = True
    """true or false. Any other word than yes or no begins no consent and ends one that stands."""
    evidence: Annotated[str, Meta(max_length=200, pattern=_PRINTABLE)] = ""
    """Where the proof is kept: a form version, a recording id, a document number."""
    policy_version: EventLabel = ""


class LeadIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A person; a phone number, an e-mail address or a national id is needed."""

    reference: Reference
    """The partner's own id of the lead; unique."""
    name: Text = ""
    phone: Text = ""
    email: Annotated[str, Meta(max_length=320)] = ""
    national_id: Label = ""
    birth_date: Label = ""
    gender: Label = ""
    province: Label = ""
    city: Label = ""
    occupation: Annotated[str, Meta(max_length=60)] = ""
    education: Label = ""
    marital: Annotated[str, Meta(max_length=20)] = ""
    income_band: Annotated[str, Meta(max_length=20)] = ""
    language: Annotated[str, Meta(max_length=10, pattern="^(zh-hans|en)?$")] = ""
    campaign: Slug = ""
    """Slug of a shared campaign that the lead came from."""
    consents: Annotated[list[ConsentIn], Meta(max_length=10)] = []

    def __repr__(self) -> str:
        """Return no personal data."""
        return "LeadIn(…)"


class EventIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Something one of the partner's leads did."""

    event_id: EventId
    """The partner's own id of the event; sent twice, it is stored once."""
    event: Annotated[str, Meta(min_length=1, max_length=60)]
    occurred_at: Moment
    lead_id: UUID | None = None
    reference: OptionalReference = ""
    amount: Decimal | None = None
    """CNY."""
    channel: EventLabel = ""
    subject: Subject = ""
    """Product code or page."""
    properties: dict[str, str | int | float | bool | None] = {}


class ConversionIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A lead of the partner did what a campaign was for."""

    conversion_id: EventId
    occurred_at: Moment
    lead_id: UUID | None = None
    reference: OptionalReference = ""
    event: Annotated[str, Meta(max_length=60)] = "conversion_reported"
    """conversion_reported, or the goal itself: application_submitted, application_approved,
    loan_disbursed."""
    amount: Decimal | None = None
    """CNY; the loan amount."""
    campaign: Slug = ""
    """Slug of a shared campaign."""


class LeadBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 leads; good ones are stored, bad ones are answered by index."""

    leads: Annotated[list[LeadIn], Meta(min_length=1, max_length=_BULK_ITEMS)]


class EventBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 events; good ones are stored, bad ones are answered by index."""

    events: Annotated[list[EventIn], Meta(min_length=1, max_length=_BULK_ITEMS)]


class RawLeads(Struct, frozen=True, forbid_unknown_fields=True):
    """The outer shape of LeadBatch; its items are decoded one by one."""

    leads: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=_BULK_ITEMS)]


class RawEvents(Struct, frozen=True, forbid_unknown_fields=True):
    """The outer shape of EventBatch; its items are decoded one by one."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=_BULK_ITEMS)]


class MessageIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A message to one person, named by exactly one of `customer`, `phone` and `email`."""

    customer: UUID | None = None
    """Public id of the customer."""
    phone: Text = ""
    email: Annotated[str, Meta(max_length=320)] = ""
    variables: Annotated[dict[str, str], Meta(max_length=50)] = {}
    """A value for every variable that the template declares, such as a one-time code."""
    reference: OptionalReference = ""
    """The caller's own name for the message; comes back with its state."""

    def __repr__(self) -> str:
        """Return no personal data."""
        return "MessageIn(…)"


class MessageCall(Struct, frozen=True, forbid_unknown_fields=True):
    """Messages of one template to up to 500 people."""

    template: TemplateSlug
    messages: Annotated[list[MessageIn], Meta(min_length=1, max_length=MOST_ROWS)]
    priority: RequestPriority = RequestPriority.NORMAL
    """urgent goes before everything else that waits, service before ordinary campaigns."""


class RawMessageCall(Struct, frozen=True, forbid_unknown_fields=True):
    """The outer shape of MessageCall; its messages are decoded one by one."""

    template: TemplateSlug
    messages: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_ROWS)]
    priority: RequestPriority = RequestPriority.NORMAL


class MessageResult(Struct, frozen=True, omit_defaults=True):
    """What became of one message; `message_id` names one that is accepted."""

    index: int
    status: LeadStatus
    message_id: UUID | None = None
    reference: str = ""
    state: str = ""
    errors: list[ItemError] = []


class MessageCallReply(Struct, frozen=True):
    """One result for every message, in the order sent."""

    request_id: UUID
    received: int
    accepted: int
    rejected: int
    results: list[MessageResult]


class TriggerIn(Struct, frozen=True, forbid_unknown_fields=True):
    """One person whose message of a campaign begins."""

    customer: UUID
    """Public id of the customer."""
    reference: OptionalReference = ""
    """The caller's own name for it; one that came before begins nothing again."""


class TriggerCall(Struct, frozen=True, forbid_unknown_fields=True):
    """Triggers of one campaign, of up to 500 people."""

    triggers: Annotated[list[TriggerIn], Meta(min_length=1, max_length=MOST_ROWS)]


class RawTriggerCall(Struct, frozen=True, forbid_unknown_fields=True):
    """The outer shape of TriggerCall; its triggers are decoded one by one."""

    triggers: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_ROWS)]


class TriggerResultOut(Struct, frozen=True, omit_defaults=True):
    """What became of one trigger."""

    index: int
    status: LeadStatus
    reference: str = ""
    errors: list[ItemError] = []


class TriggerCallReply(Struct, frozen=True):
    """One result for every trigger, in the order sent."""

    received: int
    accepted: int
    duplicates: int
    rejected: int
    results: list[TriggerResultOut]


class MessageOut(Struct, frozen=True):
    """Where a message stands; `reason` says why it was not sent."""

    message_id: UUID
    reference: str
    state: MessageState
    reason: str


class MessageRequestOut(Struct, frozen=True):
    """A request with the messages that were accepted."""

    request_id: UUID
    template: str
    priority: RequestPriority
    received_at: datetime
    messages: list[MessageOut]


class ItemResult(Struct, frozen=True, omit_defaults=True):
    """What became of one item; `lead_id` names the lead it made or met."""

    index: int
    status: LeadStatus
    lead_id: UUID | None = None
    errors: list[ItemError] = []


class BulkReply(Struct, frozen=True):
    """One result for every item, in the order sent."""

    received: int
    accepted: int
    duplicates: int
    rejected: int
    results: list[ItemResult]


class LeadOut(Struct, frozen=True):
    """A lead as its own partner sees it."""

    lead_id: UUID
    reference: str
    status: LeadStatus
    received_at: datetime


class LeadReply(Struct, frozen=True):
    """What became of one lead."""

    lead_id: UUID
    reference: str
    status: LeadStatus


class EventReply(Struct, frozen=True):
    """What became of one event or conversion."""

    id: str
    status: LeadStatus


class CampaignOut(Struct, frozen=True):
    """A shared campaign."""

    slug: str
    name: str
    status: str
    purpose: str
    goal_event: str
    goal_window_days: int
    launched_at: datetime | None


class CampaignPage(Struct, frozen=True):
    """One page; `next_cursor` is null on the last."""

    results: list[CampaignOut]
    next_cursor: str | None
