"""E-mail through an SMTP relay, over connections that stay open."""

import re
from collections.abc import Sequence
from concurrent.futures import Future
from typing import cast

from campaigns.channels import base, signatures
from campaigns.channels.base import (
    EmailPayload,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    WebhookRequest,
)
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.channels.loop_thread import LoopThread
from campaigns.channels.smtp_batches import ADDRESS_INVALID, Batch, SmtpTransaction
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.channels.smtp_pool import Pool
from campaigns.domain.receipts.report import DeliveryEvent

_ENVELOPE_ADDRESS = re.compile(rb"[!-;=?-~]{1,64}@[!-;=?-~]{1,255}")


class SmtpChannel:
    """Speaks SMTP (RFC 5321) with PIPELINING and CHUNKING where the relay offers them."""

    options_type = SmtpOptions
    kinds = ("email",)

    def __init__(self, name: str, options: SmtpOptions) -> None:
        """Keep the options; connections open with the first message."""
        self.name = name
        flights = max(2, -(-2 * options.connections // options.batch_size))
        self.limits = Limits(
            batch_size=options.batch_size, flights=flights, supports_idempotency=False
        )
        self._options = options
        self._thread = LoopThread(f"smtp-{name}")
        self._pool: Pool | None = None

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait."""
        return self.submit(batch).result()

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch."""
        if not batch:
            return base.finished([])
        if not all(isinstance(message.payload, EmailPayload) for message in batch):
            return base.failed(ChannelMisconfigured("an SMTP channel takes e-mail only"))
        under_way = Batch(self.name, len(batch))
        jobs = []
        for position, message in enumerate(batch):
            job = _job(under_way, position, message)
            if job is not None:
                jobs.append(job)
        if jobs:
            _loop, is_new = self._thread.ensure()
            self._thread.call(self._enqueue, jobs, is_new)
        return under_way.future

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read a report about e-mails in the gateway's JSON form."""
        signatures.verify(request, secrets=[self._options.webhook_secret or self._options.secret])
        return signatures.read_events(request)

    def close(self) -> None:
        """Let what is under way end, then close all connections."""
        if not self._thread.is_running:
            return
        self._thread.run(self._close()).result(timeout=30)
        self._thread.stop()

    def _enqueue(self, jobs: list[SmtpTransaction], is_new_loop: bool) -> None:  # noqa: FBT001 - called by the loop
        if self._pool is None or is_new_loop:
            self._pool = Pool(self.name, self._options)
        self._pool.enqueue(jobs)

    async def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()


def _job(batch: Batch, position: int, message: Outbound) -> SmtpTransaction | None:
    """Spell out the commands for one message, or settle it at once when that cannot be done."""
    payload = cast("EmailPayload", message.payload)
    try:
        sender, recipient = payload.sender.encode("ascii"), message.to.encode("ascii")
    except UnicodeEncodeError:
        sender, recipient = b"", b""
    if not _ENVELOPE_ADDRESS.fullmatch(recipient) or not _ENVELOPE_ADDRESS.fullmatch(sender):
        batch.settle(
            position, SendResult(message.message_id, SendOutcome.REJECTED, code=ADDRESS_INVALID)
        )
        return None
    return SmtpTransaction(
        batch=batch,
        position=position,
        message_id=message.message_id,
        envelope=b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\n" % (sender, recipient),
        content=payload.raw,
    )
