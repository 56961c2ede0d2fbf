"""What all benchmarks share: a database of their own, processes that end, and one report."""

import json
import os
import platform
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import psycopg
from django.conf import settings
from django.db import connection

from loancrm.kernel.running import guardian, leftovers

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class BenchGoal:
    """A bound on one figure; `at_least` or `at_most`."""

    figure: str
    bound: float
    at_least: bool = True

    def holds(self, value: float) -> bool:
        """Return whether the value keeps the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass
class BenchReport:
    """What a benchmark prints: figures, ratios against a baseline of the same run, and goals."""

    name: str
    scale: float
    seconds: float = 0.0
    ratios: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    goals: Sequence[BenchGoal] = ()
    memory_mb: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the printed form; `met` is true only when every goal holds at full scale."""
        values = {**self.figures, **self.ratios}
        return {
            "name": self.name,
            "scale": self.scale,
            "seconds": round(self.seconds, 2),
            **self.figures,
            "ratios": self.ratios,
            "goals": {
                goal.figure: f"{'>=' if goal.at_least else '<='} {goal.bound}"
                for goal in self.goals
            },
            "met": self.scale >= 1 and all(goal.holds(values[goal.figure]) for goal in self.goals),
            "memory_mb": round(self.memory_mb, 1),
            "environment": environment(),
        }


def environment() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "database": connection.vendor,
        "broker": urlsplit(settings.CELERY_BROKER_URL).scheme,
    }


def median(values: Sequence[float]) -> float:
    """Return the median, rounded to four digits after the point."""
    return round(statistics.median(values), 4)


@contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """Yield the environment of processes that work on a database and a broker of their own.

    On PostgreSQL a database is created beside the configured one and dropped afterwards; on Redis
    every key carries a prefix of this run, so that no other worker takes its jobs. A run that is
    killed leaves the removal to its guardian; the next run drops what even that left.
    """
    folder = Path(tempfile.mkdtemp(prefix="loancrm-bench-"))
    name = f"{leftovers.PREFIX}{os.getpid()}_{secrets.token_hex(3)}"
    variables = {
        **os.environ,
        "LOANCRM_VAR_DIR": str(folder),
        "LOANCRM_BROKER_PREFIX": f"{name}:",
        "LOANCRM_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "loancrm.settings.dev",
        "LOANCRM_DEBUG": "false",
    }
    clock_file = folder / "clock.json"
    clock_file.write_text(json.dumps({"offset_seconds": _to_ten_o_clock()}), encoding="utf-8")
    variables["LOANCRM_DEMO_CLOCK"] = str(clock_file)
    url = os.environ.get("DATABASE_URL", "")
    redis_url = os.environ.get("REDIS_URL", "")
    is_server = connection.vendor == "postgresql"
    left = {"folder": str(folder)}
    if redis_url:
        left |= {"redis": redis_url, "prefix": f"{name}:"}
    if is_server:
        left |= {"server": url, "database": name}
    guardian.of_this_run().register(name, **left)
    if is_server:
        leftovers.sweep(url)
        _on_server(url, f'CREATE DATABASE "{name}"')
        leftovers.mark(url, name)
        variables["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    else:
        variables.pop("DATABASE_URL", None)
    try:
        yield variables
    finally:
        if is_server:
            guardian.drop_database(url, name)
        if redis_url:
            guardian.remove_keys(redis_url, f"{name}:")
        shutil.rmtree(folder, ignore_errors=True)
        guardian.of_this_run().removed(name)


def _on_server(url: str, statement: str) -> None:
    """Run a statement that no transaction may hold, over a connection of its own."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(statement.encode())


def _to_ten_o_clock() -> float:
    """Return the seconds to ten in the morning, so that quiet hours stay on and do not bite."""
    real = datetime.fromtimestamp(time.time(), tz=ZoneInfo(settings.TIME_ZONE))
    return (real.replace(hour=10, minute=0) - real).total_seconds()


def run_inner(
    arguments: Sequence[str], variables: Mapping[str, str], *, seconds: float | None = None
) -> dict[str, Any]:
    """Run `manage.py` with arguments in an environment; return the JSON object it prints last.

    Args:
        seconds: Ends the command after so long.

    Raises:
        subprocess.TimeoutExpired: It was ended.
        subprocess.CalledProcessError: The command failed; what it said stands on standard error.
    """
    command = [sys.executable, "manage.py", *arguments]
    with process(command, variables, stderr=None) as inner:
        printed, _nothing = inner.communicate(timeout=seconds)
        if inner.returncode:
            raise subprocess.CalledProcessError(inner.returncode, command)
    lines = printed.strip().splitlines()
    content: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return content


@contextmanager
def process(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    stderr: int | None = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a process group of its own and end the group afterwards.

    The group ends with this process too, even where that is killed.
    """
    guard = guardian.of_this_run()
    child = subprocess.Popen(  # noqa: S603 - our own programs and arguments
        arguments,
        cwd=settings.BASE_DIR,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
        preexec_fn=guard.adopt_group,  # noqa: PLW1509 - one write(2) before the program starts
    )
    try:
        yield child
    finally:
        _end_group(child)
        guard.forget(child.pid)


def in_processes(count: int, work: Callable[[range], None], processes: int = 2) -> float:
    """Fork processes that share the numbers below `count`; return the seconds until all are done.

    Raises:
        RuntimeError: The work of a process failed.
    """
    size = -(-count // processes)
    guard = guardian.of_this_run()
    started = time.monotonic()
    children = []
    for first in range(0, count, size):
        pid = os.fork()
        if pid == 0:
            try:
                guard.adopt_process()
                work(range(first, min(first + size, count)))
            except BaseException:  # noqa: BLE001 - a forked child must never return into the parent
                os._exit(1)
            os._exit(0)
        children.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    for pid in children:
        guard.forget(pid)
    if any(codes):
        raise RuntimeError(codes)
    return time.monotonic() - started


def _end_group(child: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(timeout=15)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    if child.stdout:
        child.stdout.close()


def family(pid: int) -> list[int]:
    """Return the ids of a process and of all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_stat(int(entry.name))[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for known in found:
        found.extend(parents.get(known, ()))
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor seconds that living processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = _stat(pid)
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_mb(pids: Sequence[int]) -> float:
    """Return the memory of living processes; a page that several share counts once in all."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


@contextmanager
def peak_memory(pause: float = 0.5) -> Iterator[list[float]]:
    """Yield a list whose one item is the most memory, in MB, of this process and its children."""
    peak = [0.0]
    is_over = threading.Event()

    def look() -> None:
        while True:
            peak[0] = max(peak[0], resident_mb(family(os.getpid())))
            if is_over.wait(pause):
                return

    watcher = threading.Thread(target=look, name="peak-memory", daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def wait_until(condition: Any, *, seconds: float, pause: float = 0.02) -> bool:
    """Call a condition until it holds; return whether it did in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(pause)
    return False
