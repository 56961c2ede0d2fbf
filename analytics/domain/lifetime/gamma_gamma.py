"""Gamma-Gamma: what a customer's purchases are worth on average, from the few that were seen.

The value of a purchase is Gamma(p, ν) with ν Gamma(q, γ) over customers, independent of how often
they buy.

Source: Fader, Hardie 2013, The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analytics.domain.lifetime.bg_nbd import NoConvergenceError
from analytics.domain.lifetime.purchases import PurchaseHistory

Floats = npt.NDArray[np.float64]
# From this correlation of frequency and value on the model's independence is not to be believed.
MOST_CORRELATION = 0.3
_BOUNDS = (-8.0, 12.0)
_STARTS = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (0.5, 1.5, 3.0))


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """A fitted model; γ is in the unit of money.

    Attributes:
        correlation: Of repeat purchases and their mean value, over repeat customers.
        customers: With repeat purchases of a value above zero; the others say nothing.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float
    correlation: float
    customers: int

    @property
    def is_independent(self) -> bool:
        """Return whether frequency and value are as good as independent."""
        return abs(self.correlation) <= MOST_CORRELATION

    @property
    def population_mean(self) -> float | None:
        """Return the mean value of a purchase over all customers; None where it is infinite."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else None

    def expected(self, customers: PurchaseHistory) -> Floats:
        """Return E[M | x, z̄]: the mean value expected of each customer's purchases.

        Whoever was not seen to buy again is expected at the mean of all, NaN where that is
        infinite.
        """
        x = np.where(customers.mean_value > 0, customers.repeats, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = self.p * (self.gamma + x * customers.mean_value) / (self.p * x + self.q - 1)
        return np.where(self.p * x + self.q > 1, value, np.nan)


def gamma_gamma_log_likelihood(
    customers: PurchaseHistory, *, p: float, q: float, gamma: float
) -> float:
    """Return the log-likelihood of the mean values of repeat customers."""
    seen = _seen(customers)
    x, mean = customers.repeats[seen], customers.mean_value[seen]
    return float(
        (
            special.gammaln(p * x + q)
            - special.gammaln(p * x)
            - special.gammaln(q)
            + q * np.log(gamma)
            + (p * x - 1) * np.log(mean)
            + p * x * np.log(x)
            - (p * x + q) * np.log(gamma + x * mean)
        ).sum()
    )


def fit_gamma_gamma(customers: PurchaseHistory) -> GammaGamma:
    """Return the model of the greatest likelihood.

    Raises:
        PurchasesError: The figures contradict each other.
        NoConvergenceError: Fewer than three repeat customers of value, or the search ended at a
            bound.
    """
    customers.check()
    seen = _seen(customers)
    count = int(seen.sum())
    if count < 3:
        raise NoConvergenceError
    x, mean = customers.repeats[seen], customers.mean_value[seen]
    scale = float(mean.mean())
    scaled = PurchaseHistory(("",) * count, x, np.ones(count), np.ones(count), mean / scale)

    def loss(logs: Floats) -> float:
        p, q, gamma = np.exp(logs)
        return -gamma_gamma_log_likelihood(scaled, p=p, q=q, gamma=gamma) / count

    best = min(
        (
            optimize.minimize(
                loss,
                np.log(start),
                method="L-BFGS-B",
                bounds=[_BOUNDS] * 3,
                options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
            )
            for start in _STARTS
        ),
        key=lambda tried: tried.fun,
    )
    if (np.abs(best.x - np.array(_BOUNDS)[:, None]) < 1e-3).any():
        raise NoConvergenceError
    p, q, gamma = (float(value) for value in np.exp(best.x))
    found = -float(best.fun) * count - count * np.log(scale)
    varied = float(x.std()) > 0 and float(mean.std()) > 0
    correlation = float(np.corrcoef(x, mean)[0, 1]) if varied else 0.0
    return GammaGamma(p, q, gamma * scale, found, correlation, count)


def _seen(customers: PurchaseHistory) -> npt.NDArray[np.bool_]:
    return np.asarray((customers.repeats > 0) & (customers.mean_value > 0))
