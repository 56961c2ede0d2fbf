"""Messages to the lender's own endpoint: one signed `POST` for each, for what no other way carries.

The form is that of Standard Webhooks: `{"type": "message.send", "timestamp", "data": {"id", "kind",
"to", ...}}` with `text` and `parts` of a text message, or `from`, `subject`, `text`, `html` and
`headers` of an e-mail. `webhook-id` and `data.id` are our idempotency key, the same for every
attempt. Any 2xx without a body takes the message; a body `{"status", "message_id", "code"}` with
the status `accepted`, `rejected` or `retry` says more.

The address is typed in by people who set channels up, so it may lead to public addresses alone
(unless the operator of the server has allowed its host), and no redirect is followed.
"""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from campaigns.channels import base, email_parts, http_answers, signatures
from campaigns.channels.base import (
    EmailPayload,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from campaigns.channels.errors import ChannelError, ChannelMisconfigured
from campaigns.channels.guarded_resolver import GuardedResolver
from campaigns.channels.http_answers import RequestRefused
from campaigns.channels.http_connections import (
    NO_ANSWER,
    HttpConnections,
    Progress,
    wall_clock,
)
from campaigns.domain.receipts.report import DeliveryEvent
from loancrm.kernel.security import outbound_addresses
from loancrm.kernel.security.outbound_addresses import AddressForbidden


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Options of an endpoint.

    Attributes:
        url: Where messages are posted.
        secret: Standard Webhooks secret that signs them; without one nothing is sent.
        webhook_secret: Secret of delivery reports and replies; `secret` where it is empty.
        connections: Most connections, and so most requests under way, of each process.
        supports_idempotency: The operator says that the endpoint answers a repeated `webhook-id`
            without sending again. It counts once the channel's test has shown it.
    """

    url: str = ""
    secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    connections: int = 20
    supports_idempotency: bool = False
    timeout_seconds: float = 20.0
    connect_timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse values that could never work, and addresses that may not be asked."""
        host = urlsplit(self.url).hostname or ""
        if not self.url.startswith(("http://", "https://")) or not host:
            raise ValueError("url must begin with http:// or https:// and name a host")
        allowed = settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS
        if self.url.startswith("http://") and host.casefold() not in allowed:
            raise ValueError("url must begin with https://: messages bear personal data")
        if not 1 <= self.connections <= 1000:
            raise ValueError("connections must be 1 to 1000")
        try:
            outbound_addresses.require_public_figures(self.url, allowed=allowed)
        except AddressForbidden as err:
            raise ValueError(err.message) from err


class WebhookChannel:
    """Posts each message by itself to an endpoint of the lender."""

    options_type = WebhookOptions
    kinds = ("sms", "email")

    def __init__(self, name: str, options: WebhookOptions) -> None:
        """Keep the options; connections open with the first message."""
        self.name = name
        self.limits = Limits(
            batch_size=50, flights=2, supports_idempotency=options.supports_idempotency
        )
        self._options = options
        self._connections = HttpConnections(
            f"webhook-{name}",
            connections=options.connections,
            timeout_seconds=options.timeout_seconds,
            connect_timeout_seconds=options.connect_timeout_seconds,
            resolver=GuardedResolver,
        )

    def check_setup(self) -> None:
        """Look where the address leads, before it is stored.

        Raises:
            ChannelMisconfigured: It may not be asked.
        """
        try:
            outbound_addresses.require_public_host(
                self._options.url, allowed=settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS
            )
        except AddressForbidden as err:
            raise ChannelMisconfigured(err.message) from err

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait."""
        return self.submit(batch).result()

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch."""
        if not batch:
            return base.finished([])
        if not self._options.secret:
            return base.failed(ChannelMisconfigured("the channel has no secret to sign with"))
        return self._connections.run(self._send_batch(list(batch)))

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read delivery reports and replies."""
        signatures.verify(request, secrets=[self._options.webhook_secret or self._options.secret])
        return signatures.read_events(request)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def _send_batch(self, batch: list[Outbound]) -> list[SendResult]:
        answers = await asyncio.gather(*(self._send_one(message) for message in batch))
        return http_answers.of_batch(batch, answers)

    async def _send_one(self, message: Outbound) -> SendResult | ChannelError:
        """Post one message; an error means that it was not taken."""
        knows_keys = self._options.supports_idempotency
        progress = Progress()
        try:
            return await self._post(message, progress)
        except RequestRefused as err:
            return SendResult(message.message_id, SendOutcome.REJECTED, code=str(err))
        except ChannelError as err:
            return err
        except NO_ANSWER as err:
            if isinstance(getattr(err, "os_error", None), AddressForbidden):
                return ChannelMisconfigured(err.os_error.message)  # type: ignore[union-attr] # just seen
            found = http_answers.without_answer(
                [message],
                err,
                channel=self.name,
                is_connected=progress.is_connected,
                knows_keys=knows_keys,
            )
            return found if isinstance(found, ChannelError) else found[0]

    async def _post(self, message: Outbound, progress: Progress) -> SendResult:
        at = wall_clock()
        key = message.idempotency_key
        body = msgspec.json.encode(
            {"type": "message.send", "timestamp": at.isoformat(), "data": _data(message)}
        )
        headers = signatures.sign(secret=self._options.secret, message_id=key, at=at, body=body) | {
            "Idempotency-Key": key
        }
        answer = await self._connections.post(
            self._options.url, body=body, headers=headers, progress=progress
        )
        return http_answers.read(
            [message],
            channel=self.name,
            status=answer.status,
            retry_after=answer.retry_after,
            content=_as_results(answer.content, key),
            now=wall_clock(),
            knows_keys=self._options.supports_idempotency,
        )[0]


def _data(message: Outbound) -> dict[str, Any]:
    """Return what an endpoint is told of a message."""
    about = {"id": message.idempotency_key, "to": message.to}
    if isinstance(message.payload, EmailPayload):
        parts = email_parts.parts_of(message.payload)
        return about | {
            "kind": "email",
            "from": parts.sender,
            "subject": parts.subject,
            "text": parts.text,
            "html": parts.html,
            "headers": dict(parts.headers),
        }
    return about | {"kind": "sms", "text": message.payload.text, "parts": message.payload.parts}


def _as_results(content: bytes, key: str) -> bytes:
    """Return an answer about the one message in the form of an answer about several."""
    if not content.strip():
        return msgspec.json.encode({"results": [{"id": key, "status": "accepted"}]})
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if (
        not isinstance(said, dict)
        or "results" in said
        or ("error" in said and "status" not in said)
    ):
        return content
    return json.dumps({"results": [{"status": "accepted", **said, "id": key}]}).encode()
