"""What a policy asks about applicants, read for many applications in a fixed number of queries."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from analytics.domain.credit.policy import ApplicantFacts, PolicyFact
from analytics.models import CreditDecision
from customers.domain.credit.affordability import FlowKind, MonthlyFlow, affordability
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.instalments import add_months, months_between
from customers.domain.loans.loan import LoanStatus
from customers.domain.score_standing import ScoreFault
from customers.models import (
    Application,
    AttributeValue,
    Instalment,
    Loan,
    Score,
    ScoreStanding,
)
from customers.selectors.credit.facts import load_flows
from customers.selectors.loan_books import NOT_BOOKED
from customers.selectors.profile.person import INCOME_ATTRIBUTE

RECENT_DAYS = 30
_OPEN = (LoanStatus.ACTIVE, LoanStatus.OVERDUE)
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class ScoredApplicant:
    """The facts of an application, and which score gave the risk; empty where none did."""

    facts: ApplicantFacts
    score_version: str = ""
    scored_at: datetime | None = None


def waiting_applications() -> QuerySet[Application]:
    """Return the submitted applications that no policy has decided yet."""
    decided = CreditDecision.objects.values("application_id")
    return Application.objects.filter(status=ApplicationStatus.SUBMITTED).exclude(pk__in=decided)


def load_facts(
    applications: Sequence[Application], *, score_model: str, today: date, now: datetime
) -> dict[int, ScoredApplicant]:
    """Return {application: facts} (7 queries, the applications with their customers not counted).

    Income and obligations are those of the credit facts that hold today; only where no income is
    among them, the attribute of the income is taken. Payments are what falls due on open loans
    within the coming month and the obligations, the own share of joint ones.

    What is not known is absent: an income that is not on record, payments ÷ income without a
    positive income, days past due where a source reports the state and not the repayments. Who
    refused to be judged by machines has no risk, so that a person decides.
    """
    people = {application.customer_id for application in applications}
    scores = _scores(people, score_model)
    fault = _fault(score_model, now)
    incomes = _by_customer(
        AttributeValue.objects.filter(
            customer_id__in=people, definition__name=INCOME_ATTRIBUTE, number__isnull=False
        ),
        "number",
    )
    loans = _loans(people)
    due = _payments(people, today)
    flows = load_flows(customer_ids=people)
    recent = _recent(people, now)
    found = {}
    for application in applications:
        person = application.customer
        values: dict[PolicyFact, Decimal] = dict(loans.get(person.pk, _NO_LOANS))
        values[PolicyFact.RECENT_APPLICATION_COUNT] = Decimal(recent[person.pk])
        if person.birth_date is not None:
            years = months_between(person.birth_date, today) // _MONTHS_A_YEAR
            values[PolicyFact.AGE_YEARS] = Decimal(years)
        values |= _means(
            flows.get(person.pk, ()), incomes.get(person.pk), due.get(person.pk, Decimal(0)), today
        )
        score = scores.get(person.pk) if person.personalisation_allowed else None
        if score is not None and not 0 <= score.value <= 1:
            score = None
        found[application.pk] = ScoredApplicant(
            ApplicantFacts(
                risk=None if score is None else score.value,
                requested_amount=application.amount,
                values=values,
                score_age=None if score is None else now - score.scored_at,
                score_fault=None if score is None else fault,
            ),
            score_version="" if score is None else score.version,
            scored_at=None if score is None else score.scored_at,
        )
    return found


def _scores(people: Collection[int], model: str) -> dict[int, Score]:
    rows = Score.objects.filter(customer_id__in=people, model_name=model, is_latest=True)
    return {row.customer_id: row for row in rows}


def _fault(model: str, now: datetime) -> ScoreFault | None:
    """Return why the owner of a score does not vouch for it; of an outside score nobody asks."""
    row = ScoreStanding.objects.filter(model_name=model).first()
    return None if row is None else row.facts.fault(now=now)


def _means(
    flows: Sequence[MonthlyFlow], income: Decimal | None, due: Decimal, today: date
) -> dict[PolicyFact, Decimal]:
    found = affordability(flows, on=today, instalment_amount=due)
    if not found.is_known:
        if income is None:
            return {}
        stated = MonthlyFlow(FlowKind.INCOME, income)
        found = affordability([*flows, stated], on=today, instalment_amount=due)
    values = {PolicyFact.MONTHLY_INCOME: found.income_amount}
    if found.dti is not None:
        values[PolicyFact.PAYMENT_TO_INCOME] = found.dti
    return values


_NO_LOANS = {
    PolicyFact.CURRENT_DPD_DAYS: Decimal(0),
    PolicyFact.WORST_DPD_DAYS: Decimal(0),
    PolicyFact.CHARGED_OFF_COUNT: Decimal(0),
    PolicyFact.OPEN_LOAN_COUNT: Decimal(0),
}


def _loans(people: set[int]) -> dict[int, dict[PolicyFact, Decimal]]:
    unknown = Q(is_state_reported=True, status=LoanStatus.OVERDUE)
    rows = (
        Loan.objects.filter(customer_id__in=people)
        .exclude(status__in=NOT_BOOKED)
        .values_list("customer_id")
        .annotate(
            dpd=Max("dpd_days"),
            worst=Max("max_dpd_days"),
            lost=Count("pk", filter=Q(status=LoanStatus.CHARGED_OFF)),
            open=Count("pk", filter=Q(status__in=_OPEN)),
            unknown=Count("pk", filter=unknown),
        )
    )
    found = {}
    for customer_id, dpd, worst, lost, still_open, without_days in rows:
        values = {
            PolicyFact.CHARGED_OFF_COUNT: Decimal(lost),
            PolicyFact.OPEN_LOAN_COUNT: Decimal(still_open),
        }
        if not without_days:
            values[PolicyFact.CURRENT_DPD_DAYS] = Decimal(dpd)
            values[PolicyFact.WORST_DPD_DAYS] = Decimal(worst)
        found[customer_id] = values
    return found


def _payments(people: set[int], today: date) -> dict[int, Decimal]:
    """Return {customer: what falls due on open loans within the coming month}."""
    rows = (
        Instalment.objects.filter(
            loan__customer_id__in=people,
            loan__status__in=_OPEN,
            due_on__gt=today,
            due_on__lte=add_months(today, 1),
        )
        .values_list("loan__customer_id")
        .annotate(
            principal=Sum("principal_amount"),
            interest=Sum("interest_amount"),
            fee=Sum("fee_amount"),
        )
    )
    return {customer_id: sum(parts, Decimal(0)) for customer_id, *parts in rows}


def _recent(people: set[int], now: datetime) -> Counter[int]:
    since = now - timedelta(days=RECENT_DAYS)
    rows = Application.objects.filter(customer_id__in=people, submitted_at__gt=since)
    return Counter(dict(rows.values_list("customer_id").annotate(n=Count("pk"))))


def _by_customer(rows: QuerySet[Any], column: str) -> dict[int, Decimal]:
    return dict(rows.values_list("customer_id", column))
