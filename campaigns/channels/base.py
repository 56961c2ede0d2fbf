"""The contract that every channel keeps: what goes in, what comes out, what may be raised."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from campaigns.domain.filing.filed_texts import FiledMessage
from campaigns.domain.receipts.report import DeliveryEvent


class SendOutcome(StrEnum):
    """What became of one message that was handed to a provider."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"
    NOT_TAKEN = "not_taken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EmailPayload:
    """A finished e-mail.

    Attributes:
        sender: Envelope sender (where bounces go).
        raw: The whole message as bytes, headers first, every line ended by CR LF.
    """

    sender: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmsPayload:
    """A finished text message: signature and opt-out words are already in `text`.

    Attributes:
        filed: For a provider that puts the values into its own template: which, and the values.
    """

    text: str = field(repr=False)
    parts: int
    filed: FiledMessage | None = field(default=None, repr=False)


Payload: TypeAlias = EmailPayload | SmsPayload


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to one person.

    Attributes:
        message_id: Our row; comes back in the result.
        idempotency_key: The same for every attempt at this message; 1 to 64 visible ASCII
            characters.
        to: Address (e-mail, E.164 number). Never in a log or a repr.
        payload: What to send.
    """

    message_id: int
    idempotency_key: str
    to: str = field(repr=False)
    payload: Payload = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one message.

    Attributes:
        message_id: Copied from the `Outbound`.
        outcome: `ACCEPTED` the provider took it; `REJECTED` it never will; `RETRY` this message
            alone was put off, which counts as a try, and trying again cannot reach the person
            twice; `NOT_TAKEN` the account is busy or throttled, which says nothing about this
            message and is never a try; `UNKNOWN` it may have been taken.
        provider_message_id: The provider's id, empty when it gives none.
        code: Short machine-readable reason, e.g. `5.1.1`, `connection_lost`, `http_503`.
        detail: The provider's words without addresses, at most 200 characters.
        retry_after_seconds: When the provider said how long to wait.
        may_be_taken: With `RETRY`: the provider may have taken it and knows repeated keys. Given up
            after that, the message is of unknown fate, never failed.
    """

    message_id: int
    outcome: SendOutcome
    provider_message_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after_seconds: float | None = None
    may_be_taken: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How a caller should feed the channel.

    Attributes:
        batch_size: Best number of messages in one `submit`.
        flights: How many `submit`s are worth having under way at once.
        supports_idempotency: True when the provider refuses a repeated key, so that a message of
            unknown fate may be sent again with its key.
    """

    batch_size: int = 50
    flights: int = 2
    supports_idempotency: bool = False


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A report as it came in: header names in lower case, the body untouched."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime


@runtime_checkable
class ChannelBackend(Protocol):
    """A way to reach a person.

    Channels hold no state of a message after its result, may be used from several threads, and may
    be created before a fork: connections and threads start with the first message of each process.
    """

    name: str
    limits: Limits

    def send(self, batch: Sequence[Outbound]) -> list[SendResult]:
        """Hand over the batch and wait.

        Returns:
            One result for each message, in the order of the batch. An empty batch gives no results.

        Raises:
            ChannelBlocked, ChannelMisconfigured, ChannelThrottled, ChannelUnavailable: Nothing of
                the batch was handed over. Nothing else is ever raised.
        """
        ...

    def submit(self, batch: Sequence[Outbound]) -> "Future[list[SendResult]]":
        """Start handing over the batch; the future ends as `send` would."""
        ...

    def parse_webhook(self, request: WebhookRequest) -> list[DeliveryEvent]:
        """Check who sent the report and turn it into events.

        Raises:
            WebhookRefused: Forged, too old or unreadable.
        """
        ...

    def close(self) -> None:
        """Finish what is under way and let go of connections; a later `send` opens new ones."""
        ...


class Asked(StrEnum):
    """What a provider clearly knows about a message by its key."""

    TAKEN = "taken"
    NEVER_TAKEN = "never_taken"


@runtime_checkable
class CanBeAsked(Protocol):
    """A channel whose provider tells what became of messages; no channel has to."""

    @property
    def can_be_asked(self) -> bool:
        """Return whether the options name a way to ask."""
        ...

    def ask(self, keys: Sequence[str]) -> Mapping[str, Asked]:
        """Return what the provider clearly knows, by idempotency key; the rest is left out.

        Raises:
            ChannelError: The provider did not answer; nothing is known.
        """
        ...


@runtime_checkable
class HasSetup(Protocol):
    """A channel that looks at more than its options before it is stored; no channel has to."""

    def check_setup(self) -> None:
        """Look once, with a person waiting.

        Raises:
            ChannelMisconfigured: What the options lead to is not right.
        """
        ...


def finished(results: list[SendResult]) -> "Future[list[SendResult]]":
    """Return a future that already holds `results`, for channels that answer at once."""
    future: Future[list[SendResult]] = Future()
    future.set_result(results)
    return future


def failed(error: Exception) -> "Future[list[SendResult]]":
    """Return a future that already holds `error`."""
    future: Future[list[SendResult]] = Future()
    future.set_exception(error)
    return future
