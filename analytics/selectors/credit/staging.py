"""Open loans by stage, with the loss that is expected of them; and the loans of a stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Length, Ord, TruncMonth

from analytics.domain.credit import expected_loss
from analytics.domain.credit.assumptions import AssumptionName, CreditValue
from analytics.domain.credit.expected_loss import LossTerms, Stage
from analytics.selectors.credit.acceptance import score_in_use
from analytics.selectors.credit.values import yearly_defaults
from customers.domain.loans.instalments import months_between
from customers.domain.loans.loan import Bucket, LoanStatus
from customers.models import Loan, Score

_OPEN = (LoanStatus.ACTIVE, LoanStatus.OVERDUE)
_LATER_YEARS = Bucket.M0


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage: its loans, what they owe and the loss that is expected, in CNY."""

    stage: Stage
    loan_count: int
    outstanding_amount: Decimal
    loss_amount: float


def staged_loans(*, score_model: str) -> QuerySet[Any]:
    """Return the open loans with a `stage` and a `bucket`.

    A score has fallen over a band where the letter of its band is two or more behind that of the
    last score before the disbursement. Loans whose source reports the state have no days past due
    and are not among them.
    """
    scores = Score.objects.filter(customer=OuterRef("customer"), model_name=score_model)
    scores = scores.annotate(width=Length("band")).filter(width=1)
    then = scores.filter(scored_at__date__lte=OuterRef("disbursed_on")).order_by(
        "-scored_at", "-pk"
    )
    fallen = Coalesce(Ord(Subquery(scores.filter(is_latest=True).values("band")[:1])), Value(0))
    base = Coalesce(Ord(Subquery(then.values("band")[:1])), fallen)
    rows = Loan.objects.filter(status__in=_OPEN, is_state_reported=False)
    rows = rows.annotate(
        bands_fallen=Case(When(pk__isnull=False, then=fallen - base), output_field=IntegerField())
    )
    return rows.annotate(
        stage=Case(
            When(dpd_days__gte=expected_loss.STAGE_3_DAYS, then=Value(Stage.THREE.value)),
            When(dpd_days__gt=expected_loss.STAGE_2_MORE_THAN_DAYS, then=Value(Stage.TWO.value)),
            When(bands_fallen__gte=expected_loss.BANDS_FALLEN, then=Value(Stage.TWO.value)),
            default=Value(Stage.ONE.value),
            output_field=CharField(),
        ),
        bucket=Case(
            When(dpd_days__lte=0, then=Value(Bucket.M0.value)),
            When(dpd_days__lte=30, then=Value(Bucket.M1.value)),
            When(dpd_days__lte=60, then=Value(Bucket.M2.value)),
            When(dpd_days__lte=90, then=Value(Bucket.M3.value)),
            default=Value(Bucket.M3_PLUS.value),
            output_field=CharField(),
        ),
    )


def load_stages(
    *, values: Mapping[AssumptionName, CreditValue], today: date
) -> tuple[StageLine, ...]:
    """Return every stage with its expected loss (2 queries).

    The chance to default in the first year is that of the bucket, in later years that of M0; the
    balance falls evenly over the months left; losses are discounted by the loan's own rate.
    """
    rates = yearly_defaults(values)
    lost = values[AssumptionName.LOSS_GIVEN_DEFAULT].value
    rows = (
        staged_loans(score_model=score_model_in_use())
        .annotate(month=TruncMonth("disbursed_on"))
        .values_list("stage", "bucket", "month", "term_months", "annual_rate")
        .annotate(n=Count("pk"), owed=Sum("outstanding_amount"))
        .order_by()
    )
    found: dict[Stage, tuple[int, Decimal, float]] = {
        stage: (0, Decimal(0), 0.0) for stage in Stage
    }
    for code, bucket, month, term, rate, count, owed in rows:
        stage = Stage(code)
        exposures = expected_loss.yearly_exposures(float(owed), term - months_between(month, today))
        later = [rates[_LATER_YEARS]] * (len(exposures) - 1)
        terms = LossTerms(exposures, [rates[Bucket(bucket)], *later], lost, float(rate or 0))
        had = found[stage]
        loss = had[2] + expected_loss.loss_of_stage(stage, terms)
        found[stage] = (had[0] + count, had[1] + owed, loss)
    return tuple(StageLine(stage, *parts) for stage, parts in found.items())


def score_model_in_use() -> str:
    """Return the name of the score of the policy in force; empty without one (1 query)."""
    found = score_in_use()
    return found.model if found else ""
