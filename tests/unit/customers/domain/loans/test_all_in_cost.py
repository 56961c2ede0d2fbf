"""What a loan costs a year with all its fees (d22)."""

from decimal import Decimal

import pytest

from customers.domain.loans.all_in_cost import Fee, FeeTiming, cost_of_loan, cost_of_payments
from customers.domain.loans.cost_texts import cost_text

# (proceeds, payment, months, nominal, effective): worked out outside the program.
VECTORS = [
    ("10000", "888.4879", 12, "0.12", "0.126825"),
    ("10000", "968.4879", 12, "0.287", "0.327931"),
    ("9700", "888.4879", 12, "0.178249", "0.193557"),
    ("10000", "893.3333333", 12, "0.130342", "0.138418"),
    ("10000", "945.596", 12, "0.24", "0.268242"),
]


@pytest.mark.parametrize(("proceeds", "payment", "months", "nominal", "effective"), VECTORS)
def test_d22_the_cost_is_the_rate_of_return_of_all_payments(
    proceeds, payment, months, nominal, effective
):
    cost = cost_of_payments(proceeds=Decimal(proceeds), payment=Decimal(payment), months=months)
    assert abs(cost.nominal - Decimal(nominal)) < Decimal("0.000001")
    assert abs(cost.effective - Decimal(effective)) < Decimal("0.000001")


def _cost(*fees):
    return cost_of_loan(
        principal=Decimal(10_000), annual_rate=Decimal("0.12"), months=12, fees=fees
    ).nominal.quantize(Decimal("0.0001"))


def test_d22_a_guarantee_of_80_a_month_makes_12_percent_28_70():
    assert _cost() == Decimal("0.1200")
    assert _cost(Fee(FeeTiming.MONTHLY, Decimal(80))) == Decimal("0.2870")
    assert _cost(Fee(FeeTiming.MONTHLY, share=Decimal("0.008"))) == Decimal("0.2870")
    assert _cost(Fee(FeeTiming.UPFRONT, share=Decimal("0.03"))) == Decimal("0.1782")


def test_d22_what_may_never_be_charged_stays_out_of_the_cost():
    assert _cost(Fee(FeeTiming.CONTINGENT, Decimal(500))) == Decimal("0.1200")


@pytest.mark.parametrize(
    ("proceeds", "payment", "months"), [(0, 100, 12), (1000, 100, 0), (1000, 10, 12)]
)
def test_a_cost_that_cannot_be_is_refused(proceeds, payment, months):
    with pytest.raises(ValueError, match="A cost needs"):
        cost_of_payments(proceeds=Decimal(proceeds), payment=Decimal(payment), months=months)


def test_d22_the_text_names_convention_and_fees_apart():
    told = {"included": ["担保费"], "contingent": ["逾期违约金"]}
    assert cost_text(Decimal("0.287"), language="zh-hans", **told) == (
        "年化综合融资成本28.70%（单利，含担保费，仅在发生时另收逾期违约金）"
    )
    told = {"included": ["guarantee fee"], "contingent": ["late fee"]}
    assert cost_text(Decimal("0.287"), language="en", **told) == (
        "all-in cost 28.70% a year (simple annual rate; with guarantee fee;"
        " only if it applies: late fee)"
    )
