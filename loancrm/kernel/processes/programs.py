"""The commands of web server, worker and scheduler, the same wherever they are started."""

import sys
from collections.abc import Mapping
from pathlib import Path

from loancrm.kernel.processes.supervisor import ProcessSpec

_MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
# What is sent to customers and what they answer must never wait behind a file or a computation:
# both have workers of their own, which take nothing of the other.
WORKERS: Mapping[str, tuple[str, ...]] = {
    "sending": ("dispatch", "receipts", "default"),
    "data": ("imports", "analytics"),
}
QUEUES = tuple(queue for queues in WORKERS.values() for queue in queues)


def web(*, host: str, port: int, workers: int = 1) -> ProcessSpec:
    """Return the web server: gunicorn with threads, which suits short requests on SQLite too."""
    options = (
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--timeout",
        "120",
        "--no-control-socket",
    )
    address = ("--bind", f"{host}:{port}", "--workers", str(workers))
    command = (sys.executable, "-m", "gunicorn", "loancrm.wsgi:application", *address, *options)
    # Whatever folder this is started in: without the file nobody would look before serving.
    own = ("--config", str(_MANAGE.with_name("gunicorn.conf.py")), "--graceful-timeout", "7")
    return ProcessSpec("web", (*command, *own))


def workers(*, concurrency: int) -> tuple[ProcessSpec, ...]:
    """Return a Celery worker for sending and one for data, each with its own queues.

    Args:
        concurrency: Processes for data; those for sending follow `LOANCRM_DISPATCH_WORKERS`.
    """
    return (
        _worker("sending", WORKERS["sending"]),
        _worker("data", WORKERS["data"], "--concurrency", str(concurrency)),
    )


def _worker(name: str, queues: tuple[str, ...], *pool: str) -> ProcessSpec:
    quiet = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle")
    command = (sys.executable, "-m", "celery", "-A", "loancrm", "worker", *quiet)
    own = ("--queues", ",".join(queues), *pool, "--hostname", f"{name}@%h")
    return ProcessSpec(name, (*command, *own))


def beat(*, schedule_path: Path) -> ProcessSpec:
    """Return the scheduler; its ticks are wake-ups, so a second one would do no harm."""
    files = ("--schedule", str(schedule_path), "--pidfile", "")
    command = (sys.executable, "-m", "celery", "-A", "loancrm", "beat", "--loglevel", "WARNING")
    return ProcessSpec("beat", (*command, *files))


def manage(name: str, *words: str) -> ProcessSpec:
    """Return a management command as a process."""
    return ProcessSpec(name, (sys.executable, str(_MANAGE), *words))
