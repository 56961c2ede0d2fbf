"""E-mails through the HTTP interface of a service.

django-anymail writes the requests and reads the answers of each service; they travel over this
project's own kept connections, so that what became of a message is told as for every other channel.
"""

import asyncio
import json
import warnings
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from anymail.exceptions import AnymailError
from anymail.message import AnymailMessage
from django.conf import settings
from django.utils.module_loading import import_string

from campaigns.channels import base, email_parts, http_answers
from campaigns.channels.base import (
    EmailPayload,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from campaigns.channels.email_services import tracking
from campaigns.channels.email_services.services import SERVICES
from campaigns.channels.errors import ChannelError, ChannelMisconfigured
from campaigns.channels.guarded_resolver import GuardedResolver
from campaigns.channels.http_answers import RequestRefused
from campaigns.channels.http_connections import (
    NO_ANSWER,
    HttpAnswer,
    HttpConnections,
    Progress,
    wall_clock,
)
from campaigns.domain.receipts.report import DeliveryEvent
from loancrm.kernel.identifiers import bounded_id
from loancrm.kernel.security import outbound_addresses
from loancrm.kernel.security.outbound_addresses import AddressForbidden

_ACCEPTED = frozenset({"sent", "queued"})
_REFUSED = frozenset({"invalid", "rejected", "failed"})


@dataclass(frozen=True, slots=True)
class EmailServiceOptions:
    """Options of an account with an e-mail service.

    Attributes:
        service: Which service.
        secret: Key of the account.
        webhook_secret: What proves reports: the verification or signing key of services that sign
            them (SendGrid, Mailgun), `user:password` of those that log in (Postmark, Brevo).
        api_url: Where the service is asked; empty for its usual address. Mailgun's European
            accounts need `https://api.eu.mailgun.net/v3`.
        sender_domain: Mailgun only: the domain that sends; empty for that of the sender.
        message_stream: Postmark only: the stream that marketing goes through.
        connections: Most connections, and so most requests under way, of each process.
    """

    service: Literal["sendgrid", "mailgun", "postmark", "brevo"]
    secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    api_url: str = ""
    sender_domain: str = ""
    message_stream: str = ""
    connections: int = 20
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse values that could never work, and addresses that may not be asked."""
        if not 1 <= self.connections <= 1000:
            raise ValueError("connections must be 1 to 1000")
        if "/" in self.sender_domain or "%" in self.sender_domain:
            raise ValueError("sender_domain must be a host name")
        if not self.api_url:
            return
        allowed = settings.LOANCRM_WEBHOOK_ALLOWED_HOSTS
        host = (urlsplit(self.api_url).hostname or "").casefold()
        if not self.api_url.startswith("https://") and host not in allowed:
            raise ValueError("api_url must begin with https://")
        try:
            outbound_addresses.require_public_figures(self.api_url, allowed=allowed)
        except AddressForbidden as err:
            raise ValueError(err.message) from err


class EmailServiceChannel:
    """Posts each e-mail by itself to a service."""

    options_type = EmailServiceOptions
    kinds = ("email",)

    def __init__(self, name: str, options: EmailServiceOptions) -> None:
        """Keep the options; connections open with the first message."""
        self.name = name
        # None of these services refuses a repeated key.
        self.limits = Limits(batch_size=50, flights=2, supports_idempotency=False)
        self._options = options
        self._spec = SERVICES[options.service]
        self._writer: Any = None
        self._connections = HttpConnections(
            f"email-{name}",
            connections=options.connections,
            timeout_seconds=options.timeout_seconds,
            connect_timeout_seconds=options.connect_timeout_seconds,
            resolver=GuardedResolver,
        )

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait."""
        return self.submit(batch).result()

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch."""
        if not batch:
            return base.finished([])
        if not all(isinstance(message.payload, EmailPayload) for message in batch):
            return base.failed(ChannelMisconfigured("an e-mail channel takes e-mails only"))
        if not self._options.secret:
            return base.failed(ChannelMisconfigured("the channel has no key of the account"))
        return self._connections.run(self._send_batch(list(batch)))

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read a report in the service's own form."""
        return tracking.read(self._spec, request, secret=self._options.webhook_secret)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def _send_batch(self, batch: list[Outbound]) -> list[SendResult]:
        answers = await asyncio.gather(*(self._send_one(message) for message in batch))
        return http_answers.of_batch(batch, answers)

    async def _send_one(self, message: Outbound) -> SendResult | ChannelError:
        """Post one e-mail; an error means that it was not taken."""
        progress = Progress()
        try:
            return await self._post(message, progress)
        except RequestRefused as err:
            return SendResult(message.message_id, SendOutcome.REJECTED, code=str(err))
        except ChannelError as err:
            return err
        except NO_ANSWER as err:
            found = http_answers.without_answer(
                [message],
                err,
                channel=self.name,
                is_connected=progress.is_connected,
                knows_keys=False,
            )
            return found if isinstance(found, ChannelError) else found[0]

    async def _post(self, message: Outbound, progress: Progress) -> SendResult:
        writer = self._open_writer()
        mail = _mail(message)
        try:
            payload = writer.build_message_payload(mail, writer.send_defaults)
            asked = _request(payload.get_request_params(writer.api_url))
        except (AnymailError, ValueError, requests.RequestException):
            # What it cannot write it cannot send: no word of it has left.
            return SendResult(message.message_id, SendOutcome.REJECTED, code="unwritable")
        body = asked.body or b""
        answer = await self._connections.post(
            str(asked.url),
            body=body if isinstance(body, bytes) else body.encode(),
            headers={k: v for k, v in asked.headers.items() if k.casefold() != "content-length"},
            progress=progress,
        )
        if not 200 <= answer.status < 300:
            return self._refused(message, answer)
        return _result(message, writer, payload, mail, answer)

    def _refused(self, message: Outbound, answer: HttpAnswer) -> SendResult:
        """Return what a refusal means, its code and words in the form that gateways use."""
        code, words = _said(answer.content)
        code = self._spec.codes.get(code, f"{self._options.service}_{code}" if code else "")
        body = {"error": {"code": code, "message": words}} if code or words else {}
        return http_answers.read(
            [message],
            channel=self.name,
            status=answer.status,
            retry_after=answer.retry_after,
            content=json.dumps(body).encode(),
            now=wall_clock(),
            knows_keys=False,
        )[0]

    def _open_writer(self) -> Any:
        """Return what writes requests; it opens nothing by itself."""
        if self._writer is None:
            options = self._options
            given = {
                self._spec.key_option: options.secret,
                "api_url": options.api_url,
                "sender_domain": options.sender_domain,
                "message_stream": options.message_stream,
            }
            with warnings.catch_warnings():
                # The library says of services that it no longer tests them itself; our tests do.
                warnings.simplefilter("ignore")
                self._writer = import_string(self._spec.backend)(
                    **{name: value for name, value in given.items() if value},
                    # Not every service lets a single message say that it is not to be tracked.
                    ignore_unsupported_features=True,
                )
        return self._writer


def _mail(message: Outbound) -> AnymailMessage:
    """Return a message as Django knows mails, with our key for the service's reports."""
    assert isinstance(message.payload, EmailPayload)  # noqa: S101 - looked at in `submit`
    parts = email_parts.parts_of(message.payload)
    mail = AnymailMessage(
        subject=parts.subject,
        body=parts.text,
        from_email=parts.sender,
        to=[message.to],
        headers=dict(parts.headers),
        metadata={tracking.KEY_NAME: message.idempotency_key},
        # Links are counted here, and a changed link would no longer be the approved one.
        track_clicks=False,
        track_opens=False,
    )
    if parts.html:
        mail.attach_alternative(parts.html, "text/html")
    return mail


def _request(params: dict[str, Any]) -> requests.PreparedRequest:
    names = ("method", "url", "params", "data", "headers", "files", "auth")
    return requests.Request(**{name: params.get(name) for name in names}).prepare()


def _result(
    message: Outbound, writer: Any, payload: Any, mail: AnymailMessage, answer: HttpAnswer
) -> SendResult:
    """Return what a service says that it did with what it did not refuse."""
    response = requests.Response()
    response.status_code = answer.status
    response.raw = BytesIO(answer.content)
    try:
        writer.raise_for_status(response, payload, mail)
        found = writer.parse_recipient_status(response, payload, mail)
        (told,) = found.values()
        status, name = told.status, str(told.message_id or "")
    except (AnymailError, ValueError, KeyError, TypeError, AttributeError):
        return http_answers.uncertain([message], "answer_unreadable", knows_keys=False)[0]
    if status in _ACCEPTED:
        return SendResult(message.message_id, SendOutcome.ACCEPTED, bounded_id(name))
    if status in _REFUSED:
        return SendResult(message.message_id, SendOutcome.REJECTED, code=str(status))
    return http_answers.uncertain([message], "no_result", knows_keys=False)[0]


def _said(content: bytes) -> tuple[str, str]:
    """Return the code and the words of a refusal; empty where it has none."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    errors = said.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        said = errors[0]
    code = said.get("ErrorCode", said.get("code", ""))
    words = said.get("Message", said.get("message", ""))
    return (str(code) if isinstance(code, int | str) else "")[:30], str(words)[:200]
