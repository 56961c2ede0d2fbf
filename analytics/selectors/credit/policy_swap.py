"""What another policy would have made of the applications that were decided lately."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Subquery, Value, When

from analytics.domain.credit.policy import (
    ApplicantFacts,
    CreditPolicy,
    DecisionOutcome,
    PolicyFact,
    decide,
)
from analytics.domain.credit.swap_set import SwapApplicant, SwapSet, swap_of
from analytics.models import CreditDecision
from analytics.selectors.credit.acceptance import LOOK_BACK_DAYS, PERFORMANCE_MONTHS
from customers.domain.loans.instalments import add_months
from customers.domain.loans.loan import LoanStatus
from customers.models import Loan, Score
from customers.selectors.loan_books import IS_BAD, NOT_BOOKED

MOST_DECISIONS = 20_000
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class PolicySwap:
    """Both policies on the same facts.

    Attributes:
        outcomes: {(outcome of the old one, outcome of the new one): applications}.
        swap: Who comes in and goes out; accepted is who is granted credit without a person.
        without_chance: Applications that the swap set leaves out: nobody had scored them, or their
            application names no amount.
    """

    outcomes: Counter[tuple[DecisionOutcome, DecisionOutcome]]
    swap: SwapSet
    without_chance: int

    @property
    def count(self) -> int:
        """Return how many applications were looked at."""
        return self.outcomes.total()


def load_policy_swap(
    *,
    old: CreditPolicy,
    new: CreditPolicy,
    loss_given_default: float,
    margin_share: float,
    now: datetime,
) -> PolicySwap:
    """Return what both policies make of the newest decided applications of two years (1 query).

    On the facts as they were seen at the decision and the scores that there were then: what was
    scored later knows more.

    Args:
        margin_share: What a loan earns ÷ its amount.
    """
    outcomes: Counter[tuple[DecisionOutcome, DecisionOutcome]] = Counter()
    judged: list[tuple[bool, bool, SwapApplicant]] = []
    for row in _rows(old, new, now):
        before = decide(old, _facts(row, row["old_value"], row["old_at"]))
        after = decide(new, _facts(row, row["new_value"], row["new_at"]))
        outcomes[before.outcome, after.outcome] += 1
        amount = float(row["application__amount"] or 0)
        chance = _chance(row["new_value"])
        if chance is None or not amount:
            continue
        judged.append(
            (
                before.outcome is DecisionOutcome.APPROVED,
                after.outcome is DecisionOutcome.APPROVED,
                SwapApplicant(
                    old_chance=float(_chance(row["old_value"]) or 0),
                    new_chance=float(chance),
                    exposure_amount=amount,
                    margin_amount=amount * margin_share,
                    is_bad=row["bad"],
                ),
            )
        )
    swap = swap_of(judged, loss_given_default=loss_given_default)
    return PolicySwap(outcomes, swap, outcomes.total() - len(judged))


def _rows(old: CreditPolicy, new: CreditPolicy, now: datetime) -> Iterator[dict[str, Any]]:
    loan = Loan.objects.filter(application=OuterRef("application")).exclude(status__in=NOT_BOOKED)
    ripe = add_months(now.date(), -PERFORMANCE_MONTHS)
    good = loan.filter(status=LoanStatus.SETTLED) | loan.filter(disbursed_on__lte=ripe)
    rows = CreditDecision.objects.filter(
        decided_at__gt=now - timedelta(days=LOOK_BACK_DAYS), decided_at__lte=now
    ).annotate(
        old_value=_score(old.score_model, "value"),
        old_at=_score(old.score_model, "scored_at"),
        new_value=_score(new.score_model, "value"),
        new_at=_score(new.score_model, "scored_at"),
        bad=Case(
            When(Exists(loan.filter(IS_BAD)), then=Value(value=True)),
            When(Exists(good), then=Value(value=False)),
            output_field=BooleanField(null=True),
        ),
    )
    found = rows.order_by("-decided_at", "-pk").values(
        *("facts", "decided_at", "application__amount", "customer__personalisation_allowed"),
        *("old_value", "old_at", "new_value", "new_at", "bad"),
    )
    yield from found[:MOST_DECISIONS].iterator(chunk_size=_CHUNK)


def _score(model: str, column: str) -> Subquery:
    rows = Score.objects.filter(
        customer=OuterRef("customer"), model_name=model, scored_at__lte=OuterRef("decided_at")
    )
    return Subquery(rows.order_by("-scored_at", "-pk").values(column)[:1])


def _facts(row: dict[str, Any], value: Decimal | None, at: datetime | None) -> ApplicantFacts:
    risk = _chance(value) if row["customer__personalisation_allowed"] else None
    return ApplicantFacts(
        risk=risk,
        requested_amount=row["application__amount"],
        values={PolicyFact(name): Decimal(each) for name, each in row["facts"].items()},
        score_age=None if risk is None or at is None else row["decided_at"] - at,
    )


def _chance(value: Decimal | None) -> Decimal | None:
    return value if value is not None and 0 <= value <= 1 else None
