"""A whole targeting on the current database, step by step as a worker does it."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.management import call_command
from django.db import connection

from analytics.domain.targeting.planning import TargetingPeople
from analytics.models import TargetingRun
from analytics.selectors.targeting import people as people_selector
from analytics.services.targeting import runs, writing
from campaigns.domain.campaigns.fairness import FairnessAttribute
from customers.benchmarks import population
from customers.models import Customer, Score, SegmentMember
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.database import bulk
from loancrm.kernel.models import WorkState


def measure(people: TargetingPeople, spec: Mapping[str, object]) -> dict[str, Any]:
    """Write the people with their scores, target them twice, and return what the runs took.

    The first run fills empty lists, the second finds everybody in them already.

    Returns:
        `whole_seconds` of the slower run, the seconds of its steps, members written, and the
        highest memory of the process meanwhile in MB.

    Raises:
        AssertionError: A run failed, or its lists do not hold whom it chose.
    """
    call_command("migrate", verbosity=0)
    _write_people(people)
    slowest: dict[str, Any] = {}
    with bench.peak_memory(0.2) as peak:
        for _turn in range(2):
            found = _target(spec)
            if found["whole_seconds"] > slowest.get("whole_seconds", 0.0):
                slowest = found
    return {**slowest, "whole_peak_mb": round(peak[0], 1)}


def _target(spec: Mapping[str, object]) -> dict[str, Any]:
    actor, now = system_actor("bench"), clock.now()
    steps: dict[str, float] = {}
    began = time.monotonic()
    row = runs.start_run(actor=actor, data=spec, now=now, is_background=False)
    with _timed(steps):
        runs.run(work_id=row.work_id, now=now, actor=actor)
    whole = time.monotonic() - began
    row = TargetingRun.objects.select_related("work").get(pk=row.pk)
    if row.work.state != WorkState.DONE:
        raise AssertionError(str(row.work.last_error))
    members = SegmentMember.objects.filter(left_at=None).count()
    if members != sum(one["size"] for one in row.result["segments"]):
        msg = "the lists do not hold whom the targeting chose"
        raise AssertionError(msg)
    return {
        "whole_seconds": round(whole, 2),
        **{f"{name}_seconds": round(seconds, 2) for name, seconds in steps.items()},
        "members_written": members,
    }


class _timed:  # noqa: N801 - a block
    """Measures the steps of a targeting while the block lasts."""

    def __init__(self, steps: dict[str, float]) -> None:
        self._steps = steps
        self._kept: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        """Put a clock around each step."""
        places = {
            "read": (people_selector, "load_people"),
            "plan": (runs, "plan"),
            "choose": (runs, "solve"),
            "compare": (runs, "compare"),
            "recheck": (writing, "without_gone"),
            "write": (writing, "write_lists"),
        }
        for name, (module, function) in places.items():
            original = getattr(module, function)
            self._kept.append((module, function, original))
            setattr(module, function, self._around(name, original))

    def __exit__(self, *_error: object) -> None:
        """Take the clocks away."""
        for module, function, original in self._kept:
            setattr(module, function, original)

    def _around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*given: Any, **named: Any) -> Any:
            began = time.monotonic()
            try:
                return function(*given, **named)
            finally:
                self._steps[name] = time.monotonic() - began

        return measured


def _write_people(people: TargetingPeople) -> None:
    """Write as many customers, and their scores."""
    now = clock.now()
    count = len(people.ids)
    provinces = people.groups[FairnessAttribute.REGION].names
    first = population.write_customers(count=count, now=now, provinces=provinces)
    keys = range(first, first + count)
    columns = ("customer_id", "model_name", "version", "value", "band", "scored_at", "is_latest")
    for model, values in people.scores.items():
        stamp = connection.ops.adapt_datetimefield_value(now)
        lines = (
            (key, model, "1", round(value, 6), "", stamp, True)
            for key, value in zip(keys, values.tolist(), strict=True)
        )
        _copy(Score._meta.db_table, columns, lines)  # noqa: SLF001 - Django's options
    for written in (Customer, Score):
        bulk.refresh_statistics(written)


def _copy(table: str, columns: tuple[str, ...], lines: Iterator[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(lines))  # noqa: S608 - our table
