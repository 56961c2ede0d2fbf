"""What an SMS gateway's answer to one request means, once it has been read whole."""

import contextlib
import email.utils
from collections.abc import Sequence
from datetime import UTC, datetime

from campaigns.channels import http_items
from campaigns.channels.base import Asked, Outbound, SendOutcome, SendResult
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelError,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
)
from campaigns.channels.http_items import BatchResponse, Item
from campaigns.domain.receipts.refusals import Blame, blame_of
from loancrm.kernel.identifiers import bounded_id

_DEFAULT_PAUSE_SECONDS = 5.0
# A gateway that asks for more is asked again after this; a day's pause by mistake would be worse.
_LONGEST_PAUSE_SECONDS = 3_600.0


class RequestRefused(Exception):
    """The gateway refused the request as a whole; one of its messages may be the reason."""


_OUTCOMES = {
    "accepted": SendOutcome.ACCEPTED,
    "rejected": SendOutcome.REJECTED,
    "retry": SendOutcome.RETRY,
}


def read(
    group: Sequence[Outbound],
    *,
    channel: str,
    status: int,
    retry_after: str | None,
    content: bytes,
    now: datetime,
    knows_keys: bool,
) -> list[SendResult]:
    """Return what became of each message of a request.

    Args:
        now: By the system's clock: a `Retry-After` may name a moment.
        knows_keys: The gateway answers a repeated id without sending again.

    Raises:
        ChannelBlocked, ChannelMisconfigured, ChannelThrottled, ChannelUnavailable: Nothing was
            taken.
        RequestRefused: Nothing was taken, perhaps for the sake of one message.
    """
    answer = http_items.read(content)
    if status != 200:
        _raise_for(channel, status, retry_after, answer, now, knows_keys=knows_keys)
        if not 200 < status < 300:
            return uncertain(group, f"http_{status}", knows_keys=knows_keys)
    if not answer.is_readable:
        return uncertain(group, "answer_unreadable", knows_keys=knows_keys)
    if answer.is_error:
        raise _error_inside(channel, answer, retry_after, now)
    pause = seconds_of(retry_after, now=now) if retry_after else None
    results = [
        _result(
            message,
            answer.items.get(message.idempotency_key, ()),
            pause,
            knows_keys=knows_keys,
        )
        for message in group
    ]
    _raise_when_account_is_refused(channel, results)
    return results


def _raise_for(
    channel: str,
    status: int,
    retry_after: str | None,
    answer: BatchResponse,
    now: datetime,
    *,
    knows_keys: bool,
) -> None:
    """Raise for a status that says that nothing was taken; the other 5xx may have taken it."""
    if status == 429:
        raise ChannelThrottled(
            channel=channel, retry_after_seconds=seconds_of(retry_after, now=now)
        )
    if status in {408, 503} and (retry_after or answer.is_error or knows_keys):
        # Without any of these a proxy may have said so, after the gateway took everything.
        raise ChannelUnavailable(
            channel=channel,
            problem=f"http_{status}",
            retry_after_seconds=seconds_of(retry_after, now=now),
        )
    if status in {401, 402, 403}:
        raise ChannelBlocked(channel=channel, problem=f"http_{status}")
    if status in {404, 405, 410, 501} or 300 <= status < 400:
        # A redirect would turn the request into another one; the address has to be mended.
        raise ChannelMisconfigured(f"the gateway answered {status}")
    if 400 <= status < 500 and status != 408:
        if answer.is_error and blame_of(answer.code, answer.error) is Blame.ACCOUNT:
            raise ChannelBlocked(channel=channel, problem=answer.code or "account")
        if status == 409:
            # The same key is being worked on; its result is there later.
            raise ChannelUnavailable(channel=channel, problem=f"http_{status}")
        raise RequestRefused(f"http_{status}")


def _error_inside(
    channel: str, answer: BatchResponse, retry_after: str | None, now: datetime
) -> ChannelError:
    """Return the error that stands for an answer without results."""
    problem = answer.code or "the gateway reports an error"
    blame = blame_of(answer.code or answer.error, answer.error)
    if blame is Blame.ACCOUNT:
        return ChannelBlocked(channel=channel, problem=answer.code or "account")
    if blame is Blame.BUSY:
        return ChannelThrottled(
            channel=channel, retry_after_seconds=seconds_of(retry_after, now=now)
        )
    return ChannelUnavailable(channel=channel, problem=problem)


def _result(
    message: Outbound, items: Sequence[Item], pause: float | None, *, knows_keys: bool
) -> SendResult:
    """Return what all that a gateway says about a message amounts to.

    What was taken once is taken, whatever else is said about it.
    """
    said = [_of_item(message, item, pause) for item in items]
    for result in said:
        if result is not None and result.outcome is SendOutcome.ACCEPTED:
            return result
    first = said[0] if said else None
    if first is None:
        return uncertain([message], "no_result", knows_keys=knows_keys)[0]
    if any(result is None or result.outcome is not first.outcome for result in said):
        return uncertain([message], "contradiction", knows_keys=knows_keys)[0]
    return first


