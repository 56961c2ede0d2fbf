"""Channel for development: says that a message would have left, with the address masked."""

import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from campaigns.channels import base
from campaigns.channels.base import (
    EmailPayload,
    Limits,
    Outbound,
    SendOutcome,
    SendResult,
    SmsPayload,
    WebhookRequest,
)
from campaigns.channels.errors import WebhookRefused
from campaigns.domain.receipts.report import DeliveryEvent
from loancrm.kernel.security import masking


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """Options of the console channel.

    Attributes:
        show_text: Print the text of SMS too. It may name the person: for made-up data only.
    """

    show_text: bool = False


class ConsoleChannel:
    """Prints one line a message to standard error and accepts everything."""

    options_type = ConsoleOptions
    reaches_nobody = True

    def __init__(self, name: str, options: ConsoleOptions) -> None:
        self.name = name
        self.limits = Limits(batch_size=50, flights=1, supports_idempotency=False)
        self._options = options
        self._lock = threading.Lock()

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Print the batch."""
        lines = "".join(f"[{self.name}] {self._describe(message)}\n" for message in batch)
        with self._lock:
            sys.stderr.write(lines)
        return [
            SendResult(
                message.message_id, SendOutcome.ACCEPTED, f"console-{message.idempotency_key}"
            )
            for message in batch
        ]

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Print at once."""
        return base.finished(self.send(batch))

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Refuse: nobody reports about what was only printed."""
        del request
        raise WebhookRefused("the console channel has no reports")

    def close(self) -> None:
        """Let go of nothing."""

    def _describe(self, message: Outbound) -> str:
        match message.payload:
            case EmailPayload(raw=raw):
                return f"e-mail to {masking.mask_email(message.to)}, {len(raw)} bytes"
            case SmsPayload(text=text, parts=parts):
                shown = f": {text}" if self._options.show_text else ""
                return f"SMS to {masking.mask_phone(message.to)}, {parts} part(s){shown}"
