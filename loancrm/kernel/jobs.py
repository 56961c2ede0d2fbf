"""Names of background jobs, below both the services that start them and the tasks that run them."""

from dataclasses import dataclass
from functools import partial

from celery import current_app
from django.db import transaction


@dataclass(frozen=True, slots=True)
class Job:
    """Name and queue of a background job; the task of that name lives in an app's tasks.py."""

    name: str
    queue: str


def enqueue(job: Job, /, **kwargs: int | str | None) -> None:
    """Send the job once the current transaction commits, or now when there is none."""
    task = current_app.tasks[job.name]
    transaction.on_commit(partial(task.apply_async, kwargs=kwargs, queue=job.queue))
