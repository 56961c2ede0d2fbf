"""Messages on their way through SMTP, and the batches whose results they fill."""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, InvalidStateError

from campaigns.channels.base import SendOutcome, SendResult
from campaigns.channels.errors import ChannelBlocked
from campaigns.domain.receipts import refusal_rules
from campaigns.domain.receipts.refusals import Blame, blame_of

_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_ADDRESS_IN_TEXT = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
# Control characters, and what was no text; words in Chinese stay.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]+")
ADDRESS_INVALID = "address_invalid"


class Batch:
    """Results of one `submit`, in its order."""

    __slots__ = ("channel", "future", "refused_account", "remaining", "results")

    def __init__(self, channel: str, size: int) -> None:
        """Make room for `size` results."""
        self.channel = channel
        self.refused_account = 0
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
        results = [result for result in self.results if result is not None]
        try:
            if self._is_account_refused(results):
                problem = next(r.code for r in results if r.outcome is SendOutcome.NOT_TAKEN)
                self.future.set_exception(ChannelBlocked(channel=self.channel, problem=problem))
                return
            self.future.set_result(results)
        except InvalidStateError:
            # The caller cancelled its wait; there is nobody left to tell.
            return

    def _is_account_refused(self, results: Sequence[SendResult]) -> bool:
        """Return whether the relay refused us in everything that it was asked."""
        asked = sum(result.code != ADDRESS_INVALID for result in results)
        return bool(self.refused_account) and self.refused_account == asked


class SmtpTransaction:
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
            self.position, SendResult(self.message_id, SendOutcome.ACCEPTED, provider_message_id)
        )

    def refused(self, code: int, text: str, *, is_about_sender: bool = False) -> None:
        """Report a negative reply: 4xx may be tried again, 5xx never.

        A relay that is busy, that wants a login or that does not let us send at all says nothing
        about this message.

        Args:
            is_about_sender: The reply came before the recipient was named.
        """
        match = _ENHANCED.match(text)
        status = match.group(1) if match else str(code)
        is_login = str(code) in refusal_rules.LOGIN_REPLIES
        outcome = SendOutcome.RETRY if code < 500 else SendOutcome.REJECTED
        if code >= 500 and (is_about_sender or is_login):
            outcome = SendOutcome.NOT_TAKEN
            self.batch.refused_account += 1
        elif code == 421 or (code < 500 and blame_of(status, text) is Blame.BUSY):
            outcome = SendOutcome.NOT_TAKEN
        self.ended(outcome, code=status, detail=without_addresses(text))

    def ended(self, outcome: SendOutcome, *, code: str, detail: str = "") -> None:
        """Report another end."""
        self.batch.settle(
            self.position, SendResult(self.message_id, outcome, code=code, detail=detail)
        )


def without_addresses(text: str) -> str:
    """Return a server's words without addresses and control characters, at most 200 characters."""
    return _CONTROL.sub(" ", _ADDRESS_IN_TEXT.sub("<address>", text))[:200]


def fail_untouched(jobs: Iterable[SmtpTransaction], error: Exception, *, code: str) -> None:
    """End messages that were never handed over.

    A batch of which nothing was handed over ends with the error; in one that was begun, the rest is
    reported as not taken.
    """
    by_batch: dict[int, tuple[Batch, list[SmtpTransaction]]] = {}
    for job in jobs:
        by_batch.setdefault(id(job.batch), (job.batch, []))[1].append(job)
    for batch, mine in by_batch.values():
        if batch.remaining == len(batch.results) == len(mine):
            batch.fail(error)
            continue
        for job in mine:
            job.ended(SendOutcome.NOT_TAKEN, code=code)


def as_data(content: bytes) -> bytes:
    """Return a body for DATA: lines that begin with a dot get a second one, a lone dot ends it."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return content + end
