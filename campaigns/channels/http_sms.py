"""Text messages through a JSON gateway over HTTP connections that stay open.

Request: `POST url` with `{"messages": [{"id", "to", "text"}, ...]}`, signed in the form of Standard
Webhooks, with `Idempotency-Key`. A message that is a filed template has `"signature"`,
`"template_id"` and `"variables"` instead of `"text"`.

Answer: `{"results": [{"id", "status", "message_id", "code"}]}` with status `accepted`, `rejected`
or `retry` for each message. The `id` is our idempotency key; a gateway that remembers it answers a
repeated id with the first result.
"""

import asyncio
import hashlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any

import aiohttp
import msgspec

from campaigns.channels import base, http_answers, http_items, signatures
from campaigns.channels.base import (
    Asked,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    SmsPayload,
    WebhookRequest,
)
from campaigns.channels.errors import (
    ChannelBlocked,
    ChannelError,
    ChannelMisconfigured,
    ChannelUnavailable,
)
from campaigns.channels.http_answers import RequestRefused
from campaigns.channels.loop_thread import LoopThread
from campaigns.domain.content import sms_parts
from campaigns.domain.receipts.report import DeliveryEvent


@dataclass(frozen=True, slots=True)
class HttpSmsOptions:
    """Options of an SMS gateway.

    Attributes:
        url: Where messages are posted.
        secret: Standard Webhooks secret that signs requests; empty sends them unsigned.
        webhook_secret: Secret of delivery reports and replies; `secret` where it is empty.
        status_url: Where the gateway tells what became of messages; empty where it does not.
        messages_per_request: How many messages one POST may carry.
        connections: Most connections, and so most requests under way, of each process.
        supports_idempotency: The operator says that the gateway answers a repeated id without
            sending again. It counts once the channel's test has shown it.
        require_signature: Refuse texts that do not begin with a signature in 【】.
    """

    url: str = "http://127.0.0.1:8026/messages"
    secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    status_url: str = ""
    messages_per_request: int = 50
    connections: int = 100
    supports_idempotency: bool = False
    require_signature: bool = True
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse values that could never work."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url must begin with http:// or https://")
        if self.status_url and not self.status_url.startswith(("http://", "https://")):
            raise ValueError("status_url must begin with http:// or https://")
        if not 1 <= self.messages_per_request <= 1000 or not 1 <= self.connections <= 1000:
            raise ValueError("messages_per_request and connections must be 1 to 1000")


_encoder = msgspec.json.Encoder()


