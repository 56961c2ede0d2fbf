"""The values that losses are reckoned with: estimated, assumed or built in, and from where."""

from collections.abc import Mapping
from decimal import Decimal
from math import nan

from analytics.domain.campaign_worth import ReturnAssumptions
from analytics.domain.credit.assumptions import AssumptionName, CreditValue, ValueOrigin, chosen
from analytics.domain.lifetime_value import LifetimeAssumptions
from analytics.models import CreditAssumption, CreditEstimate
from customers.domain.loans.loan import Bucket

_CERTAIN = 0.95


def load_values() -> dict[AssumptionName, CreditValue]:
    """Return every value in use (2 queries).

    Estimates are those of the last day on which the book was derived and told any.
    """
    last = CreditEstimate.objects.order_by("-as_of").values("as_of")[:1]
    estimates = {
        AssumptionName(row.name): CreditValue(
            AssumptionName(row.name),
            row.value,
            ValueOrigin.ESTIMATED,
            low=nan if row.low is None else row.low,
            high=nan if row.high is None else row.high,
            case_count=row.case_count,
        )
        for row in CreditEstimate.objects.filter(as_of__in=last)
    }
    assumed = {
        row.name: (row.value, row.source)
        for row in CreditAssumption.objects.order_by("recorded_at", "pk")
    }
    return {
        name: chosen(name, estimate=estimates.get(name), assumed=assumed.get(name))
        for name in AssumptionName
    }


def return_assumptions(
    *,
    margin_per_customer_amount: Decimal | None = None,
    loss_given_default: Decimal | None = None,
    performing_default_rate: Decimal | None = None,
) -> ReturnAssumptions:
    """Return what a campaign's return needs: as given, else the values in use (2 queries)."""
    values = load_values()
    lost = values[AssumptionName.LOSS_GIVEN_DEFAULT].value
    rate = values[AssumptionName.PERFORMING_DEFAULT_RATE].value
    return ReturnAssumptions(
        margin_per_customer_amount=margin_per_customer_amount,
        loss_given_default=_decimal(lost) if loss_given_default is None else loss_given_default,
        performing_default_rate=_decimal(rate)
        if performing_default_rate is None
        else performing_default_rate,
    )


def lifetime_assumptions() -> LifetimeAssumptions:
    """Return what lifetime values take for granted, with the values in use (2 queries)."""
    values = load_values()
    return LifetimeAssumptions(
        loss_given_default=values[AssumptionName.LOSS_GIVEN_DEFAULT].value,
        yearly_default=yearly_defaults(values),
    )


def yearly_defaults(values: Mapping[AssumptionName, CreditValue]) -> dict[Bucket, float]:
    """Return {bucket: chance to default within a year}; past 90 days it is all but certain."""
    return {
        Bucket.M0: values[AssumptionName.DEFAULT_M0].value,
        Bucket.M1: values[AssumptionName.DEFAULT_M1].value,
        Bucket.M2: values[AssumptionName.DEFAULT_M2].value,
        Bucket.M3: values[AssumptionName.DEFAULT_M3].value,
        Bucket.M3_PLUS: _CERTAIN,
    }


def _decimal(value: float) -> Decimal:
    return Decimal(str(round(value, 6)))
