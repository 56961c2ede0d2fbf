"""Who was exposed by a campaign and who converted, counted in the database.

One statement turns messages, clicks and goal events into persons and counts them by everything a
report splits by, so that a million persons come back as a few dozen rows. Merged customers are one
person.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from analytics.domain.outcomes import Converter, OutcomeCell
from campaigns.domain.sending.eligibility import GATE_REASONS, SkipReason
from campaigns.models import Campaign
from campaigns.selectors.campaigns.sent_goals import SentGoal
from loancrm.kernel.database.named_sql import statement

# SQLite keeps times as text; adding the days to the whole seconds and putting the fraction back
# keeps microseconds, which its own date functions round to milliseconds.
_WINDOW_END = {
    "sqlite": (
        "(strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr(p.exposed_at, 1, 19), %(days)s)"
        " || substr(p.exposed_at, 20))"
    ),
    "postgresql": "(p.exposed_at + CAST(%(days)s AS interval))",
}

# SQLite would look up the goal's events by type and time once a person; CROSS JOIN keeps the
# order of the join there, and a plus keeps it off that index. PostgreSQL plans by its statistics.
_EVENT_TYPE_COLUMN = {"sqlite": "+e.type_id", "postgresql": "e.type_id"}


class _CellRow(NamedTuple):
    channel: str
    variant: str
    is_control: int
    is_eligible: int
    is_sent: int
    is_delivered: int
    is_clicked: int
    is_mature: int
    is_converted: int
    is_converted_ever: int
    is_rest: int
    is_global_control: int
    persons: int


class _TrialRow(NamedTuple):
    customer_id: int
    planned_at: Any
    is_control: int
    is_eligible: int
    is_mature: int
    is_converted: int


class TrialPerson(NamedTuple):
    """One person in one run of a campaign, as its report counts them.

    `planned_at` is when the audience was frozen.
    """

    customer_id: int
    planned_at: datetime
    is_control: bool
    is_eligible: bool
    is_mature: bool
    is_converted: bool


class _ConversionRow(NamedTuple):
    customer_id: int
    channel: str
    variant: str
    exposed_at: Any
    converted_at: Any


def load_cells(*, campaign: Campaign, goal: SentGoal, as_of: datetime) -> tuple[OutcomeCell, ...]:
    """Return the persons of a campaign counted by group, state, maturity and conversion.

    A person converts by a goal event from the first exposure to the end of the goal's window, both
    ends included, and up to `as_of`. Exposure is the first sending; for those who were to get a
    message and did not, and for the holdout, the time their message was due. In a campaign
    that runs again a person counts once a run: each is an exposure, of the control group too.
    """
    cells = map(_CellRow._make, _rows("cells", campaign, goal, as_of))
    return tuple(
        OutcomeCell(
            channel=cell.channel,
            variant=cell.variant,
            is_control=bool(cell.is_control),
            is_eligible=bool(cell.is_eligible),
            is_sent=bool(cell.is_sent),
            is_delivered=bool(cell.is_delivered),
            is_clicked=bool(cell.is_clicked),
            is_mature=bool(cell.is_mature),
            is_converted=bool(cell.is_converted),
            is_converted_ever=bool(cell.is_converted_ever),
            is_rest=bool(cell.is_rest),
            is_global_control=bool(cell.is_global_control),
            persons=cell.persons,
        )
        for cell in cells
    )


def load_converters(
    *, campaign: Campaign, goal: SentGoal, as_of: datetime
) -> tuple[Converter, ...]:
    """Return the persons who were sent to and converted within the window, holdout excluded.

    Each once: by the first of their exposures that ended so.
    """
    found = map(_ConversionRow._make, _rows("converters", campaign, goal, as_of))
    first = {row.customer_id: row for row in reversed(list(found))}
    return tuple(
        Converter(
            customer_id=row.customer_id,
            channel=row.channel,
            variant=row.variant,
            exposed_at=_moment(row.exposed_at),
            converted_at=_moment(row.converted_at),
        )
        for _person, row in sorted(first.items())
    )


def load_trial(*, campaign: Campaign, goal: SentGoal, as_of: datetime) -> tuple[TrialPerson, ...]:
    """Return everybody of a campaign, run by run, ascending by person; outcomes as in `load_cells`.

    Whoever was to be written to counts as that whether or not they were.
    """
    found = map(_TrialRow._make, _rows("trials", campaign, goal, as_of))
    return tuple(
        TrialPerson(
            customer_id=int(row.customer_id),
            planned_at=_moment(row.planned_at),
            is_control=bool(row.is_control),
            is_eligible=bool(row.is_eligible),
            is_mature=bool(row.is_mature),
            is_converted=bool(row.is_converted),
        )
        for row in found
    )


def _rows(
    select: str, campaign: Campaign, goal: SentGoal, as_of: datetime
) -> list[tuple[Any, ...]]:
    window = timedelta(days=goal.window_days)
    reasons = {f"reason_{at}": reason.value for at, reason in enumerate(GATE_REASONS)}
    persons = statement(
        "analytics",
        "outcomes/persons",
        reasons=", ".join(f"%({name})s" for name in reasons),
        event_type_column=_EVENT_TYPE_COLUMN[connection.vendor],
        window_end=_WINDOW_END[connection.vendor],
    )
    parameters: dict[str, Any] = {
        "as_of": _stored(as_of),
        "mature_before": _stored(as_of - window),
        "campaign": campaign.pk,
        "goal": goal.event,
        "global_control": SkipReason.GLOBAL_CONTROL.value,
        "days": f"+{goal.window_days} days",
        **reasons,
    }
    with connection.cursor() as cursor:
        cursor.execute(persons + statement("analytics", f"outcomes/{select}"), parameters)
        return list(cursor.fetchall())


def _stored(moment: datetime) -> Any:
    """Return a time as the database compares it."""
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(value: Any) -> datetime:
    """Return an aware UTC time from what the database gives."""
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
