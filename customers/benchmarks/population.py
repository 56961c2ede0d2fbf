"""A million customers and ten million events of arithmetic, written by the database itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from customers.models import ConsentState, ContactPoint, Customer, Event, EventType, Loan
from loancrm.kernel.database import bulk

FULL = 1_000_000
EVENTS_EACH = 10
_PRIME = 2_147_483_647
_EVENTS = (
    "app_login",
    "repayment_made",
    "application_started",
    "application_submitted",
    "page_viewed",
)
_CITIES = ("上海", "北京", "广州", "深圳", "杭州", "成都", "武汉", "西安", "南京", "重庆")
_STAGES = ("lead", "applicant", "approved", "active", "repaid", "dormant", "churned", "won_back")


def write(*, count: int, now: datetime) -> None:
    """Fill the current, empty database; half of all events lie in the last six months."""
    stamp = _literal(str(connection.ops.adapt_datetimefield_value(now)))
    first = write_customers(count=count, now=now)
    _insert(Event, count * EVENTS_EACH, _events(stamp, count, first))
    _insert(Loan, max(1, count * 3 // 10), _loans(stamp, count, first))
    consents = {
        "customer": f"{first - 1} + n",
        "channel": "'sms'",
        "purpose": "'marketing'",
        "is_granted": f"{_random(17)} % 10 < 7",
        "changed_at": stamp,
    }
    _insert(ConsentState, count, consents)
    phones = {
        "customer": f"{first - 1} + n",
        "row_key": _uuid(),
        "kind": "'phone'",
        "value_index": "'p' || n",
        "status": f"CASE WHEN {_random(18)} % 20 = 0 THEN 'invalid' ELSE 'active' END",
        "created_at": stamp,
    }
    _insert(ContactPoint, count, phones)
    for model in (Customer, Event, Loan, ConsentState, ContactPoint):
        bulk.refresh_statistics(model)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def write_customers(*, count: int, now: datetime, provinces: Sequence[str] = ()) -> int:
    """Fill the current, empty database with customers alone; return the key of the first.

    Args:
        provinces: Where they live; nowhere in particular without any.
    """
    stamp = _literal(str(connection.ops.adapt_datetimefield_value(now)))
    live = {"province": _pick(_random(19), provinces)} if provinces else {}
    _insert(Customer, count, _customers(stamp) | live)
    return int(Customer.objects.order_by("pk").values_list("pk", flat=True)[0])


def _customers(stamp: str) -> dict[str, str]:
    past = f"{_random(3)} % 700 * 86400 + {_random(4)} % 86400"
    return {
        "public_id": _uuid(),
        "external_id": "'C' || n",
        "birth_date": _days_before(stamp, f"6600 + {_random(1)} % 18000"),
        "gender": _pick(_random(2), ("male", "female", "unknown")),
        "city": _pick(_random(5), _CITIES),
        "lifecycle_stage": _pick(_random(6), _STAGES),
        "created_at": _seconds_before(stamp, past),
        "updated_at": _seconds_before(stamp, "86400 + n % 86400"),
    }


def _events(stamp: str, count: int, first: int) -> dict[str, str]:
    """Return events of which few customers have many, the recent ones being more."""
    names = {name: EventType.objects.create(name=name).pk for name in _EVENTS}
    skewed = f"({_random(7)} % 1000000)"
    when = f"({_random(8)} % 1000) * ({_random(9)} % 1000) * 63"
    return {
        "customer": f"{first} + ({skewed} * {skewed} / 1000000) * {count} / 1000000",
        "type": _pick(_random(10), tuple(names.values())),
        "occurred_at": _seconds_before(stamp, when),
        "received_at": _seconds_before(stamp, when),
        "amount": f"({_random(11)} % 500000) / 100.0",
        "channel": _pick(_random(12), ("app", "web", "")),
        "source": "'bench'",
        "dedup_key": "'e' || n",
    }


def _loans(stamp: str, count: int, first: int) -> dict[str, str]:
    return {
        "customer": f"{first} + n * 3 % {count}",
        "source": "'bench'",
        "external_id": "'l' || n",
        "principal_amount": "10000",
        "term_months": "12",
        "disbursed_on": _days_before(stamp, f"{_random(13)} % 900"),
        "dpd_days": f"CASE WHEN {_random(14)} % 12 = 0 THEN {_random(15)} % 90 ELSE 0 END",
        "outstanding_amount": f"{_random(16)} % 10000",
    }


def _insert(model: type[Model], count: int, expressions: Mapping[str, str]) -> None:
    """Insert rows 1 to `count`; expressions see their number as `n`, other fields get defaults."""
    names, selected, parameters = [], [], []
    quote = connection.ops.quote_name
    for field in model._meta.concrete_fields:  # noqa: SLF001 - Django's options
        if field.primary_key:
            continue
        names.append(quote(str(field.column)))
        expression = expressions.get(field.name)
        if expression is None:
            value = field.get_db_prep_save(field.get_default(), connection)
            kind = field.rel_db_type(connection)
            selected.append(f"CAST(%s AS {kind})" if connection.vendor == "postgresql" else "%s")
            parameters.append(value)
        else:
            selected.append(expression.replace("%", "%%"))
    if connection.vendor == "postgresql":
        series, source = "", f"generate_series(1, {count}::bigint) AS s(n)"
    else:
        limited = f"SELECT n + 1 FROM s WHERE n < {count}"  # noqa: S608 - a number
        series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL {limited}) "
        source = "s"
    table = quote(model._meta.db_table)  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 - our own expressions
            f"{series}SELECT {', '.join(selected)} FROM {source}",
            parameters,
        )


def _random(salt: int) -> str:
    """Return an expression of whole numbers that look random, the same in every run."""
    mixed = f"((n * 48271 + {salt * 7_919_111}) % {_PRIME})"
    return f"({mixed} * 69621 % {_PRIME})"


def _pick(number: str, values: Sequence[Any]) -> str:
    cases = " ".join(
        f"WHEN {position} THEN {_literal(value)}" for position, value in enumerate(values)
    )
    return f"CASE {number} % {len(values)} {cases} END"


def _literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _uuid() -> str:
    is_server = connection.vendor == "postgresql"
    return "gen_random_uuid()" if is_server else "lower(hex(randomblob(16)))"


def _seconds_before(stamp: str, seconds: str) -> str:
    if connection.vendor == "postgresql":
        return f"CAST({stamp} AS timestamptz) - ({seconds}) * interval '1 second'"
    return f"datetime({stamp}, '-' || ({seconds}) || ' seconds')"


def _days_before(stamp: str, days: str) -> str:
    if connection.vendor == "postgresql":
        return f"CAST({stamp} AS date) - CAST({days} AS integer)"
    return f"date({stamp}, '-' || ({days}) || ' days')"
