"""An SMTP server that takes everything as fast as it comes and keeps count.

Written on asyncio's protocol layer, so that it is not the slowest part of a measurement. Offers
PIPELINING and CHUNKING; each can be switched off to test clients without them.
"""

import asyncio
import base64
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from campaigns.simulators.behaviour import Behaviour, Fate

_END_OF_DATA = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class TakenEmail:
    """A message as the sink got it; dots are already unstuffed."""

    sender: str
    recipients: tuple[str, ...] = field(repr=False)
    raw: bytes = field(repr=False)


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
        self.extensions = [b"8BITMIME", b"SIZE 10485760"]
        if pipelining:
            self.extensions.append(b"PIPELINING")
        if chunking:
            self.extensions.append(b"CHUNKING")
        if credentials is not None:
            self.extensions.append(b"AUTH PLAIN")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sessions: set[_Session] = set()

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
            lambda: _Session(self), self.host, self.port, backlog=512
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

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

    def opened(self, session: "_Session") -> None:
        """Note a new connection."""
        self._sessions.add(session)
        self.stats.connections += 1
        self.stats.open += 1
        self.stats.most_open = max(self.stats.most_open, self.stats.open)

    def closed(self, session: "_Session") -> None:
        """Forget a connection."""
        self._sessions.discard(session)
        self.stats.open -= 1


class _Session(asyncio.Protocol):
    """One connection to the sink."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink
        self._transport: Any = None
        self._buffer = bytearray()
        self._scan = 0
        self._in_data = False
        self._chunk_bytes = -1
        self._is_logged_in = sink.credentials is None
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._fate = Fate.ACCEPT
        self._out: list[bytes] = []
        self._late: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._sink.opened(self)
        self._out.append(b"220 sink ESMTP\r\n")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._sink.closed(self)

    def drop(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and self._advance():
            pass
        self._flush()

    def _advance(self) -> bool:
        if self._in_data:
            return self._read_data()
        if self._chunk_bytes >= 0:
            return self._read_chunk()
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._command(line)
        return True

    def _read_data(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            raw, cut = b"", 3
        else:
            end = self._buffer.find(_END_OF_DATA, self._scan)
            if end < 0:
                self._scan = max(0, len(self._buffer) - 4)
                return False
            raw, cut = bytes(self._buffer[: end + 2]), end + 5
        del self._buffer[:cut]
        self._in_data, self._scan = False, 0
        if b"\r\n.." in raw or raw.startswith(b".."):
            raw = (b"\r\n" + raw).replace(b"\r\n..", b"\r\n.")[2:]
        self._end_message(raw)
        return True

    def _read_chunk(self) -> bool:
        if len(self._buffer) < self._chunk_bytes:
            return False
        raw = bytes(self._buffer[: self._chunk_bytes])
        del self._buffer[: self._chunk_bytes]
        self._chunk_bytes = -1
        if not self._recipients:
            self._out.append(b"503 5.5.1 no valid recipients\r\n")
        else:
            self._end_message(raw)
        return True

    def _end_message(self, raw: bytes) -> None:
        sender, recipients, fate = self._sender or "", tuple(self._recipients), self._fate
        self._reset()
        if not recipients:
            self._out.append(b"554 5.5.1 no valid recipients\r\n")
        elif fate is Fate.DROP:
            self.drop()
        elif fate is not Fate.HANG:
            self._sink.take(TakenEmail(sender, recipients, raw))
            self._out.append(b"250 2.0.0 Ok: queued\r\n")

    def _reset(self) -> None:
        self._sender, self._fate = None, Fate.ACCEPT
        self._recipients.clear()

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._mail(line)
        elif verb == b"RCPT":
            self._rcpt(line)
        elif verb == b"DATA":
            self._data()
        elif verb == b"BDAT":
            self._chunk_bytes = int(line.split()[1])
        else:
            self._other(verb, line)

    def _mail(self, line: bytes) -> None:
        if not self._is_logged_in:
            self._out.append(b"530 5.7.0 Authentication required\r\n")
        elif self._sender is not None:
            self._out.append(b"503 5.5.1 nested MAIL command\r\n")
        else:
            self._sender = _address(line)
            self._out.append(b"250 2.1.0 Ok\r\n")

    def _rcpt(self, line: bytes) -> None:
        if self._sender is None:
            self._out.append(b"503 5.5.1 need MAIL command\r\n")
            return
        address = _address(line)
        fate = self._sink.behaviour.fate(address)
        if fate is Fate.REJECT:
            self._sink.stats.refused += 1
            self._out.append(b"550 5.1.1 <%s>: no such mailbox\r\n" % address.encode())
        elif fate is Fate.LEAVE_ONCE and address not in self._sink.left:
            self._sink.left.add(address)
            self._out.append(b"421 4.3.2 closing\r\n")
            self._flush()
            self._transport.close()
            self._transport = None
        elif fate is Fate.RETRY:
            self._sink.stats.refused += 1
            self._out.append(b"451 4.7.1 <%s>: try again later\r\n" % address.encode())
        else:
            self._fate = fate
            self._recipients.append(address)
            self._out.append(b"250 2.1.5 Ok\r\n")

    def _data(self) -> None:
        if not self._recipients:
            self._out.append(b"554 5.5.1 no valid recipients\r\n")
            return
        self._in_data = True
        self._out.append(b"354 go ahead\r\n")

    def _other(self, verb: bytes, line: bytes) -> None:
        if verb == b"EHLO":
            lines = [b"sink", *self._sink.extensions]
            self._out.extend(b"250-%s\r\n" % text for text in lines[:-1])
            self._out.append(b"250 %s\r\n" % lines[-1])
        elif verb == b"RSET":
            self._reset()
            self._out.append(b"250 2.0.0 Ok\r\n")
        elif verb == b"AUTH":
            self._log_in(line)
        elif verb == b"QUIT":
            self._out.append(b"221 2.0.0 Bye\r\n")
            self._flush()
            if self._transport is not None:
                self._transport.close()
        elif verb in {b"HELO", b"NOOP"}:
            self._out.append(b"250 2.0.0 Ok\r\n")
        else:
            self._out.append(b"502 5.5.2 not implemented\r\n")

    def _log_in(self, line: bytes) -> None:
        _verb, _mechanism, token = line.split()
        parts = base64.b64decode(token).decode().split("\0")
        self._is_logged_in = tuple(parts[1:]) == self._sink.credentials
        self._out.append(
            b"235 2.7.0 Ok\r\n" if self._is_logged_in else b"535 5.7.8 Authentication failed\r\n"
        )

    def _flush(self) -> None:
        if not self._out or self._transport is None:
            return
        data = b"".join(self._out)
        self._out.clear()
        latency = self._sink.behaviour.latency_seconds
        if not latency:
            self._transport.write(data)
            return
        # Timers that are due at the same moment run in no certain order; the queue keeps the order.
        self._late.append(data)
        asyncio.get_running_loop().call_later(latency, self._write_late)

    def _write_late(self) -> None:
        data = self._late.popleft()
        if self._transport is not None:
            self._transport.write(data)


def _address(line: bytes) -> str:
    return line[line.find(b"<") + 1 : line.find(b">")].decode("ascii", "replace")
