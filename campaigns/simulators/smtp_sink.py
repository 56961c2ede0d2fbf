"""An SMTP server that takes everything as fast as it comes and keeps count.

Written on asyncio's protocol layer, so that it is not the slowest part of a measurement. Offers
PIPELINING and CHUNKING; each can be switched off to test clients without them.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from campaigns.simulators import evidence
from campaigns.simulators.behaviour import Behaviour
from campaigns.simulators.moods import MoodBox
from campaigns.simulators.smtp_session import Session, TakenEmail


@dataclass(slots=True)
class SinkStats:
    """What a sink has seen."""

    messages: int = 0
    deliveries: int = 0
    bytes: int = 0
    connections: int = 0
    refused: int = 0
    most_open: int = 0
    open: int = 0
    recipients: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, int]:
        """Return counts without addresses."""
        return {
            "messages": self.messages,
            "bytes": self.bytes,
            "connections": self.connections,
            "most_open": self.most_open,
            "refused": self.refused,
            "distinct_recipients": len(self.recipients),
            "repeated": self.deliveries - len(self.recipients),
        }


class SmtpSink:
    """A sink in a thread of its own.

    Args:
        host: Address to listen on.
        port: 0 takes a free one; `port` holds it after `start`.
        behaviour: Latency and failures.
        on_message: Called in the sink's thread for every message taken.
        keep: Keep the messages in `messages`.
        pipelining: Offer PIPELINING.
        chunking: Offer CHUNKING.
        credentials: User and password that AUTH PLAIN must bring, or None for an open relay.
        moods: Its mood, which may be changed at any time.
        log: Where every message is written down, or None.
    """

    def __init__(  # noqa: PLR0913 - settings of a simulator
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: Behaviour | None = None,
        on_message: Callable[[TakenEmail], object] | None = None,
        keep: bool = False,
        pipelining: bool = True,
        chunking: bool = True,
        credentials: tuple[str, str] | None = None,
        moods: MoodBox | None = None,
        log: evidence.Log | None = None,
    ) -> None:
        """Keep the settings."""
        self.host = host
        self.port = port
        self.behaviour = behaviour or Behaviour()
        self.on_message = on_message
        self.messages: list[TakenEmail] = []
        self.stats = SinkStats()
        self.left: set[str] = set()
        self.credentials = credentials
        self.keep = keep
        self.moods = moods or MoodBox()
        self.log = log
        self.extensions = [b"8BITMIME", b"SIZE 10485760"]
        if pipelining:
            self.extensions.append(b"PIPELINING")
        if chunking:
            self.extensions.append(b"CHUNKING")
        if credentials is not None:
            self.extensions.append(b"AUTH PLAIN")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sessions: set[Session] = set()
        self._noted: list[evidence.EvidenceEntry] = []

    def start(self) -> "SmtpSink":
        """Listen; returns when connections are taken."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(timeout=10):
            raise RuntimeError("the sink did not start")
        return self

    def stop(self) -> None:
        """Close the listener and every connection."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop = self._thread = None

    def drop_connections(self) -> None:
        """Cut every open connection, as a relay that restarts does."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._drop_all)

    def __enter__(self) -> "SmtpSink":
        """Start."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    async def serve(self) -> asyncio.Server:
        """Listen in the running loop."""
        server = await asyncio.get_running_loop().create_server(
            lambda: Session(self), self.host, self.port, backlog=512
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def note(self, entry: evidence.EvidenceEntry) -> None:
        """Keep what becomes of a message until `write_down`."""
        if self.log is not None:
            self._noted.append(entry)

    def write_down(self) -> None:
        """Write down what was noted: by one call for all messages that came together."""
        if self.log is not None and self._noted:
            self.log.write(self._noted)
            self._noted.clear()

    def take(self, message: TakenEmail) -> None:
        """Count a message that was accepted."""
        stats = self.stats
        stats.messages += 1
        stats.bytes += len(message.raw)
        stats.deliveries += len(message.recipients)
        for recipient in message.recipients:
            stats.recipients[recipient] += 1
        if self.keep:
            self.messages.append(message)
        if self.on_message is not None:
            self.on_message(message)

    def _run(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(self.serve())
        self._loop = loop
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            self._drop_all()
            loop.run_until_complete(server.wait_closed())
            loop.run_until_complete(asyncio.sleep(0.005))
            loop.close()

    def _drop_all(self) -> None:
        for session in list(self._sessions):
            session.drop()

    def opened(self, session: Session) -> None:
        """Note a new connection."""
        self._sessions.add(session)
        self.stats.connections += 1
        self.stats.open += 1
        self.stats.most_open = max(self.stats.most_open, self.stats.open)

    def closed(self, session: Session) -> None:
        """Forget a connection."""
        self._sessions.discard(session)
        self.stats.open -= 1
