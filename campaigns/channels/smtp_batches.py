"""Messages on their way through SMTP, and the batches whose results they fill."""

import re
from collections.abc import Iterable
from concurrent.futures import Future, InvalidStateError

from campaigns.channels.base import Outcome, SendResult

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_ADDRESS_IN_TEXT = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_CONTROL = re.compile(r"[^\x20-\x7e]+")


class Batch:
    """Results of one `submit`, in its order."""

    __slots__ = ("future", "remaining", "results")

    def __init__(self, size: int) -> None:
        """Make room for `size` results."""
        self.future: Future[list[SendResult]] = Future()
        self.results: list[SendResult | None] = [None] * size
        self.remaining = size

    def settle(self, position: int, result: SendResult) -> None:
        """Store one result; the last one ends the future."""
        if self.results[position] is not None:
            return
        self.results[position] = result
        self.remaining -= 1
        if not self.remaining:
            self._finish()

    def fail(self, error: Exception) -> None:
        """End the future with an error."""
        if not self.future.done():
            self.future.set_exception(error)

    def _finish(self) -> None:
        try:
            self.future.set_result([result for result in self.results if result is not None])
        except InvalidStateError:
            # The caller cancelled its wait; there is nobody left to tell.
            return


class Job:
    """One message with its commands already spelled out."""

    __slots__ = ("attempts", "batch", "content", "envelope", "message_id", "position")

    def __init__(
        self, *, batch: Batch, position: int, message_id: int, envelope: bytes, content: bytes
    ) -> None:
        """Keep the bytes."""
        self.batch = batch
        self.position = position
        self.message_id = message_id
        self.envelope = envelope
        self.content = content
        self.attempts = 0

    @property
    def is_settled(self) -> bool:
        """Return whether the caller has been told what became of the message."""
        return self.batch.results[self.position] is not None

    def accepted(self, provider_message_id: str) -> None:
        """Report that the server took the message."""
        self.batch.settle(
            self.position, SendResult(self.message_id, Outcome.ACCEPTED, provider_message_id)
        )

    def refused(self, code: int, text: str) -> None:
        """Report a negative reply: 4xx may be tried again, 5xx never."""
        match = _ENHANCED.match(text)
        self.ended(
            Outcome.RETRY if code < 500 else Outcome.REJECTED,
            code=match.group(1) if match else str(code),
            detail=without_addresses(text),
        )

    def ended(self, outcome: Outcome, *, code: str, detail: str = "") -> None:
        """Report another end."""
        self.batch.settle(
            self.position, SendResult(self.message_id, outcome, code=code, detail=detail)
        )


def without_addresses(text: str) -> str:
    """Return a server's words without addresses and control characters, at most 200 characters."""
    return _CONTROL.sub(" ", _ADDRESS_IN_TEXT.sub("<address>", text))[:200]


def fail_untouched(jobs: Iterable[Job], error: Exception, *, code: str) -> None:
    """End messages that were never handed over.

    A batch of which nothing was handed over ends with the error; in one that was begun, the rest is
    reported as to be tried again.
    """
    by_batch: dict[int, tuple[Batch, list[Job]]] = {}
    for job in jobs:
        by_batch.setdefault(id(job.batch), (job.batch, []))[1].append(job)
    for batch, mine in by_batch.values():
        if batch.remaining == len(batch.results) == len(mine):
            batch.fail(error)
            continue
        for job in mine:
            job.ended(Outcome.RETRY, code=code)
