"""Celery entry points: read the clock, call one service."""

from celery import shared_task

from customers import jobs
from customers.services import history, relationships
from customers.services.credit import attributes as credit_attributes
from customers.services.events import lifecycle
from customers.services.identity import duplicate_searches
from customers.services.imports import jobs as imports_jobs
from customers.services.loans import from_file
from customers.services.segments import rounds
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.database import leases


@shared_task(name=jobs.REFRESH_LOAN_STATES.name)
def refresh_loan_states(**_: object) -> None:
    """Derive days past due and status of every loan as of today."""
    from_file.refresh_loan_states(
        actor=system_actor(f"job:{jobs.REFRESH_LOAN_STATES.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )


@shared_task(name=jobs.REFRESH_CREDIT_FACTS.name)
def refresh_credit_facts(**_: object) -> None:
    """Derive what credit facts say as of today; what has run out goes."""
    credit_attributes.refresh_credit_attributes(
        actor=system_actor(f"job:{jobs.REFRESH_CREDIT_FACTS.name}"), now=clock.now()
    )


@shared_task(name=jobs.REFRESH_LIFECYCLE.name)
def refresh_lifecycle(**_: object) -> None:
    """Let time make customers dormant and churned."""
    lifecycle.refresh_due(actor=system_actor(f"job:{jobs.REFRESH_LIFECYCLE.name}"), now=clock.now())


@shared_task(name=jobs.DERIVE_RELATIONSHIPS.name)
def derive_relationships(*, is_full: bool = False, **_: object) -> None:
    """Follow what ties customers to each other; with `is_full` for everybody."""
    relationships.derive(
        actor=system_actor(f"job:{jobs.DERIVE_RELATIONSHIPS.name}"),
        now=clock.now(),
        is_full=is_full,
    )


@shared_task(name=jobs.BUILD_SEGMENTS.name)
def build_segments(**_: object) -> None:
    """Build the members of the segments that are due."""
    rounds.build_round(
        actor=system_actor(f"job:{jobs.BUILD_SEGMENTS.name}"),
        holder=leases.current_holder(),
        read_clock=clock.now,
    )


@shared_task(name=jobs.FOLLOW_CHANGES.name)
def follow_changes(**_: object) -> None:
    """Look at customers that changed again, in all segments."""
    rounds.change_round(
        actor=system_actor(f"job:{jobs.FOLLOW_CHANGES.name}"),
        holder=leases.current_holder(),
        now=clock.now(),
    )


@shared_task(name=jobs.RUN_IMPORT.name)
def run_import(*, work_id: int, **_: object) -> None:
    """Go on with an import, or with its undo, from its last committed page."""
    imports_jobs.run_work(work_id=work_id, now=clock.now(), today=clock.today())


@shared_task(name=jobs.FIND_DUPLICATES.name, time_limit=4 * 3600)
def find_duplicates(*, work_id: int, **_: object) -> None:
    """Do a search for duplicates that somebody started."""
    duplicate_searches.run(work_id=work_id, now=clock.now(), today=clock.today())


@shared_task(name=jobs.CLEAR_HISTORY.name)
def clear_history(**_: object) -> None:
    """Remove values that were over long ago."""
    history.clear_history(now=clock.now())


@shared_task(name=jobs.CLEAR_IMPORTS.name)
def clear_imports(**_: object) -> None:
    """Forget what imports have kept long enough, and end those of commands that are gone."""
    imports_jobs.clear_up(now=clock.now())
