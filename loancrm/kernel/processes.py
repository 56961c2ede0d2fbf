"""The commands of web server, worker and scheduler, the same wherever they are started."""

import sys
from pathlib import Path

from loancrm.kernel.supervisor import ProcessSpec

_MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
QUEUES = ("default", "imports", "dispatch", "receipts", "analytics")


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
    return ProcessSpec("web", (*command, "--graceful-timeout", "10"))


def worker(*, concurrency: int, name: str = "worker") -> ProcessSpec:
    """Return a Celery worker for all queues."""
    quiet = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle")
    command = (sys.executable, "-m", "celery", "-A", "loancrm", "worker", *quiet)
    pool = ("--queues", ",".join(QUEUES), "--concurrency", str(concurrency))
    return ProcessSpec(name, (*command, *pool, "--hostname", f"{name}@%h"))


def beat(*, schedule_path: Path) -> ProcessSpec:
    """Return the scheduler; its ticks are wake-ups, so a second one would do no harm."""
    files = ("--schedule", str(schedule_path), "--pidfile", "")
    command = (sys.executable, "-m", "celery", "-A", "loancrm", "beat", "--loglevel", "WARNING")
    return ProcessSpec("beat", (*command, *files))


def manage(name: str, *words: str) -> ProcessSpec:
    """Return a management command as a process."""
    return ProcessSpec(name, (sys.executable, str(_MANAGE), *words))
