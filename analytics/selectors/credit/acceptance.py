"""Decided applications with the risk that scores gave them then, and what came of the loans."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from analytics.domain.credit.reviewing import PolicyState
from analytics.domain.credit.swap_set import SwapApplicant
from analytics.models import PolicyVersion
from customers.domain.loans.application import ApplicationStatus
from customers.domain.loans.instalments import add_months
from customers.domain.loans.loan import LoanStatus
from customers.models import Application, Instalment, Loan, Score
from customers.selectors.loan_books import IS_BAD, NOT_BOOKED

LOOK_BACK_DAYS = 730
# A loan that is neither bad nor paid off is good once it was watched for so long.
PERFORMANCE_MONTHS = 12
MOST_APPLICATIONS = 50_000


@dataclass(frozen=True, slots=True)
class ScoreInUse:
    """The score of the policy in force, and the chance of default up to which it accepts."""

    model: str
    cut_off: float


@dataclass(frozen=True, slots=True)
class DecidedApplication:
    """One application that was approved or declined.

    Attributes:
        old_chance, new_chance: By the score in use and by another one, as they stood on the day of
            the decision: what was scored later knows more.
        is_bad: None where nothing was lent, or the loan is too young to tell.
    """

    is_accepted: bool
    old_chance: float
    new_chance: float | None
    amount: float
    is_bad: bool | None

    def swapped(self, margin_share: float) -> SwapApplicant | None:
        """Return it for a swap set; None where the other score did not know the applicant."""
        if self.new_chance is None:
            return None
        return SwapApplicant(
            old_chance=self.old_chance,
            new_chance=self.new_chance,
            exposure_amount=self.amount,
            margin_amount=self.amount * margin_share,
            is_bad=self.is_bad,
        )


def score_in_use() -> ScoreInUse | None:
    """Return the score of the policy in force; None without one (1 query)."""
    rows = PolicyVersion.objects.filter(state=PolicyState.ACTIVE)
    content = rows.values_list("content", flat=True).first()
    if not content:
        return None
    return ScoreInUse(str(content["score_model"]), float(content["cut_off"]))


def chance_models() -> list[str]:
    """Return the models whose scores are chances, 0 to 1, by name (1 query)."""
    rows = Score.objects.filter(is_latest=True).values("model_name").order_by("model_name")
    found = rows.annotate(low=Min("value"), high=Max("value")).filter(low__gte=0, high__lte=1)
    return [row["model_name"] for row in found]


def load_decided(*, model: str, other: str, now: datetime, today: date) -> list[DecidedApplication]:
    """Return the newest decided applications of two years that the score in use knew (1 query).

    Whoever does not let machines judge them is left out, as are applications without an amount.
    """
    loan = Loan.objects.filter(application=OuterRef("pk")).exclude(status__in=NOT_BOOKED)
    ripe = add_months(today, -PERFORMANCE_MONTHS)
    good = loan.filter(status=LoanStatus.SETTLED) | loan.filter(disbursed_on__lte=ripe)
    rows = (
        Application.objects.filter(
            status__in=(ApplicationStatus.APPROVED, ApplicationStatus.DECLINED),
            submitted_at__gt=now - timedelta(days=LOOK_BACK_DAYS),
            submitted_at__lte=now,
            amount__gt=0,
            customer__personalisation_allowed=True,
        )
        .annotate(
            at=Coalesce(F("decided_at"), F("submitted_at"), output_field=DateTimeField()),
            bad=Case(
                When(Exists(loan.filter(IS_BAD)), then=Value(value=True)),
                When(Exists(good), then=Value(value=False)),
                output_field=BooleanField(null=True),
            ),
        )
        .annotate(old=_chance(model), new=_chance(other))
        .filter(old__gte=0, old__lte=1)
        .order_by("-submitted_at", "-pk")
        .values_list("status", "old", "new", "amount", "bad")
    )
    return [
        DecidedApplication(
            is_accepted=status == ApplicationStatus.APPROVED,
            old_chance=float(old),
            new_chance=float(new) if new is not None and 0 <= new <= 1 else None,
            amount=float(amount or 0),
            is_bad=bad,
        )
        for status, old, new, amount, bad in rows[:MOST_APPLICATIONS]
    ]


def margin_share(*, today: date) -> float | None:
    """Return planned interest and fees ÷ principal of the loans of two years (1 query)."""
    since = today - timedelta(days=LOOK_BACK_DAYS)
    sums: dict[str, Decimal | None] = (
        Instalment.objects.filter(loan__disbursed_on__gt=since, loan__disbursed_on__lte=today)
        .exclude(loan__status__in=NOT_BOOKED)
        .aggregate(
            principal=Sum("principal_amount"),
            interest=Sum("interest_amount"),
            fee=Sum("fee_amount"),
        )
    )
    lent = sums["principal"]
    if not lent:
        return None
    earned = (sums["interest"] or Decimal(0)) + (sums["fee"] or Decimal(0))
    return float(earned / lent)


def _chance(model: str) -> Subquery:
    rows: QuerySet[Any] = Score.objects.filter(
        customer=OuterRef("customer"), model_name=model, scored_at__lte=OuterRef("at")
    )
    return Subquery(rows.order_by("-scored_at", "-pk").values("value")[:1])
