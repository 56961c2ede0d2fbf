"""Ten rules that marketers write, each with the SQL that a careful person would write for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from customers.domain.segments.buckets import first_hash_of
from customers.domain.segments.intervals import latest_date_years_before
from customers.models import EventType


@dataclass(frozen=True, slots=True)
class Typical:
    """One rule; `where` holds conditions on `c`, a customer, in one or several wordings."""

    name: str
    rules: tuple[Mapping[str, Any], ...]
    where: tuple[str, ...]

    @property
    def data(self) -> dict[str, Any]:
        """Return the rule as JSON."""
        return {"combinator": "and", "rules": list(self.rules)}


def _rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def _event(name: str, **changes: Any) -> dict[str, Any]:
    return _rule("event", "=", {"event": name, **changes})


_AGED = _rule("age", "between", [25, 45])
_AGED_SQL = "c.birth_date <= %(born_25)s AND c.birth_date > %(born_46)s"
_ACTIVE = _rule("lifecycle_stage", "in", ["active", "repaid", "dormant"])
_ACTIVE_SQL = "c.lifecycle_stage IN ('active', 'repaid', 'dormant')"
_FEW = "SELECT e.customer_id FROM customers_event e WHERE e.type_id = %({type})s AND "
_FEW += "e.occurred_at >= %({since})s AND e.occurred_at <= %(now)s GROUP BY 1 HAVING {having}"
_SOME = "EXISTS (SELECT 1 FROM customers_event e WHERE e.customer_id = c.id AND "
_SOME += "e.type_id = %({type})s AND e.occurred_at >= %({since})s AND e.occurred_at <= %(now)s)"

_AWAY = (
    "c.id IN (SELECT e.customer_id FROM customers_event e WHERE e.type_id = %(app_login)s "
    "AND e.occurred_at <= %(now)s GROUP BY 1 HAVING MAX(e.occurred_at) <= %(d61)s)"
)
_CONSENTED = (
    "EXISTS (SELECT 1 FROM customers_consentstate s WHERE s.customer_id = c.id "
    "AND s.channel = 'sms' AND s.purpose = 'marketing' AND s.is_granted "
    "AND (s.expires_at IS NULL OR s.expires_at > %(now)s))"
)
_LATE = "EXISTS (SELECT 1 FROM customers_loan l WHERE l.customer_id = c.id AND l.dpd_days > 0)"
_ABANDONED = (
    "EXISTS (SELECT 1 FROM customers_event e WHERE e.customer_id = c.id "
    "AND e.type_id = %(application_started)s AND e.occurred_at >= %(d90)s "
    "AND e.occurred_at <= %(d7)s AND NOT EXISTS (SELECT 1 FROM customers_event f "
    "WHERE f.customer_id = e.customer_id AND f.type_id = %(application_submitted)s "
    "AND f.occurred_at >= e.occurred_at AND f.occurred_at <= {ends}))"
)


def _few(kind: str, since: str, having: str) -> str:
    return f"c.id IN ({_FEW.format(type=kind, since=since, having=having)})"


_IN_CITY = _rule("city", "=", "上海")
_IN_CITY_SQL = "c.city = '上海'"
_WOMEN = _rule("gender", "=", "female")
_TWICE = _event("app_login", operator=">=", value=2, within_days=90)
_TWICE_SQL = _few("app_login", "d90", "COUNT(*) >= 2")


def typical() -> Sequence[Typical]:
    """Return the ten rules."""
    return (*_of_profiles(), *_of_events())


def _of_profiles() -> Sequence[Typical]:
    hashed = "substr(md5('bucket:' || CAST(c.id AS text)), 1, 8)"
    collated = f'{hashed} COLLATE "C"' if connection.vendor == "postgresql" else hashed
    consented = _rule("consent.sms.marketing", "granted")
    return (
        Typical("city_and_age", (_IN_CITY, _AGED), (f"{_IN_CITY_SQL} AND {_AGED_SQL}",)),
        Typical("stage_and_gender", (_ACTIVE, _WOMEN), (f"{_ACTIVE_SQL} AND c.gender = 'female'",)),
        Typical("consented", (consented, _IN_CITY), (f"{_CONSENTED} AND {_IN_CITY_SQL}",)),
        Typical("late", (_rule("loan.dpd_days", ">", 0),), (_LATE,)),
        Typical(
            "bucket",
            (_rule("bucket", "<", 20), _ACTIVE),
            (f"{collated} < '{first_hash_of(20)}' AND {_ACTIVE_SQL}",),
        ),
    )


def _of_events() -> Sequence[Typical]:
    cities = _rule("city", "in", ["上海", "北京", "杭州"])
    allowed = _rule("personalisation_allowed", "=", value=True)
    none = _event("repayment_made", operator="=", value=0, within_days=180)
    dear = _event(
        "repayment_made", aggregate="sum_amount", operator=">=", value=5000, within_days=180
    )
    away = _event("app_login", aggregate="days_since_last", operator=">", value=60)
    left = {"event": "application_started", "then": "application_submitted", "days": 7}
    ends = "e.occurred_at + interval '7 days'"
    if connection.vendor == "sqlite":
        ends = "datetime(e.occurred_at, '+7 days')"
    profile = (
        f"{_AGED_SQL} AND {_ACTIVE_SQL} AND c.gender = 'female' "
        "AND c.city IN ('上海', '北京', '杭州') AND c.personalisation_allowed"
    )
    quiet = f"NOT {_SOME.format(type='repayment_made', since='d180')}"
    return (
        Typical("logins", (_TWICE,), (_TWICE_SQL,)),
        Typical(
            "profile_and_events",
            (_AGED, _ACTIVE, _WOMEN, cities, allowed, _TWICE, none),
            (f"{profile} AND {_TWICE_SQL} AND {quiet}",),
        ),
        Typical("amount", (dear,), (_few("repayment_made", "d180", "SUM(e.amount) >= 5000"),)),
        Typical("away", (away,), (_AWAY,)),
        Typical(
            "abandoned",
            (_rule("sequence", "=", {**left, "within_days": 90}),),
            (_ABANDONED.replace("{ends}", ends),),
        ),
    )


def parameters(*, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what the hand-written conditions name, as the database takes it."""
    adapt = connection.ops.adapt_datetimefield_value
    today = now.astimezone(zone).date()
    days = {f"d{number}": adapt(now - timedelta(days=number)) for number in (7, 61, 90, 180)}
    return {
        "now": adapt(now),
        "born_25": latest_date_years_before(today, 25),
        "born_46": latest_date_years_before(today, 46),
        **dict(EventType.objects.values_list("name", "pk")),
        **days,
    }
