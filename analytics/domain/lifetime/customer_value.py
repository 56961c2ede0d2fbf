"""The value of customers without a contract: purchases expected × their value × margin, discounted.

CLV = Σ_{k=1..n} margin · E[M] · (E[Y(4.345·k)] − E[Y(4.345·(k − 1))]) / (1 + d)^(k/12)

by months of 52.1775 / 12 weeks, discounted at their end; d is the yearly discount.
Source: Fader, Hardie, Lee 2005, RFM and CLV, Journal of Marketing Research 42:415 (discounted
expected transactions, by discrete periods over a horizon that is named).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.domain.lifetime.bg_nbd import BgNbd
from analytics.domain.lifetime.gamma_gamma import GammaGamma
from analytics.domain.lifetime.purchases import PurchaseHistory

Floats = npt.NDArray[np.float64]
WEEKS_A_MONTH = 52.1775 / 12


@dataclass(frozen=True, slots=True)
class ValueTerms:
    """What a value is counted with.

    Attributes:
        margin: Share of a purchase that is earned.
        discount: A year.
        months: How far ahead.
    """

    margin: float = 1.0
    discount: float = 0.10
    months: int = 12


def customer_values(
    customers: PurchaseHistory, *, model: BgNbd, spending: GammaGamma, terms: ValueTerms
) -> Floats:
    """Return the value to come of each customer, in the unit of money of the purchases.

    NaN where the mean value of a purchase is infinite.
    """
    before = np.zeros(len(customers.repeats))
    found = np.zeros(len(customers.repeats))
    for month in range(1, terms.months + 1):
        upto = model.expected(customers, weeks=WEEKS_A_MONTH * month)
        found += (upto - before) / (1 + terms.discount) ** (month / 12)
        before = upto
    return np.asarray(found * terms.margin * spending.expected(customers))


def purchase_churn(customers: PurchaseHistory, model: BgNbd) -> Floats:
    """Return 1 − P(alive) of customers without a contract; NaN for whoever bought once.

    The model takes one-time customers to be alive for certain, which says nothing of them.
    """
    return np.where(customers.repeats > 0, 1 - model.alive(customers), np.nan)
