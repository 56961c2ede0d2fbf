"""Who was exposed by a campaign and who converted, counted in the database.

One statement turns messages, clicks and goal events into persons and counts them by everything a
report splits by, so that a million persons come back as a few dozen rows. Merged customers are one
person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model

from analytics.domain.outcomes import Converter, OutcomeCell
from campaigns.domain.sending.eligibility import GATE_REASONS
from campaigns.models import Campaign, Dispatch, LinkVisit, Message, Variant
from customers.models import Customer, Event, EventType

_PERSONS = """
WITH touch AS (
    SELECT COALESCE(c.merged_into_id, c.id) AS person_id,
           m.id AS message_id,
           m.variant_id,
           d.run_number,
           d.channel_kind,
           d.position,
           CASE WHEN m.is_control THEN 1 ELSE 0 END AS is_control,
           CASE WHEN m.state = 'skipped' AND m.reason IN ({reasons}) THEN 0 ELSE 1 END
               AS is_eligible,
           CASE WHEN m.sent_at <= {as_of} THEN 1 ELSE 0 END AS is_sent,
           CASE WHEN m.delivered_at <= {as_of} OR v.message_id IS NOT NULL THEN 1 ELSE 0 END
               AS is_delivered,
           CASE WHEN v.message_id IS NOT NULL THEN 1 ELSE 0 END AS is_clicked,
           CASE WHEN m.sent_at <= {as_of} THEN m.sent_at END AS sent_at,
           COALESCE(m.due_at, d.due_at) AS due_at
    FROM {message} m
    JOIN {dispatch} d ON d.id = m.dispatch_id
    JOIN {customer} c ON c.id = m.customer_id
    LEFT JOIN (
        SELECT DISTINCT lv.message_id
        FROM {visit} lv
        JOIN {message} lm ON lm.id = lv.message_id
        JOIN {dispatch} ld ON ld.id = lm.dispatch_id
        WHERE ld.campaign_id = {campaign} AND NOT lv.is_bot AND lv.at <= {as_of}
    ) v ON v.message_id = m.id
    WHERE d.campaign_id = {campaign} AND m.planned_at <= {as_of}
),
ranked AS (
    SELECT touch.*,
           ROW_NUMBER() OVER (
               PARTITION BY person_id, run_number
               ORDER BY is_delivered DESC, is_sent DESC, is_eligible DESC, position, message_id
           ) AS reach_rank,
           ROW_NUMBER() OVER (
               PARTITION BY person_id, run_number ORDER BY position, message_id
           ) AS step_rank
    FROM touch
),
person AS (
    SELECT person_id,
           run_number,
           MAX(CASE WHEN reach_rank = 1 THEN channel_kind END) AS channel,
           MAX(CASE WHEN step_rank = 1 THEN variant_id END) AS variant_id,
           MAX(is_control) AS is_control,
           MAX(is_eligible) AS is_eligible,
           MAX(is_sent) AS is_sent,
           MAX(is_delivered) AS is_delivered,
           MAX(is_clicked) AS is_clicked,
           COALESCE(MIN(sent_at), MIN(due_at)) AS exposed_at
    FROM ranked
    GROUP BY person_id, run_number
),
known_as AS (
    SELECT person_id, run_number, person_id AS customer_id, exposed_at FROM person
    UNION ALL
    SELECT p.person_id, p.run_number, c.id, p.exposed_at
    FROM person p
    JOIN {customer} c ON c.merged_into_id = p.person_id
),
goal AS (
    SELECT k.person_id, k.run_number, MIN(e.occurred_at) AS converted_at
    FROM known_as k
    CROSS JOIN {event} e
    WHERE e.customer_id = k.customer_id
      AND e.occurred_at >= k.exposed_at
      AND e.occurred_at <= {as_of}
      AND {event_type_column} = (SELECT id FROM {event_type} WHERE name = {goal})
    GROUP BY k.person_id, k.run_number
),
outcome AS (
    SELECT p.*,
           g.converted_at,
           CASE WHEN p.exposed_at <= {mature_before} THEN 1 ELSE 0 END AS is_mature,
           CASE WHEN g.converted_at <= {window_end} THEN 1 ELSE 0 END AS is_converted,
           CASE WHEN g.converted_at IS NOT NULL THEN 1 ELSE 0 END AS is_converted_ever
    FROM person p
    LEFT JOIN goal g ON g.person_id = p.person_id AND g.run_number = p.run_number
)
"""

_CELLS = """
SELECT o.channel, COALESCE(va.key, ''), o.is_control, o.is_eligible, o.is_sent, o.is_delivered,
       o.is_clicked, o.is_mature, o.is_converted, o.is_converted_ever, COUNT(*)
