"""An address that swallows connections, as a firewall does: the first packet is never answered."""

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def swallowing_port() -> Iterator[int]:
    """Yield a port whose queue of connections is full and is never emptied."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
