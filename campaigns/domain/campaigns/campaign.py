"""States of campaigns, dispatches and messages, and the moves between them."""

from collections.abc import Mapping
from enum import StrEnum


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    IMPORTED = "imported"


CAMPAIGN_MOVES: Mapping[CampaignStatus, frozenset[CampaignStatus]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.IN_REVIEW, CampaignStatus.CANCELLED}),
    CampaignStatus.IN_REVIEW: frozenset(
        {CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.CANCELLED}
    ),
    CampaignStatus.APPROVED: frozenset(
        {CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.CANCELLED}
    ),
    CampaignStatus.RUNNING: frozenset(
        {CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}
    ),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    CampaignStatus.COMPLETED: frozenset(),
    CampaignStatus.CANCELLED: frozenset(),
    CampaignStatus.IMPORTED: frozenset(),
}


class DispatchStatus(StrEnum):
    """Where one run of a campaign's step stands."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    HELD = "held"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class MessageState(StrEnum):
    """Where one person's message stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    HELD_OUT = "held_out"
    CANCELLED = "cancelled"


MESSAGE_MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PLANNED: frozenset(
        {
            MessageState.SENDING,
            MessageState.SKIPPED,
            MessageState.HELD_OUT,
            MessageState.CANCELLED,
        }
    ),
    MessageState.SENDING: frozenset(
        {
            MessageState.PLANNED,
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.BOUNCED,
            MessageState.FAILED,
            MessageState.UNKNOWN,
            MessageState.SKIPPED,
        }
    ),
    MessageState.SENT: frozenset(
        {MessageState.DELIVERED, MessageState.BOUNCED, MessageState.FAILED}
    ),
    MessageState.UNKNOWN: frozenset(
        {
            MessageState.PLANNED,
            MessageState.SENT,
            MessageState.DELIVERED,
            MessageState.BOUNCED,
            MessageState.FAILED,
        }
    ),
    MessageState.FAILED: frozenset({MessageState.DELIVERED}),
    MessageState.BOUNCED: frozenset({MessageState.DELIVERED}),
    MessageState.DELIVERED: frozenset(),
    MessageState.SKIPPED: frozenset(),
    MessageState.HELD_OUT: frozenset(),
    MessageState.CANCELLED: frozenset(),
}

OPEN_STATES = (MessageState.PLANNED, MessageState.SENDING)
HANDED_OVER_STATES = (
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.BOUNCED,
    MessageState.UNKNOWN,
)


class ChunkState(StrEnum):
    """Where a range of messages stands that one worker takes at a time."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
