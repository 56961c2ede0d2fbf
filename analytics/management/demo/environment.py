"""The demo's own folder, database, broker and clock, apart from everything else."""

import fcntl
import json
import os
import shutil
import socket
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError

_CLOCK = "LOANCRM_DEMO_CLOCK"
# Settings of another installation must not leak into the demo.
_REMOVED = ("DATABASE_URL", "REDIS_URL", "LOANCRM_KEYS", "LOANCRM_INDEX_KEY", "LOANCRM_SECRET_KEY")


def is_inside(folder: Path) -> bool:
    """Return whether this process already runs in the demo's environment."""
    return os.environ.get(_CLOCK) == str(folder / "clock.json")


def hold(folder: Path) -> TextIO:
    """Return an open file that keeps other demos out of the folder until it is closed.

    Raises:
        CommandError: Another demo is running there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock").open("a", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CommandError(f"demo_running: another demo uses {folder}; end it first") from error
    return lock


def enter(folder: Path, *, host: str, port: int, starts_at: datetime) -> None:
    """Begin anew in an empty folder: replace this process by one with the demo's settings."""
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "logs").mkdir(parents=True)
    set_clock(folder, starts_at)
    environment = {name: value for name, value in os.environ.items() if name not in _REMOVED}
    environment |= {
        _CLOCK: str(folder / "clock.json"),
        "DJANGO_SETTINGS_MODULE": "loancrm.settings.dev",
        "LOANCRM_VAR_DIR": str(folder),
        "LOANCRM_PUBLIC_URL": f"http://{host}:{port}",
        "LOANCRM_ALLOWED_HOSTS": f"{host},localhost",
        "LOANCRM_BRAND": "安心消费金融",
        "LOANCRM_HOTLINE": "400-000-0000",
        "LOANCRM_POSTAL_ADDRESS": "上海市示例路1号",
        "LOANCRM_TIME_ZONE": "Asia/Shanghai",
        "LOANCRM_DEBUG": "0",
        # The demo's visitors say by which line they come.
        "LOANCRM_PROXY_COUNT": "1",
        "LOANCRM_LOG_LEVEL": "WARNING",
        # kombu moves messages through the temporary folder; it must be on the broker's disk.
        "TMPDIR": str(folder),
    }
    os.execve(  # noqa: S606 - this very program again
        sys.executable, [sys.executable, *sys.argv], environment
    )


def set_clock(folder: Path, moment: datetime) -> None:
    """Let every process of the demo read this time from now on; it goes on running."""
    path = folder / "clock.json"
    draft = path.with_suffix(".part")
    content = {"offset_seconds": moment.timestamp() - time.time()}
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)


def free_port() -> int:
    """Return a port of the loopback on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def require_free(host: str, port: int) -> None:
    """Refuse to start where another program listens.

    Raises:
        CommandError: The port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"port_taken: {host}:{port}; choose another with --port") from error
