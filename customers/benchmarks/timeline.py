"""Pages of a long timeline against plain keyset SQL over the event log alone."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.management import call_command
from django.db import connection

from customers.benchmarks import population
from customers.domain.timeline import TimelineFilter, TimelineKind, TimelinePosition
from customers.models import Customer, Event, EventType
from customers.selectors.profile import timeline
from loancrm.kernel import clock
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport
from loancrm.kernel.database import bulk

EVENTS = 10_000
MIN_OTHERS = 2_000
_FULL_OTHERS = 100_000
_CHANNELS = ("app", "web", "sms", "")
_PLAIN = (
    "SELECT id, occurred_at, amount, channel, subject, source FROM customers_event "
    "WHERE customer_id = %s AND occurred_at <= %s AND (occurred_at, id) < (%s, %s) "
    "ORDER BY occurred_at DESC, id DESC LIMIT 31"
)


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure first, middle and last pages of 10,000 events, with and without filters.

    `database_ms` is what the database took for all queries of a page, as the client saw it (SQLite
    reads rows as they are fetched, so part of its work is only in `slowest_page_ms`, which is the
    whole page with building its entries).

    Args:
        scale: 1 puts 100,000 other customers with ten events each beside the one that is read; the
            number of events of the one stays.
    """
    started = time.monotonic()
    call_command("migrate", verbosity=0)
    now = clock.now()
    population.write(count=max(MIN_OTHERS, int(_FULL_OTHERS * scale)), now=now)
    person = _storied(now)
    pages, wall, queries = _measure(person, now, rounds)
    plain = _median(lambda: _plain_page(person, _places(person)["middle"]), rounds)[0]
    figures: dict[str, Any] = {
        "events_of_the_customer": EVENTS,
        "events": Event.objects.count(),
        "queries_a_page": queries,
        "database_ms": pages,
        "plain_keyset_ms": plain,
        "slowest_ms": max(pages.values()),
        "slowest_page_ms": wall,
    }
    ratios = {
        f"ratio_{name}": round(pages[f"events_only_{name}"] / plain, 3)
        for name in ("first", "middle", "last")
    }
    return BenchReport(
        name="timeline",
        scale=scale,
        seconds=time.monotonic() - started,
        ratios=ratios,
        figures=figures,
        goals=(BenchGoal("slowest_ms", 50.0, at_least=False),),
    )


def _storied(now: datetime) -> int:
    person = Customer.objects.create(external_id="storied", created_at=now, updated_at=now)
    kinds = [
        EventType.objects.get_or_create(name=name)[0]
        for name in ("app_login", "page_viewed", "repayment_made", "call_made")
    ]
    Event.objects.bulk_create(
        (
            Event(
                customer=person,
                type=kinds[number % len(kinds)],
                occurred_at=now - timedelta(minutes=37 * number),
                received_at=now,
                channel=_CHANNELS[number // 7 % len(_CHANNELS)],
                source="bench",
                dedup_key=f"storied-{number}",
            )
            for number in range(EVENTS)
        ),
        batch_size=1_000,
    )
    bulk.refresh_statistics(Event)
    return person.pk


def _places(person: int) -> Mapping[str, TimelinePosition | None]:
    """Return where the first, the middle and the last page begin."""
    source = next(s for s in timeline.sources() if s.kind is TimelineKind.EVENT)
    rows = Event.objects.filter(customer_id=person).order_by("-occurred_at", "-pk")
    found: dict[str, TimelinePosition | None] = {"first": None}
    for name, number in (("middle", EVENTS // 2), ("last", EVENTS - timeline.PAGE - 1)):
        row = rows[number]
        found[name] = TimelinePosition(row.occurred_at, source.rank, row.pk)
    return found


def _measure(person: int, now: datetime, rounds: int) -> tuple[dict[str, float], float, int]:
    """Return the database's milliseconds by page, the slowest whole page, and the most queries."""
    filters = {
        "everything": TimelineFilter(),
        "events_only": TimelineFilter(kinds=frozenset({TimelineKind.EVENT})),
        "by_event": TimelineFilter(event="call_made"),
        "by_channel": TimelineFilter(channel="sms"),
        "by_rare_channel": TimelineFilter(channel="branch"),
        "by_period": TimelineFilter(start=now - timedelta(days=200), end=now - timedelta(days=20)),
    }
    pages: dict[str, float] = {}
    most, slowest = 0, 0.0
    for name, wanted in filters.items():
        for place, after in _places(person).items():
            read = partial(
                timeline.page, person, wanted=wanted, after=after, zone=clock.company_zone()
            )
            pages[f"{name}_{place}"], wall, queries = _median(read, rounds)
            most, slowest = max(most, queries), max(slowest, wall)
    return pages, slowest, most


def _plain_page(person: int, after: TimelinePosition | None) -> None:
    if after is None:
        raise ValueError("the plain page begins in the middle")
    at = connection.ops.adapt_datetimefield_value(after.at)
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, [person, at, at, after.key])
        cursor.fetchall()


def _median(work: Callable[[], Any], rounds: int) -> tuple[float, float, int]:
    """Return median milliseconds in the database and altogether, and the queries of one call."""
    taken, whole, queries = [], [], 0
    for number in range(max(rounds, 3) + 1):
        began = time.perf_counter()
        with _database_time() as spent:
            work()
        queries = len(spent)
        if number:  # the first round only warms up
            taken.append(sum(spent) * 1_000)
            whole.append((time.perf_counter() - began) * 1_000)
    return round(bench.median(taken), 3), round(bench.median(whole), 3), queries


@contextmanager
def _database_time() -> Iterator[list[float]]:
    spent: list[float] = []

    def timed(execute: Any, sql: Any, parameters: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            spent.append(time.perf_counter() - began)

    with connection.execute_wrapper(timed):
        yield spent
