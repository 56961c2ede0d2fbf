"""Celery entry points: read the clock, call one service."""

from celery import shared_task

from customers import jobs
from customers.services import lifecycle, loans
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor


@shared_task(name=jobs.REFRESH_LOAN_STATES.name)
def refresh_loan_states(**_: object) -> None:
    """Derive days past due and status of every loan as of today."""
    loans.refresh_loan_states(
        actor=system_actor(f"job:{jobs.REFRESH_LOAN_STATES.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )


@shared_task(name=jobs.REFRESH_LIFECYCLE.name)
def refresh_lifecycle(**_: object) -> None:
    """Let time make customers dormant and churned."""
    lifecycle.refresh_due(actor=system_actor(f"job:{jobs.REFRESH_LIFECYCLE.name}"), now=clock.now())
