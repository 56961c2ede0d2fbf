"""Celery entry points: read the clock, call one service."""

import os
import random
import socket

from celery import shared_task
from django.conf import settings

from campaigns import jobs
from campaigns.services import dispatch, ticking
from loancrm.kernel import clock


def _holder() -> str:
    return f"{socket.gethostname()[:50]}:{os.getpid()}"


@shared_task(name=jobs.TICK.name)
def tick(**_: object) -> None:
    """Start, complete and wake."""
    ticking.tick(holder=_holder(), now=clock.now())


@shared_task(name=jobs.DRAIN.name)
def drain(**_: object) -> None:
    """Work due chunks, then see what that finished."""
    dispatch.drain(
        holder=_holder(),
        clock=clock.now,
        rng=random.Random(),  # noqa: S311 - spreads retries
        slice_seconds=settings.LOANCRM_DRAIN_SECONDS,
    )
    ticking.advance(now=clock.now())
