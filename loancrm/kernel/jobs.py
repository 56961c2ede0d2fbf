"""Names of background jobs, below both the services that start them and the tasks that run them."""

import logging
from dataclasses import dataclass
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Name and queue of a background job; the task of that name lives in an app's tasks.py."""

    name: str
    queue: str


def enqueue(job: Job, /, **kwargs: int | str | None) -> None:
    """Send the job once the current transaction commits, or now when there is none."""
    transaction.on_commit(partial(_send, job, kwargs))


def _send(job: Job, kwargs: dict[str, int | str | None]) -> None:
    """Wake a worker; without a broker the rows wait for the tick that looks for them.

    What was asked for is stored by now: an error would make somebody ask for it a second time.
    """
    try:
        current_app.tasks[job.name].apply_async(kwargs=kwargs, queue=job.queue)
    except OperationalError:
        logger.warning("broker away, a tick will find the work", extra={"job": job.name})
