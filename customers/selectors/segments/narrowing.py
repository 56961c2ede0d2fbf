"""How the conditions of a rule narrow everybody down, each of them looked at once.

Conditions on the customer's own columns that lead the rule are counted in one pass. From the first
condition on events on, which are dear, each is asked only of those who are left: their keys wait in
a table of this connection, of which the planner knows the size, whatever it took the condition for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from customers.domain.segments.ast import (
    AllOf,
    AnyOf,
    EventCondition,
    Not,
    Rule,
    SegmentCondition,
    SequenceCondition,
)
from customers.domain.segments.scope import RuleScope
from customers.models import Customer
from customers.selectors.segments import query
from customers.selectors.segments.values import all_of

_TABLE = "loancrm_segment_left"
# Each is asked again with every one after it.
_MAX_LEADING = 10


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Who is left after the last condition, for as long as the table of their keys stands.

    Attributes:
        left_counts: Everybody, then how many are left after each condition; only the last of them
            where the steps are not wanted.
    """

    left_counts: tuple[int, ...]
    table: str

    @property
    def ids(self) -> RawSQL:
        """Return the keys of who is left, for the right-hand side of an `in`."""
        return _ids(self.table)

    def first_ids(self, size: int) -> list[int]:
        """Return the smallest keys in ascending order."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {self.table} ORDER BY id LIMIT %s",  # noqa: S608 - our own name
                [size],
            )
            return [row[0] for row in cursor.fetchall()]


@contextmanager
def narrowed(
    conditions: Sequence[Rule], scope: RuleScope, *, is_stepwise: bool
) -> Iterator[Narrowed]:
    """Yield whom all conditions leave. Needs an open transaction.

    Args:
        is_stepwise: Whether the steps are wanted, too.
    """
    leading = _leading(conditions, scope) if is_stepwise else tuple(conditions)
    later = conditions[len(leading) :]
    tables: list[str] = []
    left_counts: list[int] = []
    for stage in ((*leading, *later[:1]), *((condition,) for condition in later[1:])):
        remaining = Customer.objects.live()
        if tables:
            remaining = Customer.objects.filter(pk__in=_ids(tables[-1]))
        tables.append(f"{_TABLE}_{len(tables)}")
        left_counts.append(_write_keys(tables[-1], remaining.filter(*_terms(stage, scope))))
    if is_stepwise and conditions:
        # The first table is of the leading conditions alone where no other follows.
        left_counts = [*_counts(leading if later else leading[:-1], scope), *left_counts]
    yield Narrowed(tuple(left_counts), tables[-1])
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DROP TABLE {table}")


def _leading(conditions: Sequence[Rule], scope: RuleScope) -> tuple[Rule, ...]:
    """Return the conditions before the first dear one."""
    return tuple(takewhile(lambda rule: _is_light(rule, scope), conditions[:_MAX_LEADING]))


def _is_light(rule: Rule, scope: RuleScope) -> bool:
    match rule:
        case Not(child):
            return _is_light(child, scope)
        case AllOf(rules) | AnyOf(rules):
            return all(_is_light(child, scope) for child in rules)
        case EventCondition() | SequenceCondition():
            return False
        case SegmentCondition(slug):
            return slug not in scope.rules
        case _:
            return True


def _terms(conditions: Sequence[Rule], scope: RuleScope) -> list[Q]:
    return [query.to_q(condition, scope) for condition in conditions]


def _counts(conditions: Sequence[Rule], scope: RuleScope) -> list[int]:
    """Return how many everybody are, and how many are left after each condition."""
    terms = _terms(conditions, scope)
    plain = sum(
        1 for _ in takewhile(lambda rule: query.reads_columns_only(rule, scope), conditions)
    )
    live = Customer.objects.live()
    steps = {
        f"left_{number}": Count("pk", filter=all_of(terms[:number]))
        for number in range(1, plain + 1)
    }
    found = live.aggregate(everybody=Count("*"), **steps)
    return [
        found["everybody"],
        *(found[name] for name in steps),
        *(live.filter(*terms[:number]).count() for number in range(plain + 1, len(terms) + 1)),
    ]


def _ids(table: str) -> RawSQL:
    return RawSQL(f"SELECT id FROM {table}", ())  # noqa: S608, S611 - our own name


def _write_keys(table: str, customers: QuerySet[Customer]) -> int:
    """Keep the keys of the customers in a new table; return how many they are."""
    customer = connection.ops.quote_name(Customer._meta.db_table)  # noqa: SLF001 - Django's options
    parameters: Any
    try:
        select, parameters = customers.values("pk").query.sql_with_params()
    except EmptyResultSet:
        select, parameters = f"SELECT id FROM {customer} WHERE 1 = 0", ()  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"CREATE TEMP TABLE {table} (id) ON COMMIT DROP AS {select}", parameters)
            found = int(cursor.rowcount)
            # Else the planner does not know that every key is there once.
            cursor.execute(f"ANALYZE {table}")
            return found
        cursor.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY)")
        cursor.execute(f"INSERT INTO {table} {select}", parameters)
        return int(cursor.rowcount)
