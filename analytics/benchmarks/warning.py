"""How long it takes from a fact that comes in to the alert that follows from it."""

import math
import random
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from analytics import jobs
from analytics.models import RiskAlert
from analytics.services.warning import rules, watching
from customers.models import Customer, Instalment, Loan, Repayment
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

_PEOPLE = 20_000
_LEAST = 500
_FACTS = 24
_SEED = 11
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure the seconds from the commit of a reversed payment to the commit of its alert.

    The job that looks runs at the pace of production, in a thread of its own. Reversals come in one
    after the other at moments of their own; each makes a loan ten days past due.

    Args:
        scale: 1 puts 20,000 borrowers beside those that are measured.
        rounds: Times two dozen facts.
    """
    started = time.monotonic()
    call_command("migrate", verbosity=0)
    rules.ensure_rules()
    today = clock.today()
    count = max(_LEAST, int(_PEOPLE * scale))
    loans = _borrowers(count, today)
    swept = time.monotonic()
    watching.sweep(actor=system_actor("bench"), holder="bench", read_clock=clock.now)
    sweep_seconds = time.monotonic() - swept
    period = next(
        entry["schedule"]
        for entry in settings.LOANCRM_MANIFESTS.beat_schedule.values()
        if entry["task"] == jobs.FOLLOW_WARNINGS.name
    )
    stop = threading.Event()
    worker = threading.Thread(target=_follow, args=(stop, period), daemon=True)
    worker.start()
    try:
        # At any moment between two looks.
        rng = random.Random(_SEED)  # noqa: S311 - repeats with its seed
        waits = [_wait(loan, today, rng.uniform(0, period)) for loan in loans[: _FACTS * rounds]]
    finally:
        stop.set()
        worker.join(_PATIENCE_SECONDS)
    figures: dict[str, Any] = {
        "borrowers": count,
        "facts": len(waits),
        "period_seconds": period,
        "p50_seconds": round(_percentile(waits, 0.5), 3),
        "p95_seconds": round(_percentile(waits, 0.95), 3),
        "sweep_people_a_second": round(count / sweep_seconds, 1),
    }
    return BenchReport(
        name="warning",
        scale=scale,
        seconds=time.monotonic() - started,
        figures=figures,
        goals=(BenchGoal("p95_seconds", 10.0, at_least=False),),
    )


def _borrowers(count: int, today: date) -> list[Loan]:
    """Return loans whose first instalment of ten days ago was paid on the day."""
    now = clock.now()
    people = Customer.objects.bulk_create(
        Customer(external_id=f"w{number}", created_at=now, updated_at=now)
        for number in range(count)
    )
    loans = Loan.objects.bulk_create(
        Loan(
            source="bench",
            external_id=f"w{person.pk}",
            customer=person,
            principal_amount=1200,
            term_months=12,
            disbursed_on=today - timedelta(days=40),
        )
        for person in people
    )
    due = [today - timedelta(days=10) + timedelta(days=30 * number) for number in range(12)]
    Instalment.objects.bulk_create(
        (
            Instalment(loan=loan, number=number, due_on=day, principal_amount=100)
            for loan in loans
            for number, day in enumerate(due, start=1)
        ),
        batch_size=5000,
    )
    Repayment.objects.bulk_create(
        (
            Repayment(
                source="bench", external_id=f"p{loan.pk}", loan=loan, paid_on=due[0], amount=100
            )
            for loan in loans
        ),
        batch_size=5000,
    )
    return loans


def _follow(stop: threading.Event, period: float) -> None:
    """Look for news at the pace of production until told to stop."""
    try:
        while not stop.is_set():
            begun = time.monotonic()
            watching.follow(actor=system_actor("bench"), holder="bench", read_clock=clock.now)
            stop.wait(max(0.0, period - (time.monotonic() - begun)))
    finally:
        connection.close()


def _wait(loan: Loan, today: date, pause: float) -> float:
    """Take a payment back and return the seconds until the alert about it is there."""
    time.sleep(pause)
    Repayment.objects.create(
        source="bench",
        external_id=f"r{loan.pk}",
        loan=loan,
        paid_on=today,
        amount=Decimal(-100),
    )
    begun = time.monotonic()
    while time.monotonic() - begun < _PATIENCE_SECONDS:
        if RiskAlert.objects.filter(customer_id=loan.customer_id).exists():
            return time.monotonic() - begun
        time.sleep(_LOOK_SECONDS)
    return math.inf


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
