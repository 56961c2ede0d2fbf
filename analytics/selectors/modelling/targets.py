"""The rows that each purpose learns from, out of the lender's own loans, campaigns and people."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias, assert_never

from django.db.models import Max, Min, Q

from analytics.domain.modelling.life.choices import MOST_ROWS, ModelPurpose, TrainingChoices
from analytics.domain.modelling.life.observations import (
    Exclusion,
    Observations,
    observations_of,
    outcome_of_loan,
    snapshot_days,
)
from analytics.models import LoanHistory
from analytics.selectors.modelling import trials
from analytics.selectors.modelling.features import microseconds
from campaigns.models import Dispatch, Message
from customers.models import Application, Customer, Event, Loan
from loancrm.kernel import clock

Found: TypeAlias = list[tuple[int, int, float]]
_CHUNK = 5_000
# Days before the end of its plan by which a loan that is paid off was paid off early.
_EARLY_DAYS = 30


def load_observations(choices: TrainingChoices, *, as_of: datetime) -> Observations:
    """Return the rows to learn from, as they are known at a time.

    Nobody with personal recommendations switched off is among them.
    """
    excluded: Counter[Exclusion] = Counter()
    match choices.purpose:
        case ModelPurpose.DEFAULT_RISK:
            rows = _default(choices, as_of, excluded)
        case ModelPurpose.RESPONSE:
            rows = _response(choices, as_of, excluded)
        case ModelPurpose.CHURN:
            rows = _churn(choices, as_of, excluded)
        case ModelPurpose.NEED:
            rows = _need(choices, as_of, excluded)
        case ModelPurpose.UPLIFT:
            found = trials.load_trials(
                choices, as_of=as_of, closed=_closed_to_models(), excluded=excluded
            )
            return found.sampled(MOST_ROWS, choices.seed)
        case _:
            assert_never(choices.purpose)
    closed = _closed_to_models()
    kept = [row for row in rows if row[0] not in closed]
    excluded[Exclusion.NO_PERSONALISATION] += len(rows) - len(kept)
    return observations_of(kept, excluded).sampled(MOST_ROWS, choices.seed)


def people_to_score(purpose: ModelPurpose, *, as_of: datetime) -> list[int]:
    """Return whom a model of this purpose scores, ascending.

    Churn is of people with a running loan; everything else is of everybody.
    """
    people = Customer.objects.live().filter(personalisation_allowed=True)
    if purpose is ModelPurpose.CHURN:
        running = Loan.objects.filter(_running(as_of)).values("customer_id")
        people = people.filter(pk__in=running)
    return list(people.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_CHUNK))


def _closed_to_models() -> set[int]:
    rows = Customer.objects.filter(Q(personalisation_allowed=False) | Q(merged_into__isnull=False))
    return set(rows.values_list("pk", flat=True).iterator(chunk_size=_CHUNK))


def _default(choices: TrainingChoices, as_of: datetime, excluded: Counter[Exclusion]) -> Found:
    """Return a row a loan, looked at from its application, or the start of its first day."""
    zone = clock.company_zone()
    today = as_of.astimezone(zone).date()
    rows: Found = []
    histories = (
        LoanHistory.objects.filter(booked_on__lte=today)
        .order_by("loan_id")
        .values_list(
            "loan__customer_id",
            "loan__application__submitted_at",
            "booked_on",
            "month_30",
            "month_60",
            "month_90",
            "as_of",
        )
    )
    for customer_id, submitted_at, booked_on, *months, known_on in histories.iterator(
        chunk_size=_CHUNK
    ):
        found = outcome_of_loan(
            booked_on,
            dict(zip((30, 60, 90), months, strict=True)),
            threshold_days=choices.threshold_days,
            by_month=choices.months,
            # What came after the book was derived is not known, so it is not ripe either.
            as_of=min(today, known_on),
        )
        if isinstance(found, Exclusion):
            excluded[found] += 1
            continue
        start = datetime.combine(booked_on, time.min, tzinfo=zone).astimezone(UTC)
        seen_from = min(filter(None, (start, submitted_at)))
        rows.append((int(customer_id), microseconds(seen_from), float(found)))
    return rows


def _response(choices: TrainingChoices, as_of: datetime, excluded: Counter[Exclusion]) -> Found:
    """Return a row a person and run of a campaign that was sent to, looked at from the sending."""
    runs = Dispatch.objects.filter(campaign__isnull=False).exclude(goal_event="")
    if choices.campaign:
        runs = runs.filter(campaign__slug=choices.campaign)
    rows: Found = []
    goals = {(run.goal_event, run.goal_window_days or choices.window_days) for run in runs}
    for goal_event, days in sorted(goals):
        named = runs.filter(goal_event=goal_event, goal_window_days__in=[days])
        if days == choices.window_days:
            named |= runs.filter(goal_event=goal_event, goal_window_days=None)
        sent = (
            Message.objects.filter(dispatch__in=named, is_control=False, sent_at__lte=as_of)
            .values_list("customer_id", "dispatch__campaign_id", "dispatch__run_number")
            .annotate(first=Min("sent_at"))
            .order_by()
        )
        window = timedelta(days=days)
        exposed: list[tuple[int, datetime]] = []
        for customer_id, _campaign, _run, first in sent.iterator(chunk_size=_CHUNK):
            if first + window > as_of:
                excluded[Exclusion.IMMATURE] += 1
                continue
            exposed.append((int(customer_id), first))
        rows += _followed(exposed, _moments_of(goal_event, as_of), window)
    return rows


def _moments_of(event: str, as_of: datetime) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = {}
    rows = Event.objects.filter(type__name=event, occurred_at__lte=as_of).order_by("occurred_at")
    for key, moment in rows.values_list("customer_id", "occurred_at").iterator(chunk_size=_CHUNK):
        found.setdefault(int(key), []).append(moment)
    return found


def _followed(
    seen: Iterable[tuple[int, datetime]], moments: dict[int, list[datetime]], window: timedelta
) -> Found:
    return [
        (
            key,
            microseconds(moment),
            float(any(moment < each <= moment + window for each in moments.get(key, ()))),
        )
        for key, moment in seen
    ]


def _running(moment: datetime) -> Q:
    day = moment.astimezone(clock.company_zone()).date()
    return (
        Q(disbursed_on__lt=day)
        & (Q(settled_on=None) | Q(settled_on__gte=day))
        & (Q(charged_off_on=None) | Q(charged_off_on__gte=day))
    )


def _churn(choices: TrainingChoices, as_of: datetime, excluded: Counter[Exclusion]) -> Found:
    """Return a row a person with a running loan, at four times: is one paid off early soon?

    Early is at least 30 days before the plan ends; a loan whose plan ends within the window has
    nothing left to be early with and does not count.
    """
    zone = clock.company_zone()
    window = timedelta(days=choices.window_days)
    rows: Found = []
    for moment in snapshot_days(as_of, choices.window_days):
        last_day = (moment + window).astimezone(zone).date()
        people: dict[int, bool] = {}
        loans = (
            Loan.objects.filter(_running(moment))
            .annotate(ends_on=Max("instalments__due_on"))
            .values_list("customer_id", "settled_on", "ends_on")
            .order_by()
        )
        for customer_id, settled_on, ends_on in loans.iterator(chunk_size=_CHUNK):
            if ends_on is None or ends_on <= last_day:
                excluded[Exclusion.OVER_BEFORE] += 1
                continue
            is_early = (
                settled_on is not None
                and settled_on <= last_day
                and settled_on < ends_on - timedelta(days=_EARLY_DAYS)
            )
            key = int(customer_id)
            people[key] = people.get(key, False) or is_early
        at = microseconds(moment)
        rows += [(key, at, float(is_early)) for key, is_early in people.items()]
    return rows


def _need(choices: TrainingChoices, as_of: datetime, _excluded: Counter[Exclusion]) -> Found:
    """Return a row a person known by then, at four times: does an application follow soon?

    Known since is when the person was recorded, or the first thing that happened, if it is earlier.
    """
    window = timedelta(days=choices.window_days)
    first = dict(Event.objects.values_list("customer_id").annotate(first=Min("occurred_at")))
    known = {
        key: min(created_at, first.get(key, created_at))
        for key, created_at in Customer.objects.live().values_list("pk", "created_at")
    }
    asked: dict[int, list[datetime]] = {}
    rows = Application.objects.filter(submitted_at__lte=as_of).order_by("submitted_at")
    for key, moment in rows.values_list("customer_id", "submitted_at"):
        asked.setdefault(int(key), []).append(moment)
    found: Found = []
    for moment in snapshot_days(as_of, choices.window_days):
        seen = [(int(key), moment) for key, since in known.items() if since <= moment]
        found += _followed(seen, asked, window)
    return found
