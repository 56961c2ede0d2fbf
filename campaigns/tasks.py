"""Celery entry points: read the clock, call one service."""

import logging
import os
import random
import socket

from celery import shared_task
from django.conf import settings

from campaigns import jobs
from campaigns.services.campaigns import ticking
from campaigns.services.channels import asking, telling
from campaigns.services.consents import confirmations
from campaigns.services.partners import contracts, idempotency
from campaigns.services.receipts import reports, visits
from campaigns.services.sending import dispatch, ledger, own_values
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.processes import stopping

logger = logging.getLogger(__name__)


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
        should_stop=stopping.is_requested,
        advance=lambda: ticking.look(holder=_holder(), now=clock.now()),
        workers=settings.LOANCRM_DISPATCH_WORKERS,
    )
    ticking.advance(now=clock.now())


@shared_task(name=jobs.FORGET_API_LEFTOVERS.name)
def forget_api_leftovers(**_: object) -> None:
    """Delete what partners' calls leave behind once it is of no use."""
    idempotency.forget_old_keys(now=clock.now())
    contracts.forget_expired_tokens()


@shared_task(name=jobs.FORGET_VALUES.name)
def forget_values(**_: object) -> None:
    """Remove what single messages said once they need it no more."""
    own_values.forget_old(now=clock.now())


@shared_task(name=jobs.PUBLISH_CLICKS.name)
def publish_clicks(**_: object) -> None:
    """Turn visits of people into events."""
    visits.publish_clicks(now=clock.now())


@shared_task(name=jobs.RETRY_RECEIPTS.name)
def retry_receipts(**_: object) -> None:
    """Apply reports that were faster than their messages."""
    reports.retry_all_quarantined(actor=system_actor("task:retry_receipts"), now=clock.now())


@shared_task(name=jobs.SEND_CONFIRMATIONS.name)
def send_confirmations(**_: object) -> None:
    """Ask people to confirm the consents they asked for."""
    confirmations.send_confirmations(now=clock.now())


@shared_task(name=jobs.ASK_PROVIDERS.name)
def ask_providers(**_: object) -> None:
    """Ask providers about messages of unknown fate."""
    asking.ask_providers(holder=_holder(), now=clock.now())


@shared_task(name=jobs.TELL_OPERATORS.name)
def tell_operators(**_: object) -> None:
    """Write to the operators about what was stopped."""
    telling.tell_operators(holder=_holder())


@shared_task(name=jobs.VERIFY_LEDGER.name)
def verify_ledger(**_: object) -> None:
    """Hold the send ledgers against their anchors."""
    found = ledger.verify_and_anchor(now=clock.now())
    if not found.is_intact:
        logger.error("send ledgers were changed", extra={"dispatches": sorted(found.broken)})


@shared_task(name=jobs.VERIFY_AUDIT.name)
def verify_audit(**_: object) -> None:
    """Hold the audit trail against its anchors; what is found is an entry of its own."""
    found = audit.verify_and_anchor(now=clock.now())
    if not found.is_intact:
        logger.error("the audit trail was changed", extra={"entries": found.entries})