def _of_item(message: Outbound, item: Item, pause: float | None) -> SendResult | None:
    """Return what one item says; None where that cannot be told."""
    outcome = _OUTCOMES.get(item.status)
    if outcome is None:
        return None
    if outcome is not SendOutcome.ACCEPTED and _is_not_taken(item, outcome):
        outcome = SendOutcome.NOT_TAKEN
    return SendResult(
        message_id=message.message_id,
        outcome=outcome,
        provider_message_id=bounded_id(item.message_id),
        code=item.code,
        detail=item.detail,
        retry_after_seconds=None if outcome is SendOutcome.ACCEPTED else pause,
    )


def _is_not_taken(item: Item, outcome: SendOutcome) -> bool:
    """Return whether the account or its load is the reason: never this message.

    Of one that is rejected only a code says so: words may speak of the load of its number.
    """
    blame = blame_of(item.code, item.detail)
    is_busy = blame is Blame.BUSY and (
        outcome is SendOutcome.RETRY or blame_of(item.code) is Blame.BUSY
    )
    return is_busy or blame is Blame.ACCOUNT


def _raise_when_account_is_refused(channel: str, results: Sequence[SendResult]) -> None:
    """Raise where every message was refused for the account's sake."""
    if results and all(
        result.outcome is SendOutcome.NOT_TAKEN and blame_of(result.code) is Blame.ACCOUNT
        for result in results
    ):
        raise ChannelBlocked(channel=channel, problem=results[0].code)


def read_fates(keys: Sequence[str], content: bytes) -> dict[str, Asked]:
    """Return what a gateway clearly says about keys; contradictions are left out."""
    items = http_items.read(content).items
    clear = {frozenset({asked.value}): asked for asked in Asked}
    found = {key: clear.get(frozenset(item.status for item in items.get(key, ()))) for key in keys}
    return {key: asked for key, asked in found.items() if asked is not None}


def uncertain(group: Sequence[Outbound], code: str, *, knows_keys: bool) -> list[SendResult]:
    """Return results for messages that may have been taken: asked again where keys protect."""
    outcome = SendOutcome.RETRY if knows_keys else SendOutcome.UNKNOWN
    return [
        SendResult(message.message_id, outcome, code=code, may_be_taken=True) for message in group
    ]


def put_off(group: Sequence[Outbound], error: ChannelError) -> list[SendResult]:
    """Return results for messages of which nothing was handed over, beside others that were."""
    pause = getattr(error, "retry_after_seconds", None)
    problem = str(error.facts.get("problem", ""))[:40]
    code = problem if isinstance(error, ChannelBlocked) else error.code
    return [
        SendResult(message.message_id, SendOutcome.NOT_TAKEN, code=code, retry_after_seconds=pause)
        for message in group
    ]


def without_answer(
    group: Sequence[Outbound],
    error: Exception,
    *,
    channel: str,
    is_connected: bool,
    knows_keys: bool,
) -> list[SendResult] | ChannelUnavailable:
    """Return what a request without an answer means: without a connection nothing was taken."""
    if not is_connected:
        return ChannelUnavailable(channel=channel, problem=type(error).__name__)
    code = "timeout" if isinstance(error, TimeoutError) else "connection_lost"
    return uncertain(group, code, knows_keys=knows_keys)


def of_batch(
    batch: Sequence[Outbound], answers: Sequence[SendResult | ChannelError]
) -> list[SendResult]:
    """Return the results of messages that were handed over one by one.

    Raises:
        ChannelError: None of them was taken, and this is the gravest reason.
    """
    errors = [answer for answer in answers if isinstance(answer, ChannelError)]
    if errors and len(errors) == len(batch):
        raise gravest(errors)
    return [
        put_off([message], answer)[0] if isinstance(answer, ChannelError) else answer
        for message, answer in zip(batch, answers, strict=True)
    ]


def gravest(errors: Sequence[ChannelError]) -> ChannelError:
    """Return what a batch ends with: a block before a wait, the longest wait before others."""
    for kind in (ChannelBlocked, ChannelMisconfigured):
        for error in errors:
            if isinstance(error, kind):
                return error
    return max(errors, key=lambda error: float(getattr(error, "retry_after_seconds", 0.0)))


def seconds_of(header: str | None, *, now: datetime) -> float:
    """Return a Retry-After in seconds, at most an hour: a number, or a date as RFC 9110 writes it.

    One that is missing or not readable gives five seconds.
    """
    text = (header or "").strip()
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if seconds == seconds:  # noqa: PLR0124 - "nan" is a number to float()
            return min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        moment = email.utils.parsedate_to_datetime(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), _LONGEST_PAUSE_SECONDS)
    return _DEFAULT_PAUSE_SECONDS
