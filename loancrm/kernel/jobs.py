"""Names of background jobs, below both the services that start them and the tasks that run them."""

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_unannounced: ContextVar[bool] = ContextVar("unannounced_jobs", default=False)


@dataclass(frozen=True, slots=True)
class Job:
    """Name and queue of a background job; the task of that name lives in an app's tasks.py."""

    name: str
    queue: str


def enqueue(job: Job, /, **kwargs: int | str | None) -> None:
    """Send the job once the current transaction commits, or now when there is none.

    What was stored has happened, whether or not the broker hears of it: jobs are wake-ups, and the
    next tick finds the rows. A broker that is away is therefore logged and told, never raised.
    """
    transaction.on_commit(partial(_send, job, kwargs))


def _send(job: Job, kwargs: dict[str, Any]) -> None:
    task = current_app.tasks[job.name]
    try:
        task.apply_async(kwargs=kwargs, queue=job.queue)
    except (OperationalError, OSError) as error:
        # The chain of causes names the broker's address, which may hold a password.
        logger.error(  # noqa: TRY400
            "job not announced", extra={"job": job.name, "error": type(error).__name__}
        )
        _unannounced.set(True)


def take_unannounced() -> bool:
    """Return whether a job of this request could not be announced, and forget it."""
    was = _unannounced.get()
    _unannounced.set(False)
    return was
