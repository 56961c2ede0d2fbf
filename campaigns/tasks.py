"""Celery entry points: read the clock, call one service."""

import logging
import random

from celery import shared_task
from django.conf import settings

from campaigns import jobs
from campaigns.services.campaigns import harm_watch, ticking
from campaigns.services.channels import asking, operator_mails
from campaigns.services.consents import complaints, confirmations
from campaigns.services.evidence import message_texts
from campaigns.services.filing import filings
from campaigns.services.notices import notifying
from campaigns.services.partners import contracts, idempotency
from campaigns.services.receipts import reports, visits
from campaigns.services.sending import dispatch, ledger, own_values
from campaigns.services.triggers import following
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.database import leases
from loancrm.kernel.processes import stopping

logger = logging.getLogger(__name__)


@shared_task(name=jobs.TICK.name)
def tick(**_: object) -> None:
    """Start, complete and wake."""
    ticking.tick(holder=leases.current_holder(), now=clock.now())


@shared_task(name=jobs.DRAIN.name)
def drain(**_: object) -> None:
    """Work due chunks, then see what that finished."""
    dispatch.drain(
        holder=leases.current_holder(),
        clock=clock.now,
        rng=random.Random(),  # noqa: S311 - spreads retries
        slice_seconds=settings.LOANCRM_DRAIN_SECONDS,
        should_stop=stopping.is_requested,
        advance=lambda: ticking.look(holder=leases.current_holder(), now=clock.now()),
        workers=settings.LOANCRM_DISPATCH_WORKERS,
    )
    ticking.advance(now=clock.now())


@shared_task(name=jobs.FOLLOW_TRIGGERS.name)
def follow_triggers(**_: object) -> None:
    """Begin runs of what happened to people."""
    following.follow(holder=leases.current_holder(), now=clock.now())


@shared_task(name=jobs.DECIDE_TESTS.name)
def decide_tests(**_: object) -> None:
    """Read the tests of texts, and decide what can be decided."""
    ticking.decide_tests(now=clock.now())


@shared_task(name=jobs.WATCH_HARM.name)
def watch_harm(**_: object) -> None:
    """Pause campaigns that do harm."""
    harm_watch.pause_harmful(now=clock.now())


@shared_task(name=jobs.FORGET_API_LEFTOVERS.name)
def forget_api_leftovers(**_: object) -> None:
    """Delete what partners' calls leave behind once it is of no use."""
    idempotency.forget_old_keys(now=clock.now())
    contracts.forget_expired_tokens()


@shared_task(name=jobs.FORGET_VALUES.name)
def forget_values(**_: object) -> None:
    """Remove what single messages said once they need it no more."""
    own_values.forget_old(now=clock.now())


@shared_task(name=jobs.FORGET_TEXTS.name)
def forget_texts(**_: object) -> None:
    """Remove the texts of messages that nobody has to prove any more."""
    message_texts.forget_old(now=clock.now())


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


@shared_task(name=jobs.STOP_COMPLAINERS.name)
def stop_complainers(**_: object) -> None:
    """Stop marketing to whoever complained."""
    complaints.stop_complainers(
        actor=system_actor(f"job:{jobs.STOP_COMPLAINERS.name}"), now=clock.now()
    )


@shared_task(name=jobs.ASK_PROVIDERS.name)
def ask_providers(**_: object) -> None:
    """Ask providers about messages of unknown fate."""
    asking.ask_providers(holder=leases.current_holder(), now=clock.now())


@shared_task(name=jobs.END_FILINGS.name)
def end_filings(**_: object) -> None:
    """End approvals of providers that have run out or that nobody has used for too long."""
    filings.end_lapsed(actor=system_actor(f"job:{jobs.END_FILINGS.name}"), now=clock.now())


@shared_task(name=jobs.MAIL_OPERATORS.name)
def mail_operators(**_: object) -> None:
    """Write to the operators about what was stopped."""
    operator_mails.mail_operators(holder=leases.current_holder())


@shared_task(name=jobs.NOTIFY_PEOPLE.name)
def notify_people(**_: object) -> None:
    """Tell people what waits for them and what became of their campaigns."""
    notifying.notify_people(holder=leases.current_holder(), now=clock.now())


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
