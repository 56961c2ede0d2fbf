"""Celery entry points: read the clock, call one service."""

from celery import shared_task

from analytics import jobs
from analytics.services import discovery_runs, lifetime_value, spending
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor


@shared_task(name=jobs.RUN_DISCOVERY.name)
def run_discovery(*, run_id: int, **_: object) -> None:
    """Search for segments as somebody asked for."""
    discovery_runs.run(run_id=run_id, read_clock=clock.now)


@shared_task(name=jobs.WAKE_DISCOVERIES.name)
def wake_discoveries(**_: object) -> None:
    """Wake a worker for every search that nobody works on."""
    discovery_runs.wake()


@shared_task(name=jobs.VALUE_CUSTOMERS.name)
def value_customers(**_: object) -> None:
    """Give every customer a lifetime value."""
    lifetime_value.value_customers(
        actor=system_actor(f"job:{jobs.VALUE_CUSTOMERS.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )


@shared_task(name=jobs.DESCRIBE_SPENDING.name)
def describe_spending(**_: object) -> None:
    """Describe how customers spend."""
    spending.describe_spending(
        actor=system_actor(f"job:{jobs.DESCRIBE_SPENDING.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )
