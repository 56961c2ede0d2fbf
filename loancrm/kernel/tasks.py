"""Celery entry points of the kernel: call one service."""

from celery import shared_task

from loancrm.kernel import clock
from loancrm.kernel.work import jobs, retention, service


@shared_task(name=jobs.WAKE_WORK.name)
def wake_work(**_: object) -> None:
    """Let a worker look at all long work that nobody works on, and end what commands left."""
    service.wake()
    service.end_abandoned()


@shared_task(name=jobs.REMOVE_OLD_WORK.name)
def remove_old_work(**_: object) -> None:
    """Remove long work that has been over for long."""
    retention.remove_old_work(now=clock.now())
