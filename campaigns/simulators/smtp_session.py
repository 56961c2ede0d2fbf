"""One connection to the simulated relay: commands in, replies out, in the relay's mood."""

import asyncio
import base64
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from campaigns.simulators import evidence
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import MoodBox, Turn

_END_OF_DATA = b"\r\n.\r\n"
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^@>]*)", re.IGNORECASE | re.MULTILINE)
# Refused at RCPT; nothing of the message is taken.
_AT_RECIPIENT = {
    Turn.THROTTLE: b"421 4.7.0 too many messages, closing",
    Turn.UNAVAILABLE: b"451 4.3.2 system not accepting messages",
    Turn.BLOCK: b"550 5.7.1 message refused by policy",
    Turn.GREYLIST: b"450 4.7.1 greylisted, try again later",
    Turn.BUSY_IN_PART: b"452 4.5.3 too many recipients",
}
# Refused after the content came; nothing of the message is taken.
_AT_CONTENT = {
    Turn.ERROR: b"451 4.3.0 local error in processing",
    Turn.ERROR_INSIDE: b"451 4.3.0 local error in processing",
}
_UNHEARD = frozenset({Turn.ERROR_AFTER, Turn.CUT, Turn.DROP_AFTER, Turn.SILENT, Turn.PART})


@dataclass(frozen=True, slots=True)
class TakenEmail:
    """A message as the sink got it; dots are already unstuffed."""

    sender: str
    recipients: tuple[str, ...] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """Return the left part of the Message-ID, which says which message it is."""
        found = _MESSAGE_ID.search(self.raw)
        return found[1].decode("ascii", "replace") if found else ""


class Relay(Protocol):
    """What a connection needs of its relay."""

    behaviour: Behaviour
    moods: MoodBox
    extensions: list[bytes]
    credentials: tuple[str, str] | None
    left: set[str]
    stats: Any

    def opened(self, session: "Session") -> None:
        """Note a new connection."""

    def closed(self, session: "Session") -> None:
        """Forget a connection."""

    def take(self, message: TakenEmail) -> None:
        """Count a message that was accepted."""

    def note(self, entry: EvidenceEntry) -> None:
        """Keep what becomes of a message until `write_down`."""

    def write_down(self) -> None:
        """Write down what was noted, before anybody is told."""


