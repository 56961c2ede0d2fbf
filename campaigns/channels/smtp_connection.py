"""One SMTP connection as a state machine over replies.

With PIPELINING (RFC 2920) the body of one message and the envelope of the next leave in one write,
so that a message costs one round trip and one wake-up. With CHUNKING (RFC 3030) as well, whole
messages are written one after the other without waiting; each begins with RSET, so that a recipient
of a refused message can never end up in the next one. Without either, every command waits for its
reply.
"""

import asyncio
import base64
import contextlib
import ssl
from collections import deque
from enum import Enum, auto
from typing import Protocol

from campaigns.channels.base import SendOutcome
from campaigns.channels.smtp_batches import SmtpTransaction, as_data
from campaigns.channels.smtp_options import SmtpOptions
from loancrm.kernel.identifiers import bounded_id


class SmtpStep(Enum):
    """What a reply answers."""

    HANDSHAKE = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    CONTENT = auto()
    IGNORED = auto()


class Owner(Protocol):
    """What a connection needs of the pool that it belongs to."""

    options: SmtpOptions
    timeout: float

    def take(self) -> SmtpTransaction | None:
        """Return the next message that waits, if any."""
        ...

    def lost(self, connection: "Connection", returned: list[SmtpTransaction]) -> None:
        """Hear that a connection ended, with the messages that it had not handed over."""
        ...

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings."""
        ...


class SmtpReplyError(Exception):
    """A reply of the opening dialogue that ends it."""

    def __init__(self, code: int, text: str) -> None:
        """Keep the reply."""
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


_MAX_LINE = 8_192


class Connection(asyncio.Protocol):
    """Takes jobs from its pool while the connection lives."""

    def __init__(self, pool: Owner) -> None:
        """Belong to a pool; the event loop connects it."""
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.deadline = 0.0
        self.last_used_at = self._loop.time()
        self.sent_count = 0
        self._buffer = b""
        self._lines: list[str] = []
        # The greeting may arrive before `open` gets its turn, so it is awaited from the start.
        self._expected: deque[tuple[SmtpStep, SmtpTransaction | None]] = deque(
            [(SmtpStep.HANDSHAKE, None)]
        )
        self._dialogue: asyncio.Future[tuple[int, list[str]]] = self._loop.create_future()
        # Jobs whose envelope is out, jobs whose content is out, in order.
        self._enveloped: deque[SmtpTransaction] = deque()
        self._handed_over: deque[SmtpTransaction] = deque()
        self._failed: SmtpTransaction | None = None
        self._needs_reset = False
        self._has_pipelining = False
        self._has_chunking = False
        self.is_ready = False
        self.is_closing = False
        self._is_broken = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; after STARTTLS it comes a second time."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Cut the stream into replies."""
        if self._buffer:
            data = self._buffer + data
        *lines, self._buffer = data.split(b"\n")
        if len(self._buffer) > _MAX_LINE:
            self.abort()
        for line in lines:
            if self._is_broken:
                return
            if line[3:4] == b"-":
                self._lines.append(_words(line))
            else:
                self._reply(line)
        self.last_used_at = self._loop.time()
        self.deadline = self.last_used_at + self._pool.timeout
        if self.is_closing and not self._expected:
            self.abort()
        elif self.is_ready and (self._has_chunking or not self._expected):
            self.feed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was not handed over; what was, without a reply, is of unknown fate."""
        self.transport = None
        self.is_closing = True
        if not self._dialogue.done():
            self._dialogue.set_exception(ConnectionError("connection lost"))
            self._dialogue.exception()  # nobody may be waiting any more: mark it as read
        for job in self._handed_over:
            job.ended(SendOutcome.UNKNOWN, code="connection_lost")
        returned = list(self._enveloped)
        self._handed_over.clear()
        self._enveloped.clear()
        self._expected.clear()
        if self.is_ready:
            self._pool.lost(self, returned)

    # opening dialogue

    async def open(self) -> None:
        """Speak until the server takes mail.

        Raises:
            SmtpReplyError: The server refused a step.
            OSError: The connection broke.
        """
        options = self._pool.options
        await self._answer(220)
        features = await self._greet()
        if options.security == "starttls":
            await self._ask(b"STARTTLS\r\n", 220)
            await self._start_tls()
            features = await self._greet()
        if options.username:
            await self._log_in(features)
        self._has_pipelining = options.use_pipelining and "PIPELINING" in features
        self._has_chunking = (
            self._has_pipelining and options.use_chunking and "CHUNKING" in features
        )
        self.is_ready = True

    async def _greet(self) -> set[str]:
        name = self._pool.options.helo_name.encode()
        lines = await self._ask(b"EHLO " + name + b"\r\n", 250)
        return {line.upper() for line in lines[1:]}

    async def _start_tls(self) -> None:
        assert self.transport is not None  # noqa: S101 - narrows for the type checker
        upgraded = await self._loop.start_tls(
            self.transport,
            self,
            self._pool.tls_context(),
            server_hostname=self._pool.options.host,
        )
        assert upgraded is not None  # noqa: S101 - narrows for the type checker
        self.transport = upgraded

    async def _log_in(self, features: set[str]) -> None:
        options = self._pool.options
        password = options.password or options.secret
        offered = " ".join(line for line in features if line.startswith("AUTH"))
        if "PLAIN" in offered or "LOGIN" not in offered:
            token = base64.b64encode(f"\0{options.username}\0{password}".encode())
            await self._ask(b"AUTH PLAIN " + token + b"\r\n", 235)
            return
        await self._ask(b"AUTH LOGIN\r\n", 334)
        await self._ask(base64.b64encode(options.username.encode()) + b"\r\n", 334)
        await self._ask(base64.b64encode(password.encode()) + b"\r\n", 235)

    async def _ask(self, command: bytes, wanted: int) -> list[str]:
        self._dialogue = self._loop.create_future()
        self._expected.append((SmtpStep.HANDSHAKE, None))
        self._write(command)
        return await self._answer(wanted)

    async def _answer(self, wanted: int) -> list[str]:
        code, lines = await asyncio.wait_for(self._dialogue, self._pool.timeout)
        if code != wanted:
            raise SmtpReplyError(code, " ".join(lines))
        return lines

    # sending

    def feed(self) -> None:
        """Start on waiting messages as far as the server's extensions allow."""
        if not self.is_ready or self.is_closing or self.transport is None:
            return
        if self._is_worn_out():
            if not self._expected:
                self.quit()
            return
        if self._has_chunking:
            self._feed_chunks()
        elif not self._enveloped and not self._handed_over:
            self._begin(self._reset_prefix())

    def _feed_chunks(self) -> None:
        out = []
        room = self._pool.options.window - len(self._handed_over)
        if room < self._pool.options.window // 2:
            # Refilling half a window at a time takes fewer writes and wake-ups.
            return
        while room > 0 and not self._is_worn_out() and (job := self._pool.take()) is not None:
            out.append(b"RSET\r\n%sBDAT %d LAST\r\n" % (job.envelope, len(job.content)))
            out.append(job.content)
            self._handed_over.append(job)
            self._expected.append((SmtpStep.IGNORED, None))
            self._expected.extend(
                ((SmtpStep.MAIL, job), (SmtpStep.RCPT, job), (SmtpStep.CONTENT, job))
            )
            self.sent_count += 1
            room -= 1
        if out:
            self._write(b"".join(out))

    def _begin(self, prefix: bytes) -> bool:
        """Write the envelope of the next message after `prefix`; return whether there was one."""
        job = None if self._is_worn_out() else self._pool.take()
        if job is None:
            if prefix:
                self._write(prefix)
            return False
        self._enveloped.append(job)
        self.sent_count += 1
        if self._has_pipelining:
            self._expected.extend(
                ((SmtpStep.MAIL, job), (SmtpStep.RCPT, job), (SmtpStep.DATA, job))
            )
            self._write(b"%s%sDATA\r\n" % (prefix, job.envelope))
        else:
            self._expected.append((SmtpStep.MAIL, job))
            self._write(prefix + job.envelope.partition(b"\r\n")[0] + b"\r\n")
        return True

    def _reset_prefix(self) -> bytes:
        if not self._needs_reset:
            return b""
        self._needs_reset = False
        self._expected.append((SmtpStep.IGNORED, None))
        return b"RSET\r\n"

    # replies

    def _reply(self, line: bytes) -> None:
        code = int(line[:3]) if line[:3].isdigit() else 0
        if not self._expected or not 200 <= code < 600:
            # The server says good-bye unasked (421), or something that is no reply. What it says
            # from here on can no longer be told from answers to our messages.
            self.abort()
            return
        if code == 421:
            # The server is about to close the connection: nothing more may be written to it.
            self.is_closing = True
        step, job = self._expected.popleft()
        if step is SmtpStep.HANDSHAKE:
            self._end_dialogue(code, line)
        elif job is not None:
            self._job_reply(step, job, code, " ".join([*self._lines, _words(line)]))
        self._lines.clear()

    def _job_reply(self, step: SmtpStep, job: SmtpTransaction, code: int, text: str) -> None:
        if step is SmtpStep.CONTENT:
            self._content_reply(job, code, text)
        elif step is SmtpStep.DATA:
            self._data_reply(job, code, text)
        elif not 200 <= code < 300:
            self._envelope_refused(step, job, code, text)
        elif not self._has_pipelining:
            self._next_command(step, job)

    def _end_dialogue(self, code: int, line: bytes) -> None:
        if not self._dialogue.done():
            self._dialogue.set_result((code, [*self._lines, _words(line)]))

    def _next_command(self, step: SmtpStep, job: SmtpTransaction) -> None:
        if step is SmtpStep.MAIL:
            self._expected.append((SmtpStep.RCPT, job))
            self._write(job.envelope.partition(b"\r\n")[2])
        else:
            self._expected.append((SmtpStep.DATA, job))
            self._write(b"DATA\r\n")

    def _envelope_refused(self, step: SmtpStep, job: SmtpTransaction, code: int, text: str) -> None:
        """Note that MAIL or RCPT was refused; what follows in the same group fails with it."""
        if self._failed is job:
            return
        self._failed = job
        job.refused(code, text, is_about_sender=step is SmtpStep.MAIL)
        if self._has_chunking:
            self._handed_over.remove(job)
            return
        self._needs_reset = True
        if not self._has_pipelining:
            self._enveloped.remove(job)

    def _data_reply(self, job: SmtpTransaction, code: int, text: str) -> None:
        self._enveloped.remove(job)
        if code != 354:
            if self._failed is not job:
                job.refused(code, text)
            self._needs_reset = True
            self._begin(self._reset_prefix())
            return
        if self._failed is job:
            # RFC 2920 3.1: DATA may get a 354 although no recipient is left; an empty body ends it.
            self._needs_reset = True
            self._expected.append((SmtpStep.IGNORED, None))
            self._write(b".\r\n" + self._reset_prefix())
            self._begin(b"")
            return
        self._handed_over.append(job)
        self._expected.append((SmtpStep.CONTENT, job))
        if self._has_pipelining:
            self._write_content(job)
        else:
            self._write(as_data(job.content))

    def _write_content(self, job: SmtpTransaction) -> None:
        """Write a body and, in the same call, the envelope of the next message."""
        following = None if self._is_worn_out() else self._pool.take()
        if following is None:
            self._write(as_data(job.content))
            return
        self._enveloped.append(following)
        self.sent_count += 1
        self._expected.extend(
            ((SmtpStep.MAIL, following), (SmtpStep.RCPT, following), (SmtpStep.DATA, following))
        )
        self._write(b"%s%sDATA\r\n" % (as_data(job.content), following.envelope))

    def _content_reply(self, job: SmtpTransaction, code: int, text: str) -> None:
        if self._failed is job:
            return
        self._handed_over.popleft()
        if 200 <= code < 300:
            job.accepted(
                bounded_id(text.rpartition("queued as ")[2]) if "queued as " in text else ""
            )
        elif 400 <= code < 600:
            job.refused(code, text)
        else:
            job.ended(SendOutcome.UNKNOWN, code="strange_reply")

    # ending

    def quit(self) -> None:
        """Leave politely; nothing may be under way."""
        self.is_closing = True
        if self.transport is not None:
            with contextlib.suppress(OSError):
                self.transport.write(b"QUIT\r\n")
            self.transport.close()

    def abort(self) -> None:
        """Drop the connection at once; what it still says is not heard."""
        self.is_closing = self._is_broken = True
        if self.transport is not None:
            self.transport.abort()

    @property
    def is_idle(self) -> bool:
        """Return whether no reply is awaited."""
        return not self._expected

    def _is_worn_out(self) -> bool:
        limit = self._pool.options.max_messages_per_connection
        return self.is_closing or (bool(limit) and self.sent_count >= limit)

    def _write(self, data: bytes) -> None:
        if self.transport is None:
            return
        self.deadline = self._loop.time() + self._pool.timeout
        self.transport.write(data)


def _words(line: bytes) -> str:
    return line[4:].removesuffix(b"\r").decode("utf-8", "replace")
