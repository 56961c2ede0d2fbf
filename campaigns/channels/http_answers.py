"""What an SMS gateway's answer to one request means, once it has been read whole."""

import contextlib
import email.utils
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from campaigns.channels.base import Asked, Outbound, Outcome, SendResult
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelError,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
)
from campaigns.domain.refusals import Blame, blame_of
from loancrm.kernel.identifiers import bounded_id

_DEFAULT_PAUSE_SECONDS = 5.0
# A gateway that asks for more is asked again after this; a day's pause by mistake would be worse.
_LONGEST_PAUSE_SECONDS = 3_600.0
_MOST_CODE = 40
_MOST_DETAIL = 200


class Item(msgspec.Struct):
    """What a gateway says about one message."""

    id: str
    status: str
    message_id: str = ""
    code: str = ""
    detail: str = ""


class Answer(msgspec.Struct):
    """The body of an answer: a result for each message, or an error for all of them."""

    results: list[Item] = []
    error: str = ""
    code: str = ""


class RequestRefused(Exception):
    """The gateway refused the request as a whole; one of its messages may be the reason."""


decoder = msgspec.json.Decoder(Answer)
_OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "rejected": Outcome.REJECTED,
    "retry": Outcome.RETRY,
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
    if status != 200:
        _raise_for(channel, status, retry_after, content, now)
        if not 200 < status < 300:
            return uncertain(group, f"http_{status}", knows_keys=knows_keys)
    try:
        answer = decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return uncertain(group, "answer_unreadable", knows_keys=knows_keys)
    if not answer.results and (answer.error or answer.code):
        raise _error_inside(channel, answer, retry_after, now)
    items = {item.id: item for item in answer.results}
    pause = seconds_of(retry_after, now=now) if retry_after else None
    results = [
        _result(message, items.get(message.idempotency_key), pause, knows_keys=knows_keys)
        for message in group
    ]
    _raise_when_account_is_refused(channel, results)
    return results


def _raise_for(
    channel: str, status: int, retry_after: str | None, content: bytes, now: datetime
) -> None:
    """Raise for a status that says that nothing was taken; the other 5xx may have taken it."""
    if status == 429:
        raise ChannelThrottled(
            channel=channel, retry_after_seconds=seconds_of(retry_after, now=now)
        )
    if status in {408, 503}:
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
    if 400 <= status < 500:
        said = _said(content)
        if blame_of(said.code, said.error) is Blame.ACCOUNT:
            raise ChannelBlocked(channel=channel, problem=said.code[:_MOST_CODE] or "account")
        if status == 409:
            # The same key is being worked on; its result is there later.
            raise ChannelUnavailable(channel=channel, problem=f"http_{status}")
        raise RequestRefused(f"http_{status}")


def _said(content: bytes) -> Answer:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(content)
    return Answer()


def _error_inside(
    channel: str, answer: Answer, retry_after: str | None, now: datetime
) -> ChannelError:
    """Return the error that stands for an answer without results."""
    problem = answer.code[:_MOST_CODE] or "the gateway reports an error"
    blame = blame_of(answer.code or answer.error, answer.error)
    if blame is Blame.ACCOUNT:
        return ChannelBlocked(channel=channel, problem=answer.code[:_MOST_CODE] or "account")
    if blame is Blame.BUSY:
        return ChannelThrottled(
            channel=channel, retry_after_seconds=seconds_of(retry_after, now=now)
        )
    return ChannelUnavailable(channel=channel, problem=problem)


def _result(
    message: Outbound, item: Item | None, pause: float | None, *, knows_keys: bool
) -> SendResult:
    if item is None or item.status not in _OUTCOMES:
        return uncertain([message], "no_result", knows_keys=knows_keys)[0]
    outcome = _OUTCOMES[item.status]
    if outcome is not Outcome.ACCEPTED:
        blame = blame_of(item.code, item.detail)
        if blame is Blame.ACCOUNT or (blame is Blame.BUSY and outcome is Outcome.RETRY):
            outcome = Outcome.NOT_TAKEN
    return SendResult(
        message_id=message.message_id,
        outcome=outcome,
        provider_message_id=bounded_id(item.message_id),
        code=item.code[:_MOST_CODE],
        detail=item.detail[:_MOST_DETAIL],
        retry_after_seconds=None if outcome is Outcome.ACCEPTED else pause,
    )


def _raise_when_account_is_refused(channel: str, results: Sequence[SendResult]) -> None:
    """Raise where every message was refused for the account's sake."""
    if results and all(
        result.outcome is Outcome.NOT_TAKEN and blame_of(result.code) is Blame.ACCOUNT
        for result in results
    ):
        raise ChannelBlocked(channel=channel, problem=results[0].code)


def read_fates(keys: Sequence[str], content: bytes) -> dict[str, Asked]:
    """Return what a gateway clearly says about keys; contradictions are left out."""
    try:
        items = decoder.decode(content).results
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    said: dict[str, set[str]] = {}
    for item in items:
        said.setdefault(item.id, set()).add(item.status)
    clear = {frozenset({asked.value}): asked for asked in Asked}
    found = {key: clear.get(frozenset(said.get(key, ()))) for key in keys}
    return {key: asked for key, asked in found.items() if asked is not None}


def uncertain(group: Sequence[Outbound], code: str, *, knows_keys: bool) -> list[SendResult]:
    """Return results for messages that may have been taken: asked again where keys protect."""
    outcome = Outcome.RETRY if knows_keys else Outcome.UNKNOWN
    return [
        SendResult(message.message_id, outcome, code=code, may_be_taken=True) for message in group
    ]


def put_off(group: Sequence[Outbound], error: ChannelError) -> list[SendResult]:
    """Return results for messages of which nothing was handed over, beside others that were."""
    pause = getattr(error, "retry_after_seconds", None)
    problem = str(error.facts.get("problem", ""))[:_MOST_CODE]
    code = problem if isinstance(error, ChannelBlocked) else error.code
    return [
        SendResult(message.message_id, Outcome.NOT_TAKEN, code=code, retry_after_seconds=pause)
        for message in group
    ]


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