class HttpSmsChannel:
    """Posts messages to a gateway, many in one request where it allows that."""

    options_type = HttpSmsOptions
    kinds = ("sms",)

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

    @property
    def can_be_asked(self) -> bool:
        """Return whether the gateway tells what became of messages."""
        return bool(self._options.status_url)

    def ask(self, keys: Sequence[str]) -> Mapping[str, Asked]:
        """Post the keys, signed as messages are, and read what the gateway knows of them."""
        if not keys or not self.can_be_asked:
            return {}
        _loop, is_new = self._thread.ensure()
        if is_new:
            self._session = self._room = None
        return self._thread.run(self._ask_about(list(keys))).result()

    async def _ask_about(self, keys: list[str]) -> Mapping[str, Asked]:
        body = _encoder.encode({"ids": keys})
        try:
            # Not the messages' own key: a gateway would answer with the result it remembers.
            status, _retry_after, content = await self._ask(
                self._options.status_url, ["status", *keys], body, _Progress()
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise ChannelUnavailable(channel=self.name, problem=type(err).__name__) from err
        if status != 200:
            raise ChannelUnavailable(channel=self.name, problem=f"http_{status}")
        return http_answers.read_fates(keys, content)

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
                    message.message_id, SendOutcome.REJECTED, code="signature_missing"
                )
            else:
                sendable.append(message)
        size = self._options.messages_per_request
        groups = [sendable[start : start + size] for start in range(0, len(sendable), size)]
        answers = await asyncio.gather(*(self._send_group(group) for group in groups))
        errors = [answer for answer in answers if isinstance(answer, ChannelError)]
        if errors and len(errors) == len(groups) and not results:
            raise _gravest(errors)
        for group, answer in zip(groups, answers, strict=True):
            if isinstance(answer, ChannelError):
                outcome = http_answers.put_off(group, answer)
            else:
                outcome = answer
            results.update((result.message_id, result) for result in outcome)
        return [results[message.message_id] for message in batch]

    async def _send_group(self, group: list[Outbound]) -> list[SendResult] | ChannelError:
        """Send one request; an error means that nothing of the group was taken."""
        knows_keys = self._options.supports_idempotency
        progress = _Progress()
        try:
            return await self._post(group, progress)
        except RequestRefused as err:
            if len(group) == 1:
                return [SendResult(group[0].message_id, SendOutcome.REJECTED, code=str(err))]
        except ChannelError as err:
            return err
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            if not progress.is_connected:
                return ChannelUnavailable(channel=self.name, problem=type(err).__name__)
            code = "timeout" if isinstance(err, TimeoutError) else "connection_lost"
            return http_answers.uncertain(group, code, knows_keys=knows_keys)
        # One bad message must not cost the others: each goes alone, with the same key.
        singles = await asyncio.gather(*(self._send_group([message]) for message in group))
        return [
            result
            for message, single in zip(group, singles, strict=True)
            for result in (
                http_answers.put_off([message], single)
                if isinstance(single, ChannelError)
                else single
            )
        ]

    async def _post(self, group: list[Outbound], progress: "_Progress") -> list[SendResult]:
        body = _encoder.encode({"messages": [_item(message) for message in group]})
        status, retry_after, content = await self._ask(
            self._options.url, [message.idempotency_key for message in group], body, progress
        )
        return http_answers.read(
            group,
            channel=self.name,
            status=status,
            retry_after=retry_after,
            content=content,
            now=_wall_clock(),
            knows_keys=self._options.supports_idempotency,
        )

    async def _ask(
        self, url: str, keys: list[str], body: bytes, progress: "_Progress"
    ) -> tuple[int, str | None, bytes]:
        """Post and read the answer to its end; an answer that stops short is a lost connection."""
        session = self._open_session()
        assert self._room is not None  # noqa: S101 - made together with the session
        async with (
            self._room,
            session.post(
                url,
                data=body,
                headers=self._headers(keys, body),
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as answer,
        ):
            try:
                content = await _whole(answer)
            except aiohttp.ClientPayloadError:
                if answer.status < 400:
                    raise
                content = b""  # the status alone says what a refusal means
            content = http_items.unpacked(content, answer.headers.get("Content-Encoding", ""))
            return answer.status, answer.headers.get("Retry-After"), content

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            options = self._options
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=options.connections, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(
                    total=options.timeout_seconds, sock_connect=options.connect_timeout_seconds
                ),
                # Answers are unpacked here, with a bound, for those that are packed all the same.
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
            self._room = asyncio.Semaphore(options.connections)
        return self._session

    def _headers(self, keys: list[str], body: bytes) -> dict[str, str]:
        key = keys[0]
        if len(keys) > 1:
            key = hashlib.sha256("\n".join(keys).encode()).hexdigest()
        headers = {"Idempotency-Key": key}
        if self._options.secret:
            headers |= signatures.sign(
                secret=self._options.secret, message_id=key, at=_wall_clock(), body=body
            )
        return headers


class _Progress:
    """How far one request has come: without a connection nothing of it can have been taken."""

    __slots__ = ("is_connected",)

    def __init__(self) -> None:
        self.is_connected = False


def _tracing() -> aiohttp.TraceConfig:
    """Return hooks that note when a request has its connection."""

    async def connected(_session: object, context: Any, _parameters: object) -> None:
        context.trace_request_ctx.is_connected = True

    hooks = aiohttp.TraceConfig()
    hooks.on_connection_create_end.append(connected)
    hooks.on_connection_reuseconn.append(connected)
    return hooks


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Return the whole body; a single `read(n)` returns whatever has arrived so far.

    Raises:
        aiohttp.ClientPayloadError: It stopped short of its length, or is longer than any answer.
    """
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > http_items.MOST_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too long")
    return b"".join(pieces)


def _item(message: Outbound) -> dict[str, Any]:
    """Return a message as the gateway reads it: its text, or its template and the values."""
    item: dict[str, Any] = {"id": message.idempotency_key, "to": message.to}
    payload = message.payload
    if not isinstance(payload, SmsPayload) or payload.filed is None:
        return {**item, "text": _text(message)}
    return {
        **item,
        "signature": sms_parts.leading_signature(payload.text),
        "template_id": payload.filed.code,
        "variables": dict(payload.filed.values),
    }


def _text(message: Outbound) -> str:
    payload = message.payload
    return payload.text if isinstance(payload, SmsPayload) else ""


def _wall_clock() -> datetime:
    """Return the system's time: a gateway compares with its own, the demo's clock has no say."""
    return datetime.fromtimestamp(time(), tz=UTC)


def _gravest(errors: Sequence[ChannelError]) -> ChannelError:
    """Return what a batch ends with: a block before a wait, the longest wait before others."""
    for kind in (ChannelBlocked, ChannelMisconfigured):
        for error in errors:
            if isinstance(error, kind):
                return error
    return max(errors, key=lambda error: float(getattr(error, "retry_after_seconds", 0.0)))
