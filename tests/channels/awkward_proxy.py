"""A loopback proxy that brings a provider's answers in awkward ways: split, late, cut, or never."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How answers are brought.

    Attributes:
        piece_bytes: Bytes in one packet; 0 brings what comes as it comes.
        pause_seconds: Before each packet.
        cut_after_bytes: Close both sides after so many bytes of answers on a connection.
        connections_cut: How many connections are cut; later ones are left alone.
    """

    piece_bytes: int = 0
    pause_seconds: float = 0.0
    cut_after_bytes: int | None = None
    connections_cut: int = 1


class AwkwardProxy:
    """Stands before a server on `port`; `port` of its own holds where it listens."""

    def __init__(self, port: int, way: Way) -> None:
        self._target = port
        self._way = way
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> "AwkwardProxy":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.close()
        for side in list(self._open):
            _hang_up(side)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                number, self.connections = self.connections, self.connections + 1
                self._open += [near, far]
                for side in (near, far):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for work in ((self._ask, near, far, 0), (self._answer, far, near, number)):
                    threading.Thread(target=work[0], args=work[1:], daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, _number: int) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65_536):
                far.sendall(data)
        _hang_up(far)

    def _answer(self, far: socket.socket, near: socket.socket, number: int) -> None:
        way, brought = self._way, 0
        is_cut = way.cut_after_bytes is not None and number < way.connections_cut
        with contextlib.suppress(OSError):
            while data := far.recv(65_536):
                size = way.piece_bytes or len(data)
                for start in range(0, len(data), size):
                    piece = data[start : start + size]
                    if is_cut:
                        piece = piece[: max(way.cut_after_bytes - brought, 0)]
                    if way.pause_seconds:
                        time.sleep(way.pause_seconds)
                    near.sendall(piece)
                    brought += len(piece)
                    if is_cut and brought >= way.cut_after_bytes:
                        _hang_up(near)
                        _hang_up(far)
                        return
        _hang_up(near)


def _hang_up(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        side.close()
