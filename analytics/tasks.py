"""Celery entry points: read the clock, call one service."""

from celery import shared_task

from analytics import jobs
from analytics.services import lifetime_value
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor


@shared_task(name=jobs.VALUE_CUSTOMERS.name)
def value_customers(**_: object) -> None:
    """Give every customer a lifetime value."""
    lifetime_value.value_customers(
        actor=system_actor(f"job:{jobs.VALUE_CUSTOMERS.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )
