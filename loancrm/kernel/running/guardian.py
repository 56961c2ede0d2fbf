"""A process that outlives a run which is killed, and ends and removes what the run left behind.

A process that dies by SIGKILL can tidy up nothing, and the kernel's death signal reaches its
children only, not theirs. The guardian reads a pipe that only the run holds: whatever ends the run
ends the pipe, and then the guardian kills the process groups that it was told of, and removes the
folder, the database and the broker's keys. It is started by path, so it loads nothing of loancrm.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

REMOVAL_TRIES = 10


class Guardian:
    """The run's end of the pipe. Processes that are only forked must call `leave`."""

    def __init__(self) -> None:
        its_end, self._pipe = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", __file__],
            stdin=its_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(its_end)
        atexit.register(self._end)

    def adopt_group(self) -> None:
        """Put the calling, just forked process and its group under guard, before it runs anything.

        The child says so itself: a parent that is killed right after starting it could not.
        """
        self._send(group=os.getpid())

    def adopt_process(self) -> None:
        """Put the calling process under guard, which shares its parent's group, and leave."""
        self._send(process=os.getpid())
        self.leave()

    def forget(self, pid: int) -> None:
        """A guarded process and its group have ended: the number may be somebody else's now."""
        self._send(ended=pid)

    def register(self, name: str, **leftovers: str) -> None:
        """Note what must be removed after a kill: `folder`, `database`, `server`, `redis`."""
        self._send(name=name, leftovers=leftovers)

    def removed(self, name: str) -> None:
        """What was noted under a name has been removed by the run itself."""
        self._send(name=name, leftovers={})

    def leave(self) -> None:
        """Let go of the pipe in a forked process, which would keep it open beyond the run."""
        os.close(self._pipe)

    def _end(self) -> None:
        self.leave()
        self._process.wait()

    def _send(self, **note: Any) -> None:
        os.write(self._pipe, json.dumps(note).encode() + b"\n")


@cache
def of_this_run() -> Guardian:
    """Return the guardian of this process, started on first use."""
    return Guardian()


def remove_keys(url: str, prefix: str) -> None:
    """Remove every key of a prefix from Redis."""
    import redis  # noqa: PLC0415 - the guardian loads it only when it is needed

    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)


def drop_database(server: str, name: str) -> None:
    """Drop a database, whoever is connected to it, over a connection to another one."""
    import psycopg  # noqa: PLC0415 - likewise

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def watch(lines: Iterable[str]) -> None:
    """Read notes until the run is gone, then kill and remove what is still noted."""
    groups: set[int] = set()
    processes: set[int] = set()
    leftovers: dict[str, dict[str, str]] = {}
    for line in lines:
        note = json.loads(line)
        if "group" in note:
            groups.add(note["group"])
        elif "process" in note:
            processes.add(note["process"])
        elif "ended" in note:
            groups.discard(note["ended"])
            processes.discard(note["ended"])
        else:
            leftovers[note["name"]] = note["leftovers"]
    for kill, pids in ((os.killpg, groups), (os.kill, processes)):
        for pid in pids:
            _kill(kill, pid)
    for left in leftovers.values():
        _remove(left)


def _kill(kill: Callable[[int, int], None], pid: int) -> None:
    try:
        kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _remove(left: dict[str, str]) -> None:
    if "redis" in left:
        _try_again(lambda: remove_keys(left["redis"], left["prefix"]))
    if "database" in left:
        _try_again(lambda: drop_database(left["server"], left["database"]))
    if "folder" in left:
        # The runs inside this one are being ended by guardians of their own and may still write.
        _try_again(lambda: _remove_folder(Path(left["folder"])))


def _remove_folder(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _try_again(remove: Callable[[], None]) -> None:
    for _ in range(REMOVAL_TRIES):
        try:
            remove()
        except Exception:  # noqa: BLE001 - nobody is left to be told; the next try is all there is
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    watch(sys.stdin)
