"""Celery entry points: read the clock, call one service."""

from celery import shared_task

from analytics import jobs
from analytics.services import discovery_runs, lifetime_value, spending
from analytics.services.credit import deciding, loan_book
from analytics.services.lifetime import contact_habits
from analytics.services.modelling import comparing, scheduling, scoring, training_runs
from analytics.services.targeting import runs as targeting_runs
from analytics.services.warning import groups, replays, watching
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.database import leases


@shared_task(name=jobs.RUN_DISCOVERY.name)
def run_discovery(*, work_id: int, **_: object) -> None:
    """Search for segments as somebody asked for."""
    discovery_runs.run(work_id=work_id, now=clock.now())


@shared_task(name=jobs.RUN_TARGETING.name)
def run_targeting(*, work_id: int, **_: object) -> None:
    """Choose whom to contact as somebody asked for."""
    targeting_runs.run(work_id=work_id, now=clock.now())


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


@shared_task(name=jobs.DESCRIBE_CONTACT_HABITS.name)
def describe_contact_habits(**_: object) -> None:
    """Describe when and on which channel customers respond."""
    contact_habits.describe_contact_habits(
        actor=system_actor(f"job:{jobs.DESCRIBE_CONTACT_HABITS.name}"), now=clock.now()
    )


@shared_task(name=jobs.SWEEP_WARNINGS.name)
def sweep_warnings(**_: object) -> None:
    """Look at everybody with a running loan, at partners and segments."""
    watching.sweep(
        actor=system_actor(f"job:{jobs.SWEEP_WARNINGS.name}"),
        holder=leases.current_holder(),
        read_clock=clock.now,
    )
    groups.watch_groups(
        actor=system_actor(f"job:{jobs.SWEEP_WARNINGS.name}"),
        holder=leases.current_holder(),
        now=clock.now(),
    )


@shared_task(name=jobs.FOLLOW_WARNINGS.name)
def follow_warnings(**_: object) -> None:
    """Look at the people about whom something new has come in."""
    watching.follow(
        actor=system_actor(f"job:{jobs.FOLLOW_WARNINGS.name}"),
        holder=leases.current_holder(),
        read_clock=clock.now,
    )


@shared_task(name=jobs.DERIVE_LOAN_BOOK.name)
def derive_loan_book(**_: object) -> None:
    """Derive the loan book by month."""
    loan_book.derive_loan_book(
        actor=system_actor(f"job:{jobs.DERIVE_LOAN_BOOK.name}"),
        as_of=clock.today(),
        now=clock.now(),
    )


@shared_task(name=jobs.DECIDE_APPLICATIONS.name)
def decide_applications(**_: object) -> None:
    """Decide the applications that wait, where a policy is in force."""
    deciding.decide_applications(
        actor=system_actor(f"job:{jobs.DECIDE_APPLICATIONS.name}"), now=clock.now()
    )


@shared_task(name=jobs.TRAIN_MODEL.name)
def train_model(*, work_id: int, **_: object) -> None:
    """Train a version of a model as somebody asked for."""
    training_runs.run(work_id=work_id, now=clock.now())


@shared_task(name=jobs.SCORE_MODEL.name)
def score_model(*, model_id: int, **_: object) -> None:
    """Score everybody with one model."""
    scoring.score_model(
        actor=system_actor(f"job:{jobs.SCORE_MODEL.name}"), model_id=model_id, now=clock.now()
    )


@shared_task(name=jobs.SCORE_MODELS.name)
def score_models(**_: object) -> None:
    """Score everybody with the models whose turn it is."""
    scoring.score_due_models(actor=system_actor(f"job:{jobs.SCORE_MODELS.name}"), now=clock.now())


@shared_task(name=jobs.COMPARE_VERSIONS.name)
def compare_versions(*, model_id: int, **_: object) -> None:
    """Hold the versions of one model that wait against its champion."""
    comparing.compare_versions(
        actor=system_actor(f"job:{jobs.COMPARE_VERSIONS.name}"),
        model_id=model_id,
        now=clock.now(),
    )


@shared_task(name=jobs.RETRAIN_MODELS.name)
def retrain_models(**_: object) -> None:
    """Train candidates of the models whose turn it is."""
    scheduling.retrain_due_models(
        actor=system_actor(f"job:{jobs.RETRAIN_MODELS.name}"), now=clock.now()
    )


@shared_task(name=jobs.REPLAY_WARNINGS.name)
def replay_warnings(*, work_id: int, **_: object) -> None:
    """Replay the past for the rules of early warning."""
    replays.run(work_id=work_id, now=clock.now())
