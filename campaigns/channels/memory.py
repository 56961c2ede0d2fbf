"""Reference channel that keeps what it was given; what all other tests send through."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from campaigns.channels import base, signatures
from campaigns.channels.base import Limits, Outbound, SendOutcome, SendResult, WebhookRequest
from campaigns.domain.receipts.report import DeliveryEvent


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """Options of the memory channel.

    Attributes:
        supports_idempotency: Whether a repeated key is answered without a second delivery.
        secret: Standard Webhooks secret of incoming reports; empty refuses all of them.
    """

    supports_idempotency: bool = True
    secret: str = field(default="", repr=False)


class MemoryChannel:
    """Keeps every delivered message in `delivered`; `answer` may decide otherwise for a message."""

    options_type = MemoryOptions
    reaches_nobody = True

    def __init__(self, name: str, options: MemoryOptions) -> None:
        self.name = name
        self.limits = Limits(
            batch_size=50, flights=2, supports_idempotency=options.supports_idempotency
        )
        self.delivered: list[Outbound] = []
        self.calls = 0
        self.answer: Callable[[Outbound], SendResult | None] | None = None
        self._options = options
        self._results: dict[str, SendResult] = {}
        self._lock = threading.Lock()

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Deliver into `delivered`."""
        with self._lock:
            self.calls += 1
            return [self._deliver(message) for message in batch]

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Deliver at once."""
        try:
            return base.finished(self.send(batch))
        except Exception as error:  # noqa: BLE001 - the future carries whatever `answer` raised
            return base.failed(error)

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Verify and read a report in the gateway's JSON form."""
        signatures.verify(request, secrets=[self._options.secret])
        return signatures.read_events(request)

    def close(self) -> None:
        """Keep everything; there is nothing to let go of."""

    def _deliver(self, message: Outbound) -> SendResult:
        known = self._results.get(message.idempotency_key)
        if known is not None and self.limits.supports_idempotency:
            return known
        special = self.answer(message) if self.answer is not None else None
        if special is not None:
            return special
        self.delivered.append(message)
        result = SendResult(
            message_id=message.message_id,
            outcome=SendOutcome.ACCEPTED,
            provider_message_id=f"memory-{message.idempotency_key}",
        )
        self._results[message.idempotency_key] = result
        return result
