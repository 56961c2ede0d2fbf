"""Counting by rules against the best hand-written SQL, and refreshing stored members."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F

from customers.benchmarks import population
from customers.benchmarks.rules import Typical, parameters, typical
from customers.models import Customer, Event, EventType, Segment
from customers.selectors.segments import preview, references
from customers.services.segments import changes, refresh, versions
from customers.services.segments.members import RefreshResult
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport
from loancrm.kernel.database import bulk

MIN_CUSTOMERS = 1_000
_PATIENCE_SECONDS = 600.0
_ACTOR = system_actor("command:bench")


@dataclass(frozen=True, slots=True)
class _Compared:
    count: int
    own_seconds: float
    best_seconds: float
    preview_seconds: float


def run_segments(*, scale: float, rounds: int) -> BenchReport:
    """Measure ten rules on the current (own, empty) database; counts must be the same.

    A preview is all that the builder shows: count, sample, waterfall, and who can be reached.

    Args:
        scale: 1 is 1,000,000 customers and 10,000,000 events.
    """
    started = time.monotonic()
    now = _populate(scale)
    compared = {item.name: _compare(item, now, rounds) for item in typical()}
    ratios = {
        f"ratio_{name}": round(found.own_seconds / found.best_seconds, 3)
        for name, found in compared.items()
    }
    ratios["worst_ratio"] = max(ratios.values())
    return BenchReport(
        name="segments",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios=ratios,
        figures={
            "customers": Customer.objects.count(),
            "events": Event.objects.count(),
            "counts": {name: found.count for name, found in compared.items()},
            "own_seconds": {name: found.own_seconds for name, found in compared.items()},
            "hand_written_seconds": {name: found.best_seconds for name, found in compared.items()},
            "preview_seconds": {name: found.preview_seconds for name, found in compared.items()},
            "slowest_seconds": max(found.own_seconds for found in compared.values()),
            "slowest_preview_seconds": max(found.preview_seconds for found in compared.values()),
        },
        goals=(
            BenchGoal("worst_ratio", 1.3, at_least=False),
            BenchGoal("slowest_seconds", 1.0, at_least=False),
            BenchGoal("slowest_preview_seconds", 1.0, at_least=False),
        ),
    )


def run_refresh(*, scale: float, rounds: int) -> BenchReport:
    """Measure refreshes after 1 % of the customers moved, and one changed customer.

    All ten segments are kept, so the one customer is looked at in each of them.
    """
    started = time.monotonic()
    _populate(scale)
    stored = [_stored(item) for item in typical()]
    refreshed = [
        _refresh_after_changes(stored[3], rounds),
        _refresh_after_changes(stored[0], rounds),
    ]
    single = bench.median([_one_customer() for _round in range(rounds)])
    return BenchReport(
        name="refresh",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios={
            "ratio_to_count_with_events": refreshed[0][0],
            "ratio_to_count_of_profile": refreshed[1][0],
        },
        figures={
            "customers": Customer.objects.count(),
            "segments": len(stored),
            "refresh_seconds": [found[1] for found in refreshed],
            "one_customer_seconds": single,
        },
        goals=(
            BenchGoal("ratio_to_count_with_events", 1.5, at_least=False),
            BenchGoal("ratio_to_count_of_profile", 1.5, at_least=False),
            BenchGoal("one_customer_seconds", 5.0, at_least=False),
        ),
    )


def _populate(scale: float) -> datetime:
    call_command("migrate", verbosity=0)
    now = clock.now()
    population.write(count=max(MIN_CUSTOMERS, int(population.FULL * scale)), now=now)
    return now


def _compare(item: Typical, now: datetime, rounds: int) -> _Compared:
    facts = parameters(now=now, zone=clock.company_zone())
    own_times: list[float] = []
    preview_times: list[float] = []
    hand_times: list[list[float]] = [[] for _wording in item.where]
    counts: set[int] = set()
    for number in range(rounds + 1):
        found, seconds = _timed(lambda: _count(item.data, now))
        shown, taken_by_preview = _timed(lambda: _preview(item.data, now))
        counts |= {found, shown}
        hand = [_timed_alike(_by_hand(where, facts)) for where in item.where]
        counts |= {count for count, _seconds in hand}
        if number:  # the first round only warms up
            own_times.append(seconds)
            preview_times.append(taken_by_preview)
            for times, (_found, taken) in zip(hand_times, hand, strict=True):
                times.append(taken)
    if len(counts) != 1:
        msg = f"{item.name}: the counts differ: {sorted(counts)}"
        raise AssertionError(msg)
    return _Compared(
        count=counts.pop(),
        own_seconds=bench.median(own_times),
        best_seconds=min(map(bench.median, hand_times)),
        preview_seconds=bench.median(preview_times),
    )


def _count(data: Any, now: datetime) -> int:
    rule, scope = references.load_rule(data, now=now, zone=clock.company_zone())
    return preview.count(rule, scope, timeout_seconds=_PATIENCE_SECONDS)


def _preview(data: Any, now: datetime) -> int:
    rule, scope = references.load_rule(data, now=now, zone=clock.company_zone())
    return preview.preview(
        rule, scope, language="en", is_detailed=True, timeout_seconds=_PATIENCE_SECONDS
    ).count


def _timed_alike(call: Callable[[], int]) -> tuple[int, float]:
    """Time a statement under the settings that counts of the product run with."""
    with transaction.atomic():
        bulk.read_widely()
        return _timed(call)


def _by_hand(where: str, facts: Mapping[str, Any]) -> Callable[[], int]:
    statement = (
        "SELECT COUNT(*) FROM customers_customer c "  # noqa: S608 - our own conditions
        f"WHERE c.merged_into_id IS NULL AND {where}"
    )

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, facts)
            return int(cursor.fetchone()[0])

    return count


def _stored(item: Typical) -> Segment:
    now = clock.now()
    segment = versions.create_segment(
        actor=_ACTOR, slug=item.name.replace("_", "-"), name=item.name, rule=item.data, now=now
    )
    refresh.refresh_segment(actor=_ACTOR, segment=segment, now=now)
    return segment


def _refresh_after_changes(segment: Segment, rounds: int) -> tuple[float, float]:
    """Return the ratio of a refresh to its count query, and its seconds.

    Each time a hundredth of all customers changes, whatever the rule asks for: one half is merged
    away and leaves, the half that went the last time comes back.
    """
    counted, refreshed = [], []
    first = Customer.objects.order_by("pk").values_list("pk", flat=True)[0]
    halves = Customer.objects.annotate(half=F("pk") % 200).exclude(pk=first)
    for number in range(-1, rounds + 1):
        halves.filter(half=number + 1).update(merged_into=first)
        halves.filter(half=number).update(merged_into=None)
        facts: dict[str, Any] = {"actor": _ACTOR, "segment": segment, "now": clock.now()}
        _found, seconds = _timed(partial(versions.recount, **facts))
        difference, taken = _timed(partial(refresh.refresh_segment, **facts))
        if number > 0:  # the first rounds only warm up
            counted.append(seconds)
            refreshed.append(taken)
            _check_share(difference)
    halves.filter(half=rounds + 1).update(merged_into=None)
    return round(bench.median(refreshed) / bench.median(counted), 3), bench.median(refreshed)


def _check_share(difference: RefreshResult) -> None:
    changed = difference.entered_count + difference.left_count
    expected = difference.member_count / 100
    # A few people more or less by chance.
    if abs(changed - expected) > 10 + expected / 2:
        msg = f"{changed} members changed instead of {expected:.0f}"
        raise AssertionError(msg)


def _one_customer() -> float:
    """Return the seconds from an event of one customer to all its segments being right."""
    changes.apply_changes(actor=_ACTOR, now=clock.now())
    now = clock.now()
    Event.objects.create(
        customer=Customer.objects.order_by("pk")[0],
        type=EventType.objects.get(name="app_login"),
        occurred_at=now,
        received_at=now,
        source="bench",
        dedup_key=f"one-{now.isoformat()}",
    )
    done, seconds = _timed(lambda: changes.apply_changes(actor=_ACTOR, now=clock.now()))
    if done.customer_count != 1:
        msg = f"{done.customer_count} customers were looked at instead of one"
        raise AssertionError(msg)
    return seconds


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = call()
    return found, time.perf_counter() - started
