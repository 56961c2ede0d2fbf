"""Keeps child processes running together: restarts with back-off, clean stop, no orphans."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
# A process that lived this long starts its back-off anew.
STEADY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run.

    Attributes:
        name: Short name, for the supervisor's lines.
        command: The program and its arguments.
        environment: Additions to the supervisor's own environment.
        log_path: File to which the process's output is added; without one it is inherited.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    log_path: Path | None = None


@dataclass(slots=True)
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes] | None = None
    started_seconds: float = 0.0
    delay_seconds: float = FIRST_DELAY_SECONDS
    restart_seconds: float = 0.0


class Supervisor:
    """Starts the given processes and restarts any that ends.

    Use it from the main thread only: Linux ties the children's death signal to the thread that
    started them.

    Args:
        specs: The processes, in the order in which they are started.
        say: Receives one line a start, end or stop.
    """

    def __init__(self, specs: Sequence[ProcessSpec], *, say: Callable[[str], None]) -> None:
        self._children = [_Child(spec) for spec in specs]
        self._say = say
        self._is_stopping = False

    def start(self) -> None:
        """Start every process."""
        for child in self._children:
            self._start(child)

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running children by name."""
        return {
            child.spec.name: child.process.pid
            for child in self._children
            if child.process is not None and child.process.poll() is None
        }

    def poll(self) -> None:
        """Notice ended processes and start those again whose back-off is over."""
        now_seconds = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._note_end(child, child.process.returncode, now_seconds)
            if child.process is None and now_seconds >= child.restart_seconds:
                self._start(child)

    def run(self) -> None:
        """Watch the processes until SIGTERM or SIGINT, then stop them all."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        try:
            while not self._is_stopping:
                self.poll()
                time.sleep(0.2)
        finally:
            self.stop()

    def stop(self, *, grace_seconds: float = 9.5) -> None:
        """Ask every process to end, all at once; kill the groups of those that do not."""
        running = [(child, child.process) for child in self._children if child.process is not None]
        for _, process in running:
            _signal(process, signal.SIGTERM)
        deadline_seconds = time.monotonic() + grace_seconds
        for child, process in running:
            try:
                process.wait(timeout=max(0.1, deadline_seconds - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{child.spec.name} did not stop in {grace_seconds:.0f} s: killed")
                _signal(process, signal.SIGKILL)
                process.wait()
            child.process = None

    def _start(self, child: _Child) -> None:
        log_path = child.spec.log_path
        with log_path.open("ab") if log_path else nullcontext() as log:
            child.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                child.spec.command,
                env={**os.environ, **child.spec.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(_die_with_parent, os.getpid()),  # noqa: PLW1509 - no threads yet
            )
        child.started_seconds = time.monotonic()
        self._say(f"{child.spec.name} started (pid {child.process.pid})")

    def _note_end(self, child: _Child, code: int, now_seconds: float) -> None:
        child.process = None
        if now_seconds - child.started_seconds >= STEADY_SECONDS:
            child.delay_seconds = FIRST_DELAY_SECONDS
        self._say(f"{child.spec.name} ended ({code}); again in {child.delay_seconds:.0f} s")
        child.restart_seconds = now_seconds + child.delay_seconds
        child.delay_seconds = min(child.delay_seconds * 2, LONGEST_DELAY_SECONDS)

    def _request_stop(self, _number: int, _frame: object) -> None:
        self._is_stopping = True


def _die_with_parent(parent_pid: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies, even by SIGKILL (Linux; prctl(2))."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os._exit(1)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        # Graceful ends are the leader's business; only a kill must reach its workers too.
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        return
