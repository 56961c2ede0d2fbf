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
from typing import Any

import msgspec

from campaigns.channels import base, http_answers, signatures
from campaigns.channels.base import (
    Asked,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    SmsPayload,
    WebhookRequest,
)
from campaigns.channels.errors import ChannelError, ChannelMisconfigured, ChannelUnavailable
from campaigns.channels.http_answers import RequestRefused
from campaigns.channels.http_connections import (
    NO_ANSWER,
    HttpConnections,
    Progress,
    wall_clock,
)
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
        self._connections = HttpConnections(
            f"sms-{name}",
            connections=options.connections,
            timeout_seconds=options.timeout_seconds,
            connect_timeout_seconds=options.connect_timeout_seconds,
        )

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait."""
        return self.submit(batch).result()

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch."""
        if not batch:
            return base.finished([])
        if not all(isinstance(message.payload, SmsPayload) for message in batch):
            return base.failed(ChannelMisconfigured("an SMS channel takes text messages only"))
        return self._connections.run(self._send_batch(list(batch)))

    @property
    def can_be_asked(self) -> bool:
        """Return whether the gateway tells what became of messages."""
        return bool(self._options.status_url)

    def ask(self, keys: Sequence[str]) -> Mapping[str, Asked]:
        """Post the keys, signed as messages are, and read what the gateway knows of them."""
        if not keys or not self.can_be_asked:
            return {}
        return self._connections.run(self._ask_about(list(keys))).result()

    async def _ask_about(self, keys: list[str]) -> Mapping[str, Asked]:
        body = _encoder.encode({"ids": keys})
        try:
            # Not the messages' own key: a gateway would answer with the result it remembers.
            answer = await self._connections.post(
                self._options.status_url,
                body=body,
                headers=self._headers(["status", *keys], body),
                progress=Progress(),
            )
        except NO_ANSWER as err:
            raise ChannelUnavailable(channel=self.name, problem=type(err).__name__) from err
        if answer.status != 200:
            raise ChannelUnavailable(channel=self.name, problem=f"http_{answer.status}")
        return http_answers.read_fates(keys, answer.content)

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read delivery reports and replies."""
        signatures.verify(request, secrets=[self._options.webhook_secret or self._options.secret])
        return signatures.read_events(request)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

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
            raise http_answers.gravest(errors)
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
        progress = Progress()
        try:
            return await self._post(group, progress)
        except RequestRefused as err:
            if len(group) == 1:
                return [SendResult(group[0].message_id, SendOutcome.REJECTED, code=str(err))]
        except ChannelError as err:
            return err
        except NO_ANSWER as err:
            return http_answers.without_answer(
                group,
                err,
                channel=self.name,
                is_connected=progress.is_connected,
                knows_keys=knows_keys,
            )
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

    async def _post(self, group: list[Outbound], progress: Progress) -> list[SendResult]:
        body = _encoder.encode({"messages": [_item(message) for message in group]})
        keys = [message.idempotency_key for message in group]
        answer = await self._connections.post(
            self._options.url, body=body, headers=self._headers(keys, body), progress=progress
        )
        return http_answers.read(
            group,
            channel=self.name,
            status=answer.status,
            retry_after=answer.retry_after,
            content=answer.content,
            now=wall_clock(),
            knows_keys=self._options.supports_idempotency,
        )

    def _headers(self, keys: list[str], body: bytes) -> dict[str, str]:
        key = keys[0]
        if len(keys) > 1:
            key = hashlib.sha256("\n".join(keys).encode()).hexdigest()
        headers = {"Idempotency-Key": key}
        if self._options.secret:
            headers |= signatures.sign(
                secret=self._options.secret, message_id=key, at=wall_clock(), body=body
            )
        return headers


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
