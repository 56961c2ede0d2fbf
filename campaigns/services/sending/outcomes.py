"""From what a provider or a gate said to what becomes of a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.domain.sending.eligibility import Decision, SkipReason
from campaigns.domain.sending.states import MessageState
from campaigns.domain.sending.volumes import VolumePeriod, next_day
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.sending.composing import Composed
from loancrm.kernel import clock

# With the waits below the last try comes after an hour at least, by when greylisting (RFC 6647) has
# let in who comes again.
MAX_ATTEMPTS = 9
# Questions about a message whose answer was lost, to a provider that knows repeated keys: with the
# waits below about four hours, well inside the life of a key.
MAX_QUESTIONS = 12
FIRST_RETRY_SECONDS = 20.0
LONGEST_RETRY_SECONDS = 3600.0
# A message that the provider is too busy for is no try, so it ends by its age.
LONGEST_WAIT = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Closing:
    """What becomes of one message: its state, and when to try again where it stays open.

    Attributes:
        attempts: The tries to store where the provider said nothing about this message, so that the
            mark's is taken back; None leaves what was counted.
        waiting_since: Since when the provider has been too busy for it.
    """

    message_id: int
    state: MessageState
    reason: str
    due_at: datetime | None = None
    attempts: int | None = None
    waiting_since: datetime | None = None

    @property
    def ending(self) -> tuple[str, str, datetime | None, int | None, datetime | None]:
        """Return what messages of the same fate share."""
        return self.state.value, self.reason, self.due_at, self.attempts, self.waiting_since


@dataclass(frozen=True, slots=True)
class SubBatchResult:
    """What a provider said about a sub-batch.

    Attributes:
        jitter: Between 0 and 1; spreads retries so that they do not come back together.
        can_resend: The provider refuses a repeated key, so a lost answer is asked for again.
        is_account_busy: The account as a whole waits, so that no message has to wait by itself.
    """

    batch: Sequence[Composed]
    results: Sequence[SendResult]
    jitter: float
    can_resend: bool = False
    is_account_busy: bool = False


def over_volume(recipient: Recipient, *, period: str, now: datetime) -> Closing:
    """Return the ending of a message that a cap on numbers stops: for the day, or for good."""
    if period == VolumePeriod.DAY:
        due_at = next_day(now, clock.company_zone())
        reason = SkipReason.DAILY_VOLUME
        return Closing(recipient.message_id, MessageState.PLANNED, reason, due_at)
    return not_sent(recipient, SkipReason.VOLUME_CAP)


def not_sent(recipient: Recipient, reason: str) -> Closing:
    """Return the ending of a message that is not to go out (any more).

    Of one whose provider was to be asked again it is not known whether it went out before.
    """
    if recipient.is_doubtful:
        return Closing(recipient.message_id, MessageState.UNKNOWN, SkipReason.CRASHED)
    return Closing(recipient.message_id, MessageState.SKIPPED, reason)


def held_out(recipient: Recipient, decision: Decision) -> Closing:
    """Return the ending of a message to a control group; one in doubt stays in doubt."""
    if recipient.is_doubtful:
        return not_sent(recipient, decision.reason or "")
    return Closing(recipient.message_id, MessageState.HELD_OUT, decision.reason or "")


def put_off(recipient: Recipient, decision: Decision) -> Closing:
    """Return the deferral of a message, which stays in doubt where it was."""
    reason = SkipReason.ASKED_AGAIN if recipient.is_doubtful else decision.reason or ""
    return Closing(recipient.message_id, MessageState.PLANNED, reason, decision.retry_at)


def closing_of(
    *, item: Composed, result: SendResult, answer: SubBatchResult, now: datetime
) -> Closing:
    """Return what becomes of a message by its provider's answer."""
    message_id = item.recipient.message_id
    match result.outcome:
        case SendOutcome.ACCEPTED:
            return Closing(message_id, MessageState.SENT, "")
        case SendOutcome.REJECTED:
            return Closing(message_id, MessageState.FAILED, SkipReason.CHANNEL_REFUSED)
        case SendOutcome.NOT_TAKEN:
            return _not_taken(item, result, answer, now)
        case SendOutcome.UNKNOWN:
            return _unknown(item, result, answer, now)
        case SendOutcome.RETRY:
            return _retried(item, result, answer, now)


def _not_taken(
    item: Composed, result: SendResult, answer: SubBatchResult, now: datetime
) -> Closing:
    """Keep a message for later without counting a try; one that waits for days has failed."""
    recipient = item.recipient
    since = recipient.waiting_since or now
    waited = now - since
    if waited >= LONGEST_WAIT:
        if recipient.is_doubtful:
            return Closing(recipient.message_id, MessageState.UNKNOWN, SkipReason.CRASHED)
        return Closing(recipient.message_id, MessageState.FAILED, SkipReason.NEVER_TAKEN)
    due_at = now
    if not answer.is_account_busy:
        # The longer it has waited the seldomer it is tried: half as long again each time.
        wait = min(max(waited.total_seconds() / 2, FIRST_RETRY_SECONDS), LONGEST_RETRY_SECONDS)
        due_at += timedelta(seconds=max(result.retry_after_seconds or 0.0, wait))
    return Closing(
        recipient.message_id,
        MessageState.PLANNED,
        SkipReason.ASKED_AGAIN if recipient.is_doubtful else result.code[:40],
        due_at,
        attempts=recipient.attempts,
        waiting_since=since,
    )


def _retried(item: Composed, result: SendResult, answer: SubBatchResult, now: datetime) -> Closing:
    """Try a message again that was put off, some times; one that may be there is asked about."""
    if result.may_be_taken:
        return _unknown(item, result, answer, now)
    message_id, attempts = item.recipient.message_id, item.recipient.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        return Closing(message_id, MessageState.FAILED, SkipReason.RETRIES_EXHAUSTED)
    wait = result.retry_after_seconds or retry_seconds(attempts, answer.jitter)
    return Closing(
        message_id, MessageState.PLANNED, result.code[:40], now + timedelta(seconds=wait)
    )


def _unknown(item: Composed, result: SendResult, answer: SubBatchResult, now: datetime) -> Closing:
    """Ask a provider that knows repeated keys again; no other may be."""
    attempts = item.recipient.attempts + 1
    if not answer.can_resend or attempts >= MAX_QUESTIONS:
        return Closing(item.recipient.message_id, MessageState.UNKNOWN, result.code[:40])
    due_at = now + timedelta(seconds=retry_seconds(attempts, answer.jitter))
    return Closing(item.recipient.message_id, MessageState.PLANNED, SkipReason.ASKED_AGAIN, due_at)


def retry_seconds(attempts: int, jitter: float) -> float:
    """Return how long to wait before the next try: doubling, with up to half of it as jitter."""
    wait = min(FIRST_RETRY_SECONDS * 2.0 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return float(wait * (0.75 + jitter / 2))