class Session(asyncio.Protocol):
    """One connection to the sink."""

    def __init__(self, sink: Relay) -> None:
        """Start before the greeting."""
        self._sink = sink
        self._transport: Any = None
        self._port = 0
        self._buffer = bytearray()
        self._scan = 0
        self._in_data = False
        self._chunk_bytes = -1
        self._is_logged_in = sink.credentials is None
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._fate = SimulatedFate.ACCEPT
        self._turn = Turn.ANSWER
        self._out: list[bytes] = []
        self._late: deque[bytes] = deque()
        self._late_until = 0.0
        self._is_deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or turn away."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._port = peer[1] if peer else 0
        self._sink.opened(self)
        if self._sink.moods.refuses_connection():
            self._leave(b"421 4.3.2 too many connections")
            return
        self._out.append(b"220 sink ESMTP\r\n")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc
        self._transport = None
        self._sink.closed(self)

    def drop(self) -> None:
        """Cut the connection."""
        self._sink.write_down()
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read commands and contents as far as they have come."""
        self._buffer += data
        while self._transport is not None and not self._is_deaf and self._advance():
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
        message = TakenEmail(self._sender or "", tuple(self._recipients), raw)
        fate, turn = self._fate, self._turn
        self._reset()
        if not message.recipients:
            self._out.append(b"554 5.5.1 no valid recipients\r\n")
        elif fate is SimulatedFate.DROP or turn is Turn.DROP_BEFORE:
            self._note(message, turn, is_taken=False, answer="")
            self.drop()
        elif fate is SimulatedFate.HANG:
            self._note(message, turn, is_taken=False, answer="")
        elif turn in _AT_CONTENT:
            reply = _AT_CONTENT[turn]
            self._note(message, turn, is_taken=False, answer=reply[:3].decode())
            self._out.append(reply + b"\r\n")
        else:
            self._take(message, turn)

    def _take(self, message: TakenEmail, turn: Turn) -> None:
        """Take a message, then answer or fail to."""
        self._note(message, turn, is_taken=True, answer="" if turn in _UNHEARD else "250")
        self._sink.take(message)
        reply = b"250 2.0.0 Ok: queued\r\n"
        if turn not in _UNHEARD:
            self._answer(reply)
        elif turn is Turn.SILENT:
            self._flush()
            self._is_deaf = True
            silence = self._sink.moods.mood.silence_seconds
            asyncio.get_running_loop().call_later(silence, self.drop)
        elif turn in {Turn.CUT, Turn.PART}:
            self._leave(reply[:9], end=b"")
        else:
            self.drop()

    def _answer(self, reply: bytes) -> None:
        """Reply to a message: with what else there is to say, or later by itself."""
        wait = self._sink.moods.wait_seconds()
        if wait:
            self._flush()
        self._out.append(reply)
        if wait:
            self._flush(wait=wait)

    def _note(self, message: TakenEmail, turn: Turn, *, is_taken: bool, answer: str) -> None:
        for recipient in message.recipients:
            self._sink.note(
                EvidenceEntry(
                    self._port, message.key, evidence.person(recipient), turn, is_taken, answer
                )
            )

    def _reset(self) -> None:
        self._sender, self._fate, self._turn = None, SimulatedFate.ACCEPT, Turn.ANSWER
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
        fate, turn = self._sink.behaviour.fate(address), self._sink.moods.turn()
        if fate is SimulatedFate.REJECT:
            self._refuse(address, b"550 5.1.1 <%s>: no such mailbox" % address.encode(), turn)
        elif fate is SimulatedFate.LEAVE_ONCE and address not in self._sink.left:
            self._sink.left.add(address)
            self._leave(b"421 4.3.2 closing")
        elif fate is SimulatedFate.RETRY:
            self._refuse(address, b"451 4.7.1 <%s>: try again later" % address.encode(), turn)
        elif turn in _AT_RECIPIENT:
            self._refuse(address, _AT_RECIPIENT[turn], turn)
        else:
            self._fate, self._turn = fate, turn
            self._recipients.append(address)
            self._out.append(b"250 2.1.5 Ok\r\n")

    def _refuse(self, address: str, reply: bytes, turn: Turn) -> None:
        self._sink.stats.refused += 1
        self._sink.note(
            EvidenceEntry(
                connection=self._port,
                key="",
                person=evidence.person(address),
                turn=turn,
                is_taken=False,
                answer=reply[:3].decode(),
                is_final=reply.startswith(b"550 5.1.1"),
            )
        )
        if reply.startswith(b"421"):
            self._leave(reply)
        else:
            self._out.append(reply + b"\r\n")

    def _leave(self, reply: bytes, *, end: bytes = b"\r\n") -> None:
        """Say a last word and close the connection."""
        self._out.append(reply + end)
        self._flush()
        self._is_deaf = True
        if self._late:
            asyncio.get_running_loop().call_at(self._late_until + 0.001, self._close)
        else:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._transport = None

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

    def _flush(self, wait: float = 0.0) -> None:
        """Write the replies that wait: whole or in pieces, at once or late, always in order."""
        self._sink.write_down()
        if not self._out or self._transport is None:
            return
        data = b"".join(self._out)
        self._out.clear()
        wait += self._sink.behaviour.latency_seconds
        moods = self._sink.moods
        if not wait and not self._late and moods.mood.is_calm:
            self._transport.write(data)
            return
        loop = asyncio.get_running_loop()
        self._late_until = max(self._late_until, loop.time() + wait)
        for piece in moods.split(data):
            # Timers due at the same moment run in no certain order; the queue keeps the order.
            self._late.append(piece)
            loop.call_at(self._late_until, self._write_late)
            self._late_until += moods.mood.piece_pause_seconds

    def _write_late(self) -> None:
        data = self._late.popleft()
        if self._transport is not None:
            self._transport.write(data)


def _address(line: bytes) -> str:
    return line[line.find(b"<") + 1 : line.find(b">")].decode("ascii", "replace")
