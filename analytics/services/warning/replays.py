"""Replays: what the rules of today would have raised in the past, against what came of it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from analytics import jobs
from analytics.domain.warning.backtest import BacktestChoices, RuleRecord, judge
from analytics.domain.warning.facts import PersonFacts
from analytics.domain.warning.signals import PERSON_SIGNALS, evaluate_signal
from analytics.models import WarningBacktest
from analytics.selectors.warning.person_facts import load_person_facts
from analytics.selectors.warning.rule_terms import active_rules
from customers.domain.loans.loan import first_reached_dates
from customers.models import Loan
from customers.selectors.loan_books import NOT_BOOKED
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import service as works
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute

ADD = "analytics.add_warningbacktest"
ALL = "all"
_BATCH = 500
_MOST_LOOKS = 400


class ReplayRefused(LoanCrmError):
    """What is to be replayed cannot be; `field` says which choice."""

    code = "warning_replay_refused"


def start_replay(*, actor: Actor, choices: BacktestChoices, now: datetime) -> WarningBacktest:
    """Let a worker replay the past; of the same choices one is under way at a time.

    Raises:
        PermissionRefused: The actor may not replay.
        ReplayRefused: The days are the wrong way round, lie ahead, or are too many.
    """
    act = acting(actor, ADD, now=now)
    if choices.until < choices.first or choices.until > now.date():
        raise ReplayRefused(_("The last day is after the first, and not ahead."), field="until")
    if len(choices.days) > _MOST_LOOKS:
        raise ReplayRefused(_("These are too many looks; take longer steps."), field="step_days")
    parameters = choices.to_json()
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
    key = f"warning replay {digest[:16]}"
    with act:
        try:
            work = works.start(
                kind=jobs.WARNING_REPLAY,
                actor=actor,
                now=now,
                title=_("Early warning, %(first)s to %(until)s")
                % {"first": choices.first, "until": choices.until},
                total_count=len(choices.days),
                exclusive_key=key,
            )
        except works.WorkOpenAlready:
            act.unchanged()
            return WarningBacktest.objects.filter(work__exclusive_key=key).latest("pk")
        row = WarningBacktest.objects.create(work=work, parameters=parameters)
        act.record("warning_replay.started", on=row, facts=row.parameters)
    return row


def run(*, work_id: int, now: datetime) -> None:
    """Do a replay; what it finds is written with its end, so a worker that died left nothing."""

    def perform(claim: WorkClaim) -> None:
        row = WarningBacktest.objects.get(work_id=work_id)
        choices = BacktestChoices.from_json(row.parameters)
        claim.save_progress(done_count=0)
        alerts: dict[str, list[tuple[int, date]]] = defaultdict(list)
        for done, day in enumerate(choices.days, start=1):
            for name, key in _raised(day):
                alerts[name].append((key, day))
                alerts[ALL].append((key, day))
            claim.save_progress(done_count=done)
            claim.raise_if_requested()
        defaults = _defaults(choices)
        records = [
            judge(name, found, defaults, horizon_days=choices.horizon_days, until=choices.until)
            for name, found in sorted(alerts.items())
        ]
        with transaction.atomic():
            claim.finish(done_count=len(choices.days))
            WarningBacktest.objects.filter(pk=row.pk).update(
                result={
                    "rules": [_to_json(record) for record in records],
                    "defaults": len(defaults),
                }
            )

    execute(work_id=work_id, perform=perform, now=now)


def _raised(day: date) -> list[tuple[str, int]]:
    """Return (signal, customer) of what the active rules find on a day, of facts up to then."""
    rules = active_rules(PERSON_SIGNALS)
    found = []
    last = 0
    while ids := _borrowers(day, after=last, is_running=True):
        last = ids[-1]
        facts: Mapping[int, PersonFacts] = load_person_facts(customer_ids=ids, on=day)
        for _row, terms in rules:
            found += [
                (terms.signal.value, key)
                for key, own in facts.items()
                if evaluate_signal(terms.signal, own, terms.limits, on=day) is not None
            ]
    return found


def _borrowers(day: date, *, after: int, is_running: bool) -> list[int]:
    """Return the next people who had borrowed by a day, or had a loan then that ran."""
    running = Q(settled_on=None, closed_on=None) | Q(settled_on__gt=day) | Q(closed_on__gt=day)
    rows = (
        Loan.objects.filter(disbursed_on__lte=day, customer_id__gt=after)
        .filter(running if is_running else Q())
        .exclude(status__in=NOT_BOOKED)
        .order_by("customer_id")
    )
    return list(rows.values_list("customer_id", flat=True).distinct()[:_BATCH])


def _defaults(choices: BacktestChoices) -> dict[int, date]:
    """Return the first day of default of each customer, up to the end of the replay."""
    found: dict[int, date] = {}
    last = 0
    while ids := _borrowers(choices.until, after=last, is_running=False):
        last = ids[-1]
        for key, own in load_person_facts(customer_ids=ids, on=choices.until).items():
            days = [day for day in _default_days(own, choices) if day <= choices.until]
            if days and min(days) >= choices.first:
                found[key] = min(days)
    return found


def _default_days(own: PersonFacts, choices: BacktestChoices) -> list[date]:
    days: list[date] = []
    for loan in own.loans:
        reached = first_reached_dates(
            schedule=loan.schedule,
            payments=loan.payments,
            as_of=min(choices.until, loan.closed_on or choices.until),
            thresholds=[choices.default_days],
        )
        days += reached.values()
        if loan.charged_off_on is not None:
            days.append(loan.charged_off_on)
    return days


def _to_json(record: RuleRecord) -> dict[str, Any]:
    return {
        "signal": record.rule,
        "precision": asdict(record.precision),
        "recall": asdict(record.recall),
        "open_count": record.open_count,
        "median_lead_days": record.median_lead_days,
    }
