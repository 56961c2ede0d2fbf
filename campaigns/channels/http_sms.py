"""Text messages through a JSON gateway over HTTP connections that stay open.

Request: `POST url` with `{"messages": [{"id", "to", "text"}, ...]}`, signed in the form of Standard
Webhooks, with `Idempotency-Key`. Answer: `{"results": [{"id", "status", "message_id", "code"}]}`
with status `accepted`, `rejected` or `retry` for each message. The `id` is our idempotency key; the
gateway answers a repeated id with the first result.
"""

import asyncio
import contextlib
import hashlib
import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time

import aiohttp
import msgspec

from campaigns.channels import base, signatures
from campaigns.channels.base import (
    Limits,
    Outbound,
    Outcome,
    SendResult,
    SmsPayload,
    WebhookRequest,
)
from campaigns.channels.errors import (
    ChannelError,
    ChannelMisconfigured,
    ChannelThrottled,
    ChannelUnavailable,
)
from campaigns.channels.loop_thread import LoopThread
from campaigns.domain import sms_parts
from campaigns.domain.receipts import DeliveryEvent

_DEFAULT_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 3_600.0
_MAX_ANSWER_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class HttpSmsOptions:
    """Options of an SMS gateway.

    Attributes:
        url: Where messages are posted.
        secret: Standard Webhooks secret that signs requests; empty sends them unsigned.
        webhook_secret: Secret of delivery reports and replies; `secret` where it is empty.
        messages_per_request: How many messages one POST may carry.
        connections: Most connections, and so most requests under way, of each process.
        supports_idempotency: Whether the gateway answers a repeated id without sending again.
        require_signature: Refuse texts that do not begin with a signature in 【】.
    """

    url: str = "http://127.0.0.1:8026/messages"
    secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    messages_per_request: int = 50
    connections: int = 100
    supports_idempotency: bool = True
    require_signature: bool = True
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse values that could never work."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url must begin with http:// or https://")
        if not 1 <= self.messages_per_request <= 1000 or not 1 <= self.connections <= 1000:
            raise ValueError("messages_per_request and connections must be 1 to 1000")


class _Item(msgspec.Struct):
    id: str
    status: str
    message_id: str = ""
    code: str = ""
    detail: str = ""


class _Answer(msgspec.Struct):
    results: list[_Item] = []
    error: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Answer)
_OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "rejected": Outcome.REJECTED,
    "retry": Outcome.RETRY,
}


class _NotReadable(Exception):
    """The gateway refused the request as a whole; one of its messages may be the reason."""


