"""The Celery application. The database carries the work; tasks are wake-ups."""

import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import (
    after_task_publish,
    beat_init,
    worker_init,
    worker_process_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import connections

# Before the pool forks: what it shares with its parent.
from loancrm.kernel.processes import stopping
from loancrm.kernel.running import file_broker, heartbeats

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loancrm.settings.dev")


def _refuse_wrong_settings() -> None:
    """End `celery` with the list of what is wrong; it would print a traceback of its own."""
    from loancrm.kernel.commands import base  # noqa: PLC0415 - the product's commands need no such words

    try:
        settings.INSTALLED_APPS  # noqa: B018 - loads the settings
    except Exception as error:
        line = base.settings_line(error)
        if line is None:
            raise
        sys.exit(line)


if "celery" in Path(sys.argv[0]).parts[-2:]:
    _refuse_wrong_settings()
file_broker.register()
app = Celery("loancrm")
# Without this only the thread that imported the module would know the app, no request thread.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(heartbeats.WorkerHeartbeat)
# SIGTERM and Ctrl-C let jobs finish for this long; then they are given back to their queue. Their
# rows and leases bear that: every job may be cut off anywhere. `up`, compose and the system wait a
# little longer before they kill.
STOP_SECONDS = 7

app.conf.task_default_queue = "default"
app.conf.task_create_missing_queues = True


@worker_init.connect
@beat_init.connect
def _refuse_unusable(**_: Any) -> None:
    from loancrm.kernel.running import readiness  # noqa: PLC0415 - needs the loaded apps

    readiness.refuse_unusable()


@worker_init.connect
def _prepare_worker(**_: Any) -> None:
    """Keep what is loaded out of garbage collection, so that forks share it."""
    connections.close_all()
    gc.collect()
    gc.freeze()
    # A chunk makes thousands of objects that live as long as the chunk: looking through them every
    # 700 was a tenth of a worker's time.
    gc.set_threshold(10_000, 20, 20)


@worker_shutting_down.connect
def _finish_soon(how: str, **_: Any) -> None:
    """Let long jobs end with the step that is under way; SIGTERM itself reaches no pool process."""
    stopping.request()
    if how == "Warm":
        # Celery would wait for the longest job, however long that takes.
        hurry = threading.Timer(STOP_SECONDS, os.kill, (os.getpid(), signal.SIGQUIT))
        hurry.daemon = True
        hurry.start()


@beat_init.connect
def _begin_heartbeat(sender: Any, **_: Any) -> None:
    """Renew beat's sign of life with what it sends: it sends something every two seconds."""
    last = [0.0]

    def renew(**_: Any) -> None:
        if time.monotonic() - last[0] >= heartbeats.RENEWED_SECONDS:
            heartbeats.renew("beat", "beat")
            last[0] = time.monotonic()

    after_task_publish.connect(renew, weak=False)


@worker_process_shutdown.connect
def _close_channels(**_: Any) -> None:
    from campaigns.channels import registry  # noqa: PLC0415 - needs the loaded apps

    registry.close_all()
