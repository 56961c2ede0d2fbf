"""Signs of life of worker and beat: a file that each renews, with the seconds since the host began.

That clock is the same for every process of a host and never jumps, so neither a wrong time nor a
database that is away makes a living process look dead.
"""

import os
import re
import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings

RENEWED_SECONDS = 10
LONGEST_SECONDS = 60
# Left by a process that nobody has started again since.
FORGOTTEN_SECONDS = 86_400
_UNSAFE = re.compile(r"[^A-Za-z0-9_.@-]")


def renew(kind: str, name: str) -> None:
    """Say that a process lives."""
    path = _path(kind, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(str(time.monotonic()), encoding="ascii")
    draft.replace(path)


def end(kind: str, name: str) -> None:
    """Say that a process ended as it should."""
    _path(kind, name).unlink(missing_ok=True)


def ages(kind: str) -> dict[str, float]:
    """Return {process: seconds since its last sign of life} of this data folder."""
    found = {}
    for path in sorted(_folder().glob(f"{kind}-*")):
        age = time.monotonic() - float(path.read_text(encoding="ascii"))
        # Below zero: the host has started anew since.
        if 0 <= age < FORGOTTEN_SECONDS:
            found[path.name.removeprefix(f"{kind}-")] = age
    return found


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Renews the sign of life from the loop that takes jobs, so that it ends when that hangs."""

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        """Begin; the first sign is given at once."""
        renew("worker", worker.hostname)
        worker.timer.call_repeatedly(RENEWED_SECONDS, renew, ("worker", worker.hostname))

    def stop(self, worker: Any) -> None:
        """Take the sign away: this end is no failure."""
        end("worker", worker.hostname)


def _folder() -> Path:
    return Path(settings.LOANCRM_VAR_DIR) / "health"


def _path(kind: str, name: str) -> Path:
    return _folder() / f"{kind}-{_UNSAFE.sub('_', name)}"
