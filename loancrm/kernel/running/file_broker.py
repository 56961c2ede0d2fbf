"""The broker of files without half-written ones: kombu's filesystem transport, made safe to share.

kombu opens a message's file under its final name and writes afterwards, and the table of an
exchange likewise. A reader that comes between finds an empty file: a worker ended with it, a
publisher got an error. Readers move a message to the system's folder for temporary files, which two
may do at once where that is another device. Here a message appears whole or not at all, one reader
gets it, and tables are read and written under a lock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

SCHEME: Final = "files"
URL: Final = f"{SCHEME}://"


class FileChannel(filesystem.Channel):
    """A channel of which messages and tables are never seen half-written."""

    def get_table(self, exchange: str) -> Any:
        """Return the queues that are bound to an exchange."""
        with self._locked(fcntl.LOCK_SH):
            return super().get_table(exchange) if _is_whole(self._table_file(exchange)) else []

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        found = super()._lookup(exchange, routing_key, default)
        # Nothing is bound yet where another thread has only begun to; the message would be dropped
        # without a word. A queue of jobs has the name of its exchange.
        return found or ([routing_key] if routing_key == exchange else found)

    def _queue_bind(self, exchange: str, routing_key: Any, pattern: Any, queue: Any) -> None:
        with self._locked(fcntl.LOCK_EX):
            file = self._table_file(exchange)
            # Cut off while it was written, by a kill or a full disk; whoever needs it binds again.
            if file.exists() and not _is_whole(file):
                file.unlink()
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def _delete(self, queue: str, exchange: str, *args: Any, **kwargs: Any) -> None:
        with self._locked(fcntl.LOCK_EX):
            super()._delete(queue, exchange, *args, **kwargs)

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        # Sorted by name, messages are read in the order in which they were written.
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f".{name}.part"
        try:
            unfinished.write_bytes(str_to_bytes(dumps(payload)))
            unfinished.rename(folder / name)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise ChannelError(f"Cannot add file {name!r} to directory") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder, taken = Path(self.data_folder_in), Path(self.processed_folder)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            try:
                # Within one device, so only one of several readers can have done it.
                mine = (folder / name).rename(taken / name)
            except FileNotFoundError:
                continue
            try:
                payload = mine.read_bytes()
                mine.unlink()
            except OSError as error:
                raise ChannelError(f"Cannot read file {name!r} from queue.") from error
            return loads(bytes_to_str(payload))
        raise Empty

    def _table_file(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        return file

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        folder = Path(self.control_folder)
        folder.mkdir(exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            # Also what a process that was forked meanwhile holds of it.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def _is_whole(table: Path) -> bool:
    """Return whether the table of an exchange can be read."""
    try:
        loads(bytes_to_str(table.read_bytes()))
    except (FileNotFoundError, ValueError):
        return False
    return True


class Transport(filesystem.Transport):
    """kombu's transport over such channels."""

    Channel = FileChannel


def register() -> None:
    """Let broker addresses that begin with `files://` mean this transport."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
