"""The lifetime value of a customer: what the loans earned so far, and what they are expected to.

Source: CLV = Σ_t S(t)·(margin_t − EL_t − cost_t) / (1 + d)^t with survival from a hazard, for the
contracts that exist; loans that the customer may take later are not guessed.

    value so far  = Σ loans (fees received + interest received × (r − f) / r − charged-off balance)
                    − cost of all messages
    value to come = Σ open loans Σ_{t=1..n} [S_t · (B_{t−1} · (r − f) / 12 − c)
                    − (S_{t−1} − S_t) · LGD · B_{t−1}] / (1 + d)^(t/12)

r: yearly rate of the loan; f: yearly cost of funding; B: balance at the end of a month by the plan;
S_t = (1 − PD)^(t/12): the loan is not in default after t months; c: cost of serving a month.
Funding costs f / r of the interest, because both grow with the same balance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics.domain.credit.assumptions import BUILT_IN, AssumptionName
from customers.domain.loans.loan import Bucket

# Raised whenever the formula or an assumption changes; stored with every value.
VERSION = "clv-2"
MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class LifetimeAssumptions:
    """What the formula takes for granted; shares and yearly rates, CNY for costs."""

    funding_rate: float = 0.035
    discount_rate: float = 0.10
    loss_given_default: float = float(BUILT_IN[AssumptionName.LOSS_GIVEN_DEFAULT])
    cost_a_month: float = 1.0
    yearly_default: Mapping[Bucket, float] = field(
        default_factory=lambda: {
            Bucket.M0: float(BUILT_IN[AssumptionName.DEFAULT_M0]),
            Bucket.M1: float(BUILT_IN[AssumptionName.DEFAULT_M1]),
            Bucket.M2: float(BUILT_IN[AssumptionName.DEFAULT_M2]),
            Bucket.M3: float(BUILT_IN[AssumptionName.DEFAULT_M3]),
            Bucket.M3_PLUS: 0.95,
        }
    )


ASSUMPTIONS = LifetimeAssumptions()


@dataclass(frozen=True, slots=True)
class LoanWorth:
    """What of one loan enters the value, in CNY.

    Attributes:
        annual_rate: Yearly rate as a fraction; 0 when it is not known, then only fees count.
        lost_amount: Balance that was charged off.
        balances: Balance at the beginning of each month still to come by the plan, the present
            balance first; empty for a loan that is over.
    """

    annual_rate: float
    interest_received: float = 0.0
    fees_received: float = 0.0
    lost_amount: float = 0.0
    balances: Sequence[float] = ()
    bucket: Bucket = Bucket.M0


@dataclass(frozen=True, slots=True)
class LifetimeValue:
    """The value of one customer in CNY; `total` is the sum of its parts."""

    so_far: float
    to_come: float

    @property
    def total(self) -> float:
        """Return the lifetime value."""
        return self.so_far + self.to_come


def lifetime_value(
    loans: Sequence[LoanWorth],
    *,
    message_cost: float,
    assumptions: LifetimeAssumptions = ASSUMPTIONS,
) -> LifetimeValue:
    """Return the value of a customer from all loans and the cost of all messages so far."""
    so_far = sum(_earned(loan, assumptions) for loan in loans) - message_cost
    return LifetimeValue(so_far, sum(_expected(loan, assumptions) for loan in loans))


def _earned(loan: LoanWorth, given: LifetimeAssumptions) -> float:
    margin = 0.0
    if loan.annual_rate > 0:
        share = (loan.annual_rate - given.funding_rate) / loan.annual_rate
        margin = loan.interest_received * share
    return loan.fees_received + margin - loan.lost_amount


def _expected(loan: LoanWorth, given: LifetimeAssumptions) -> float:
    survival_a_month = (1 - given.yearly_default[loan.bucket]) ** (1 / 12)
    margin_rate = (loan.annual_rate - given.funding_rate) / 12
    value, alive = 0.0, 1.0
    for month, balance in enumerate(loan.balances[:MOST_MONTHS], start=1):
        before, alive = alive, alive * survival_a_month
        expected = alive * (balance * margin_rate - given.cost_a_month)
        loss = (before - alive) * given.loss_given_default * balance
        value += (expected - loss) / (1 + given.discount_rate) ** (month / 12)
    return value


def falling_balances(present: float, principal_parts: Sequence[float]) -> tuple[float, ...]:
    """Return the balances at the beginning of the coming months.

    Args:
        present: Balance now.
        principal_parts: Principal due in the first month, the second and so on; what the plan does
            not cover is due with the last.
    """
    found, balance = [], present
    for part in principal_parts:
        if balance <= 0:
            break
        found.append(balance)
        balance -= part
    return tuple(found)