FROM outcome o
LEFT JOIN {variant} va ON va.id = o.variant_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""

_CONVERTERS = """
SELECT o.person_id, o.channel, COALESCE(va.key, ''), o.exposed_at, o.converted_at
FROM outcome o
LEFT JOIN {variant} va ON va.id = o.variant_id
WHERE o.is_converted = 1 AND o.is_control = 0 AND o.is_sent = 1
ORDER BY o.person_id, o.exposed_at
"""

# SQLite keeps times as text; adding the days to the whole seconds and putting the fraction back
# keeps microseconds, which its own date functions round to milliseconds.
_WINDOW_END = {
    "sqlite": (
        "(strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr(p.exposed_at, 1, 19), {days})"
        " || substr(p.exposed_at, 20))"
    ),
    "postgresql": "(p.exposed_at + CAST({days} AS interval))",
}

# SQLite would look up the goal's events by type and time once a person; CROSS JOIN keeps the
# order of the join there, and a plus keeps it off that index. PostgreSQL plans by its statistics.
_EVENT_TYPE_COLUMN = {"sqlite": "+e.type_id", "postgresql": "e.type_id"}


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    parameters: dict[str, Any]

    def rows(self) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            return list(cursor.fetchall())


def load_cells(*, campaign: Campaign, as_of: datetime) -> tuple[OutcomeCell, ...]:
    """Return the persons of a campaign counted by group, state, maturity and conversion.

    A person converts by a goal event from the first exposure to the end of the goal's window, both
    ends included, and up to `as_of`. Exposure is the first sending; for those who were to get a
    message and did not, and for the holdout, the time their message was due. In a campaign
    that runs again a person counts once a run: each is an exposure, of the control group too.
    """
    rows = _statement(_CELLS, campaign, as_of).rows()
    return tuple(
        OutcomeCell(
            channel=row[0],
            variant=row[1],
            is_control=bool(row[2]),
            is_eligible=bool(row[3]),
            is_sent=bool(row[4]),
            is_delivered=bool(row[5]),
            is_clicked=bool(row[6]),
            is_mature=bool(row[7]),
            is_converted=bool(row[8]),
            is_converted_ever=bool(row[9]),
            persons=row[10],
        )
        for row in rows
    )


def load_converters(*, campaign: Campaign, as_of: datetime) -> tuple[Converter, ...]:
    """Return the persons who were sent to and converted within the window, holdout excluded.

    Each once: by the first of their exposures that ended so.
    """
    rows = {row[0]: row for row in reversed(_statement(_CONVERTERS, campaign, as_of).rows())}
    return tuple(
        Converter(
            customer_id=row[0],
            channel=row[1],
            variant=row[2],
            exposed_at=_moment(row[3]),
            converted_at=_moment(row[4]),
        )
        for _person, row in sorted(rows.items())
    )


def _statement(select: str, campaign: Campaign, as_of: datetime) -> _Statement:
    window = timedelta(days=campaign.goal_window_days)
    parameters: dict[str, Any] = {
        "as_of": _stored(as_of),
        "mature_before": _stored(as_of - window),
        "campaign": campaign.pk,
        "goal": campaign.goal_event,
        "days": f"+{campaign.goal_window_days} days",
    }
    reasons = {f"reason_{at}": reason.value for at, reason in enumerate(GATE_REASONS)}
    parameters |= reasons
    marks = {name: f"%({name})s" for name in parameters}
    sql = (_PERSONS + select).format(
        message=_table(Message),
        dispatch=_table(Dispatch),
        customer=_table(Customer),
        visit=_table(LinkVisit),
        variant=_table(Variant),
        event=_table(Event),
        event_type=_table(EventType),
        event_type_column=_EVENT_TYPE_COLUMN[connection.vendor],
        reasons=", ".join(marks[name] for name in reasons),
        window_end=_WINDOW_END[connection.vendor].format(days=marks["days"]),
        **{name: marks[name] for name in ("as_of", "mature_before", "campaign", "goal")},
    )
    return _Statement(sql, parameters)


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django's own options


def _stored(moment: datetime) -> Any:
    """Return a time as the database compares it."""
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(value: Any) -> datetime:
    """Return an aware UTC time from what the database gives."""
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