class HttpSmsChannel:
    """Posts messages to a gateway, many in one request where it allows that."""

    options_type = HttpSmsOptions

    def __init__(self, name: str, options: HttpSmsOptions) -> None:
        """Keep the options; connections open with the first message."""
        self.name = name
        per_flight = max(options.messages_per_request, 50)
        under_way = options.connections * options.messages_per_request
        self.limits = Limits(
            batch_size=per_flight,
            flights=max(2, min(8, math.ceil(under_way / per_flight))),
            supports_idempotency=options.supports_idempotency,
        )
        self._options = options
        self._thread = LoopThread(f"sms-{name}")
        self._session: aiohttp.ClientSession | None = None
        self._room: asyncio.Semaphore | None = None

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait."""
        return self.submit(batch).result()

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch."""
        if not batch:
            return base.finished([])
        if not all(isinstance(message.payload, SmsPayload) for message in batch):
            return base.failed(ChannelMisconfigured("an SMS channel takes text messages only"))
        _loop, is_new = self._thread.ensure()
        if is_new:
            self._session = self._room = None
        return self._thread.run(self._send_batch(list(batch)))

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read delivery reports and replies."""
        signatures.verify(request, secrets=[self._options.webhook_secret or self._options.secret])
        return signatures.read_events(request)

    def close(self) -> None:
        """Close the connections."""
        if not self._thread.is_running:
            return
        self._thread.run(self._close()).result(timeout=30)
        self._thread.stop()

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send_batch(self, batch: list[Outbound]) -> list[SendResult]:
        results: dict[int, SendResult] = {}
        sendable: list[Outbound] = []
        for message in batch:
            if self._options.require_signature and not sms_parts.leading_signature(_text(message)):
                results[message.message_id] = SendResult(
                    message.message_id, Outcome.REJECTED, code="signature_missing"
                )
            else:
                sendable.append(message)
        size = self._options.messages_per_request
        groups = [sendable[start : start + size] for start in range(0, len(sendable), size)]
        answers = await asyncio.gather(*(self._send_group(group) for group in groups))
        errors = [answer for answer in answers if isinstance(answer, ChannelError)]
        if errors and len(errors) == len(groups) and not results:
            raise errors[0]
        for group, answer in zip(groups, answers, strict=True):
            outcome = _put_off(group, answer) if isinstance(answer, ChannelError) else answer
            results.update((result.message_id, result) for result in outcome)
        return [results[message.message_id] for message in batch]

    async def _send_group(self, group: list[Outbound]) -> list[SendResult] | ChannelError:
        """Send one request; an error means that nothing of the group was taken."""
        try:
            return await self._post(group)
        except _NotReadable as err:
            if len(group) == 1:
                return [SendResult(group[0].message_id, Outcome.REJECTED, code=str(err))]
        except ChannelError as err:
            return err
        except aiohttp.ClientConnectorError as err:
            return ChannelUnavailable(channel=self.name, problem=type(err).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            code = "timeout" if isinstance(err, TimeoutError) else "connection_lost"
            return [SendResult(message.message_id, Outcome.UNKNOWN, code=code) for message in group]
        # One bad message must not cost the others: each goes alone, with the same key.
        singles = await asyncio.gather(*(self._send_group([message]) for message in group))
        return [
            result
            for message, single in zip(group, singles, strict=True)
            for result in (
                _put_off([message], single) if isinstance(single, ChannelError) else single
            )
        ]

    async def _post(self, group: list[Outbound]) -> list[SendResult]:
        session = self._open_session()
        assert self._room is not None  # noqa: S101 - made together with the session
        body = _encoder.encode(
            {
                "messages": [
                    {"id": message.idempotency_key, "to": message.to, "text": _text(message)}
                    for message in group
                ]
            }
        )
        async with (
            self._room,
            session.post(
                self._options.url, data=body, headers=self._headers(group, body)
            ) as answer,
        ):
            content = await answer.content.read(_MAX_ANSWER_BYTES)
            return self._read(group, answer.status, answer.headers.get("Retry-After"), content)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            options = self._options
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=options.connections, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(
                    total=options.timeout_seconds, sock_connect=options.connect_timeout_seconds
                ),
                headers={"Content-Type": "application/json"},
                auto_decompress=False,
                trust_env=False,
            )
            self._room = asyncio.Semaphore(options.connections)
        return self._session

    def _headers(self, group: list[Outbound], body: bytes) -> dict[str, str]:
        keys = "\n".join(message.idempotency_key for message in group)
        key = group[0].idempotency_key
        if len(group) > 1:
            key = hashlib.sha256(keys.encode()).hexdigest()
        headers = {"Idempotency-Key": key}
        if self._options.secret:
            # The gateway compares with its own clock, so the demo's clock has no say here.
            at = datetime.fromtimestamp(time(), tz=UTC)
            headers |= signatures.sign(
                secret=self._options.secret, message_id=key, at=at, body=body
            )
        return headers

    def _read(
        self, group: list[Outbound], status: int, retry_after: str | None, content: bytes
    ) -> list[SendResult]:
        if status == 429:
            raise ChannelThrottled(channel=self.name, retry_after_seconds=_seconds(retry_after))
        if status in {401, 403, 404}:
            raise ChannelMisconfigured(f"the gateway answered {status}")
        if status >= 500:
            return self._server_failed(group, status, retry_after)
        if status >= 300:
            raise _NotReadable(f"http_{status}")
        try:
            answer = _decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._uncertain(group, "answer_unreadable")
        if answer.error and not answer.results:
            raise ChannelUnavailable(channel=self.name, problem="the gateway reports an error")
        items = {item.id: item for item in answer.results}
        return [self._item(message, items.get(message.idempotency_key)) for message in group]

    def _server_failed(
        self, group: list[Outbound], status: int, retry_after: str | None
    ) -> list[SendResult]:
        """Judge a 5xx: 503 took nothing, the others may have."""
        if status == 503:
            raise ChannelUnavailable(
                channel=self.name,
                problem=f"http_{status}",
                retry_after_seconds=_seconds(retry_after),
            )
        return self._uncertain(group, f"http_{status}")

    def _uncertain(self, group: list[Outbound], code: str) -> list[SendResult]:
        safe = self._options.supports_idempotency
        outcome = Outcome.RETRY if safe else Outcome.UNKNOWN
        return [SendResult(message.message_id, outcome, code=code) for message in group]

    def _item(self, message: Outbound, item: _Item | None) -> SendResult:
        if item is None or item.status not in _OUTCOMES:
            return self._uncertain([message], "no_result")[0]
        return SendResult(
            message_id=message.message_id,
            outcome=_OUTCOMES[item.status],
            provider_message_id=item.message_id[:120],
            code=item.code[:40],
            detail=item.detail[:200],
        )


def _text(message: Outbound) -> str:
    payload = message.payload
    return payload.text if isinstance(payload, SmsPayload) else ""


def _put_off(group: list[Outbound], error: ChannelError) -> list[SendResult]:
    pause = getattr(error, "retry_after_seconds", None)
    return [
        SendResult(message.message_id, Outcome.RETRY, code=error.code, retry_after_seconds=pause)
        for message in group
    ]


def _seconds(header: str | None) -> float:
    """Return a Retry-After in seconds; the form with a date, or none, gives five seconds."""
    with contextlib.suppress(ValueError):
        return min(max(float(header or ""), 0.0), _LONGEST_PAUSE_SECONDS)
    return _DEFAULT_PAUSE_SECONDS
