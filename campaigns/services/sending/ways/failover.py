"""Which channel sends where a dispatch's own is down.

Only what was certainly not handed over goes another way: planned messages that no provider may have
taken. What is under way, of unknown fate, or to be asked about again stays with its own provider.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.channels.errors import ChannelMisconfigured
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import MessageState
from campaigns.models import Channel, Chunk, Dispatch, StandIn
from campaigns.selectors.filing import standing
from campaigns.services.sending import providers, throttling
from loancrm.kernel.database.shared_clock import Moment

# An account that pauses for less is waited for: a short pause is no reason to send elsewhere.
PATIENCE_SECONDS = 60.0
# How long a message waits that only the channel that is down may be asked about, or may send.
ASK_AGAIN = timedelta(seconds=30)


def is_down(prefix: str = "") -> Q:
    """Return the condition that an account is blocked, or has taken nothing for a minute.

    Args:
        prefix: The way to the channel from the rows that are asked for.
    """
    is_blocked = Q(**{f"{prefix}blocked_at__isnull": False})
    stands_still = Q(
        **{
            f"{prefix}paused_until__gt": Moment(),
            f"{prefix}paused_since__lte": Moment(-PATIENCE_SECONDS),
        }
    )
    return is_blocked | stands_still


def can_send(prefix: str, *, now: datetime, slot_seconds: float) -> Q:
    """Return the condition that a channel, or who stands in for it, could take messages now.

    Args:
        prefix: The way to the channel from the rows that are asked for.
        now: By which day filings count.
        slot_seconds: A channel counts whose rate limit leaves room within so many seconds.
    """
    own = throttling.is_open(prefix) & throttling.has_room(prefix, seconds=slot_seconds)
    others = _usable(StandIn.objects.filter(channel=OuterRef(f"{prefix}pk")), now=now).filter(
        throttling.has_room("other__", seconds=slot_seconds)
    )
    return own | (is_down(prefix) & Q(Exists(others)))


def channel_for(*, dispatch: Dispatch, now: datetime) -> Channel:
    """Return the channel that sends for a dispatch now: its own, unless that one is down.

    Raises:
        ChannelMisconfigured: The dispatch has none, as those of imported campaigns.
    """
    own = providers.channel_of(dispatch)
    if own.blocked_at is None and own.paused_since is None:
        # As of the claim.
        return own
    return _first_usable(own, now=now) or own


def goes_on(*, dispatch: Dispatch, now: datetime) -> bool:
    """Return whether another channel sends what a dispatch's own, or the last one, refuses."""
    return dispatch.channel_id is not None and (
        Channel.objects.filter(pk=dispatch.channel_id)
        .filter(Q(blocked_at__isnull=True) | Q(Exists(_usable(_of(dispatch.channel_id), now=now))))
        .exists()
    )


def knows_keys(chunk: Chunk) -> bool:
    """Return whether the provider of a chunk's own channel refuses a repeated key."""
    try:
        provider = providers.provider_of(providers.channel_of(chunk.dispatch))
    except ChannelMisconfigured:
        # Whether it knows keys cannot be told, so nothing is asked again.
        return False
    return provider.limits.supports_idempotency


def put_off_own(*, chunk: Chunk, now: datetime) -> None:
    """Let what only the channel that is down may be asked about wait for that one.

    For a service that holds the chunk's lock: what nobody can do now must not be claimed again and
    again.
    """
    chunk.dispatch.messages.filter(
        Q(due_at__isnull=True) | Q(due_at__lte=now),
        pk__gte=chunk.first_message_id,
        pk__lte=chunk.last_message_id,
        state=MessageState.PLANNED,
        reason=SkipReason.ASKED_AGAIN,
    ).update(due_at=now + ASK_AGAIN)


def _of(channel_id: int) -> QuerySet[StandIn]:
    return StandIn.objects.filter(channel_id=channel_id)


def _usable(rows: QuerySet[StandIn], *, now: datetime) -> QuerySet[StandIn]:
    today = standing.today_of(now)
    return rows.filter(
        throttling.is_open("other__"),
        standing.has_signature("other__", today=today),
        standing.has_template("other__", today=today),
        other__is_active=True,
    )


def _first_usable(own: Channel, *, now: datetime) -> Channel | None:
    """Return who stands in for a channel that is down; None where it is not, or nobody does."""
    if not Channel.objects.filter(is_down(), pk=own.pk).exists():
        return None
    row = _usable(_of(own.pk), now=now).select_related("other").order_by("position").first()
    return row.other if row is not None else None
