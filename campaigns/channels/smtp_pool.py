"""The kept connections of one SMTP channel and the queue that they share, all in one event loop."""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence

from campaigns.channels.base import SendOutcome
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelUnavailable
from campaigns.channels.smtp_batches import SmtpTransaction, fail_untouched, without_addresses
from campaigns.channels.smtp_connection import Connection, SmtpReplyError
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.domain.receipts.refusals import Blame, blame_of

_SWEEP_SECONDS = 1.0
_FAREWELL_SECONDS = 1.0
_MAX_ATTEMPTS = 2
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# Replies to the opening dialogue that a person must mend: a login or encryption is required, or the
# relay takes nothing from us.
_BLOCKING_CODES = frozenset({530, 534, 535, 538, 550, 554})


class Pool:
    """Opens connections when messages wait, hands messages to whichever connection has room."""

    def __init__(self, name: str, options: SmtpOptions) -> None:
        """Start without connections; must be made inside the event loop."""
        self.name = name
        self.options = options
        self.timeout = options.timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[SmtpTransaction] = deque()
        self._connections: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause_seconds = 0.0
        self._closed_until = 0.0
        self._problem: ChannelError | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None

    def enqueue(self, jobs: Sequence[SmtpTransaction]) -> None:
        """Take new messages."""
        if self._problem is not None and self._loop.time() < self._closed_until:
            fail_untouched(jobs, self._problem, code=self._problem.code)
            return
        self._waiting.extend(jobs)
        for connection in list(self._connections):
            if not self._waiting:
                break
            connection.feed()
        self._open_more()
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def take(self) -> SmtpTransaction | None:
        """Return the next message that waits, if any."""
        return self._waiting.popleft() if self._waiting else None

    def lost(self, connection: Connection, returned: list[SmtpTransaction]) -> None:
        """Forget a connection; messages that it had not handed over go to another one."""
        self._connections.discard(connection)
        again: list[SmtpTransaction] = []
        for job in returned:
            if job.is_settled:
                # Refused before the connection went: the caller has its result and decides.
                continue
            job.attempts += 1
            if job.attempts >= _MAX_ATTEMPTS:
                # The relay hangs up on whatever it is given: that counts as nobody's try.
                job.ended(SendOutcome.NOT_TAKEN, code="connection_lost")
            else:
                again.append(job)
        self._waiting.extendleft(reversed(again))
        self._open_more()

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings, made once."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if not self.options.verify_certificate:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return self._tls

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        """Wait a little for what is under way, then drop all connections."""
        end = self._loop.time() + grace_seconds
        while self._is_busy() and self._loop.time() < end:  # noqa: ASYNC110 - once a process
            await asyncio.sleep(0.01)
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for task in list(self._opening):
            task.cancel()
        if self._waiting:
            self._fail_waiting(ChannelUnavailable(channel=self.name, problem="closed"))
        for connection in list(self._connections):
            if connection.is_idle:
                connection.quit()
            else:
                connection.abort()
        end = self._loop.time() + _FAREWELL_SECONDS
        while self._connections and self._loop.time() < end:  # noqa: ASYNC110 - once a process
            await asyncio.sleep(0.002)

    def _is_busy(self) -> bool:
        return bool(self._waiting) or any(not c.is_idle for c in self._connections)

    def _open_more(self) -> None:
        room = self.options.connections - len(self._connections) - len(self._opening)
        for _ in range(min(room, len(self._waiting))):
            task = self._loop.create_task(self._open_one())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open_one(self) -> None:
        connection: Connection | None = None
        try:
            connection = await self._connect()
            await connection.open()
        except SmtpReplyError as err:
            self._could_not_open(connection, self._reply_problem(err))
        except (OSError, TimeoutError, ssl.SSLError) as err:
            problem = ChannelUnavailable(channel=self.name, problem=type(err).__name__)
            self._could_not_open(connection, problem)
        else:
            self._pause_seconds = 0.0
            self._problem = None
            self._connections.add(connection)
            connection.feed()

    async def _connect(self) -> Connection:
        options = self.options
        _transport, connection = await asyncio.wait_for(
            self._loop.create_connection(
                lambda: Connection(self),
                options.host,
                options.port,
                ssl=self.tls_context() if options.security == "tls" else None,
            ),
            options.connect_timeout_seconds,
        )
        return connection

    def _reply_problem(self, err: SmtpReplyError) -> ChannelError:
        words = f"{err.code} {without_addresses(err.text)}"
        is_refusal = err.code < 500 and blame_of("550", err.text) is Blame.ACCOUNT
        if err.code in _BLOCKING_CODES or is_refusal:
            return ChannelBlocked(channel=self.name, problem=words)
        return ChannelUnavailable(channel=self.name, problem=words)

    def _could_not_open(self, connection: Connection | None, problem: ChannelError) -> None:
        if connection is not None:
            connection.abort()
        task = asyncio.current_task()
        if task is not None:
            self._opening.discard(task)
        if self._connections or self._opening:
            # Others work or still try; a relay may simply allow fewer connections.
            return
        self._pause_seconds = min(
            max(self._pause_seconds * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS
        )
        self._closed_until = self._loop.time() + self._pause_seconds
        self._problem = problem
        self._fail_waiting(problem)

    def _fail_waiting(self, problem: ChannelError) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        fail_untouched(waiting, problem, code=problem.code)

    def _sweep(self) -> None:
        """End connections that wait too long for a reply and those that have long been idle."""
        now = self._loop.time()
        for connection in list(self._connections):
            if connection.is_idle:
                if now - connection.last_used_at > self.options.idle_seconds:
                    connection.quit()
            elif now > connection.deadline:
                connection.abort()
        alive = self._connections or self._opening or self._waiting
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep) if alive else None
