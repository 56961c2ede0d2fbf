"""States of dispatches, chunks and messages, and the moves between them."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class DispatchSource(StrEnum):
    """What a dispatch came from; it has exactly one source."""

    STEP = "step"
    REQUEST = "request"


class Priority(IntEnum):
    """What is worked first; the lower, the sooner."""

    URGENT = 0
    SERVICE = 10
    NORMAL = 20


class DispatchStatus(StrEnum):
    """Where a dispatch stands; only a running one is worked, and only while it is not paused."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    HELD = "held"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class HoldReason(StrEnum):
    """Why a dispatch is held, or makes no headway.

    CHANGED_TEXTS and the like are named by the approved part that changed; those of keys and
    of the database are the codes of what a worker ran into.
    """

    CHANGED_TEXTS = "changed_texts"
    CHANGED_CONSTANTS = "changed_constants"
    CHANGED_CHANNELS = "changed_channels"
    CHANGED_STAND_INS = "changed_stand_ins"
    CHANGED_AUDIENCE = "changed_audience"
    RULES_FORBID = "rules_forbid"
    SCORE_NOT_USABLE = "score_not_usable"
    UNFAIR_AUDIENCE = "unfair_audience"
    RESTORED = "restored"
    LATE = "late"
    CHANNEL_MISCONFIGURED = "channel_misconfigured"
    CHANNEL_UNAVAILABLE = "channel_unavailable"
    CHANNEL_BLOCKED = "channel_blocked"
    SIGNATURE_NOT_FILED = "signature_not_filed"
    TEMPLATE_NOT_FILED = "template_not_filed"
    WORK_FAILS = "work_fails"
    RUN_FAILS = "run_fails"
    NEXT_STEP_FAILS = "next_step_fails"
    KEYS_WRONG = "keys_wrong"
    DATABASE_FULL = "database_full"
    DATABASE_READ_ONLY = "database_read_only"
    DATABASE_UNAVAILABLE = "database_unavailable"
    DATABASE_SCHEMA = "database_schema"


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
