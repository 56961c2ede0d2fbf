"""What one worker keeps while it works on one chunk after the other."""

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import Error as DatabaseFault

from campaigns.channels.base import ChannelBackend
from campaigns.domain.sending.eligibility import MessagePlan
from campaigns.models import Channel, Chunk
from campaigns.services.sending import chunks
from campaigns.services.sending.composing import Composer
from loancrm.kernel.database import leases

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
RENEW_SECONDS = 3.0
# How long an answer under way is waited for once the worker is asked to stop: the provider's own
# time limits are longer than a supervisor's patience.
LANDING_SECONDS = 7.0


# How often a worker that owes a turn looks for what has waited longest.
AGE_LOOK_SECONDS = 0.5
# How often a worker looks after what became due while it works.
LOOK_SECONDS = 1.0


def _never() -> bool:
    return False


def _nothing() -> None:
    return None


@dataclass
class Lane:
    """One worker's time, leases and texts.

    Attributes:
        should_stop: Tells whether the process was asked to stop.
        ends_at: When the time slice is over, by `time.monotonic`.
        advance: Starts what has become due, so that it need not wait for another worker.
        slot: Name of the lease that counts this worker among those at work; empty for none.
        has_turn: The chunk in hand was taken for its age; a part of it goes before what is urgent.
        answering: Keys of the channels whose providers have answered this worker clearly.
    """

    holder: str
    clock: Clock
    rng: random.Random
    should_stop: Callable[[], bool] = _never
    ends_at: float = math.inf
    advance: Callable[[], None] = _nothing
    slot: str = ""
    has_turn: bool = False
    composers: dict[tuple[int, int, int], Composer] = field(default_factory=dict)
    answering: set[int] = field(default_factory=set)
    renewed_at: float = 0.0
    looked_at: float = 0.0
    turn_due_at: float = -math.inf
    stopped_at: float | None = None

    def is_stopping(self) -> bool:
        """Return whether the process was asked to stop; notes when that was first seen."""
        if self.stopped_at is None and self.should_stop():
            self.stopped_at = time.monotonic()
        return self.stopped_at is not None

    def is_over(self) -> bool:
        """Return whether nothing new is to be begun."""
        return self.is_stopping() or time.monotonic() >= self.ends_at

    def may_wait(self) -> bool:
        """Return whether an answer under way is still waited for."""
        if not self.is_stopping():
            return True
        return time.monotonic() < (self.stopped_at or 0.0) + LANDING_SECONDS

    def renew(self, chunk: Chunk) -> None:
        """Renew the leases when it is time.

        Raises:
            LeaseLost: Another worker has the chunk.
        """
        if time.monotonic() - self.renewed_at < RENEW_SECONDS:
            return
        self.renew_slot()
        if not chunks.renew(chunk=chunk):
            raise chunks.LeaseLost(chunk)
        self.renewed_at = time.monotonic()

    def claim(self) -> Chunk | None:
        """Lease the next chunk; once in a while that which has waited longest, if one is aged."""
        self.has_turn = False
        if time.monotonic() >= self.turn_due_at:
            chunk = chunks.claim_aged(holder=self.holder, now=self.clock())
            if chunk is not None:
                self.has_turn = True
                return chunk
            # Nothing is aged, or its account has no room at this moment.
            self.turn_due_at = time.monotonic() + AGE_LOOK_SECONDS
        return chunks.claim(holder=self.holder, now=self.clock())

    def use_turn(self) -> None:
        """Note that what had waited longest goes out now."""
        if self.has_turn:
            self.has_turn = False
            self.turn_due_at = time.monotonic() + chunks.AGED_SECONDS

    def look(self) -> bool:
        """Start what has become due, once a second; return whether it was time to look."""
        if time.monotonic() - self.looked_at < LOOK_SECONDS:
            return False
        self.looked_at = time.monotonic()
        try:
            self.advance()
        except DatabaseFault:
            raise
        except Exception as error:  # noqa: BLE001 - it is no fault of the chunk in hand
            # Its words may hold personal data.
            logger.error("look failed", extra={"error": type(error).__name__})  # noqa: TRY400
        return True

    def renew_slot(self) -> None:
        """Stay counted among the workers that are at work."""
        if self.slot:
            leases.claim(name=self.slot, holder=self.holder, seconds=chunks.LEASE_SECONDS)


@dataclass(frozen=True, slots=True)
class LeasedChunk:
    """One leased chunk with everything that its messages share.

    Attributes:
        is_careful: Workers died over it: one message at a time.
    """

    chunk: Chunk
    plan: MessagePlan
    composer: Composer
    channel: Channel
    provider: ChannelBackend
    is_careful: bool = False

    @property
    def is_own_channel(self) -> bool:
        """Return whether the dispatch's own channel sends, and none that stands in for it."""
        return self.channel.pk == self.chunk.dispatch.channel_id

    @property
    def can_resend(self) -> bool:
        """Return whether a message whose answer was lost may be asked about by sending it again.

        Only of the dispatch's own channel: another one's may work again by then, or not.
        """
        return self.is_own_channel and self.provider.limits.supports_idempotency
