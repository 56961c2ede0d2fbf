"""BG/NBD: how often a customer of no contract still buys, and whether they are still one.

While alive a customer buys at a rate that is Gamma(r, α) over customers; after every purchase they
leave with a probability that is Beta(a, b) over customers.

Source: Fader, Hardie, Lee 2005, "Counting Your Customers" the Easy Way, Marketing Science 24:275.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analytics.domain.lifetime.purchases import PurchaseHistory

Floats = npt.NDArray[np.float64]
# Parameters are searched as logarithms between these.
_BOUNDS = (-8.0, 12.0)
_STARTS = ((1.0, 1.0, 1.0, 1.0), (0.3, 5.0, 0.5, 2.0), (2.0, 20.0, 0.2, 5.0))


class NoConvergenceError(ValueError):
    """The likelihood has no maximum inside the bounds: the data cannot tell the parameters."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """A fitted model; α is in weeks."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def alive(self, customers: PurchaseHistory) -> Floats:
        """Return P(alive) at the end of the observation.

        It is 1 for whoever never bought again: nothing but a purchase ends a customer's life here,
        so that the figure says nothing of one-time customers.
        """
        x = customers.repeats
        log_odds = (
            (self.r + x) * np.log((self.alpha + customers.age) / (self.alpha + customers.recency))
            + np.log(self.a)
            - np.log(self.b + np.maximum(x, 1) - 1)
        )
        return np.where(x > 0, special.expit(-log_odds), 1.0)

    def expected(self, customers: PurchaseHistory, *, weeks: float) -> Floats:
        """Return E[Y(t)]: the purchases expected of each customer in the coming weeks."""
        if self.a == 1.0:
            # The formula divides by a − 1; it is smooth, so that a neighbour stands for it.
            near = BgNbd(self.r, self.alpha, 1.0 + 1e-6, self.b, self.log_likelihood)
            return near.expected(customers, weeks=weeks)
        x, age = customers.repeats, customers.age
        first, second = self.r + x, self.b + x
        third = self.a + self.b + x - 1
        z = weeks / (self.alpha + age + weeks)
        curved = special.hyp2f1(first, second, third, z)
        shrunk = np.exp(first * (np.log(self.alpha + age) - np.log(self.alpha + age + weeks)))
        bought = third / (self.a - 1) * (1 - shrunk * curved)
        return np.asarray(bought * self.alive(customers))

    def expected_of_new(self, weeks: float) -> float:
        """Return E[X(t)]: the repeat purchases of somebody just won, in their first weeks."""
        new = PurchaseHistory(("",), *(np.zeros(1) for _ in range(4)))
        return float(self.expected(new, weeks=weeks)[0])


def log_likelihood(
    customers: PurchaseHistory, *, r: float, alpha: float, a: float, b: float
) -> float:
    """Return the log-likelihood of the customers' purchases, by logarithms throughout."""
    x = customers.repeats
    common = (
        special.gammaln(r + x)
        - special.gammaln(r)
        + r * np.log(alpha)
        + special.gammaln(a + b)
        - special.gammaln(b)
        + special.gammaln(b + x)
        - special.gammaln(a + b + x)
    )
    alive = -(r + x) * np.log(alpha + customers.age)
    gone = np.where(
        x > 0,
        np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + customers.recency),
        -np.inf,
    )
    return float((common + np.logaddexp(alive, gone)).sum())


def fit_bg_nbd(customers: PurchaseHistory) -> BgNbd:
    """Return the model of the greatest likelihood, the best from several starts.

    Raises:
        PurchasesError: The figures contradict each other.
        NoConvergenceError: There are no repeat purchases, or the search ended at a bound.
    """
    customers.check()
    if not customers.repeats.any():
        raise NoConvergenceError
    # Weeks are brought to a span of about 1, in which the starts are good ones.
    span = float(customers.age.max())
    scaled = PurchaseHistory(
        customers.ids,
        customers.repeats,
        customers.recency / span,
        customers.age / span,
        customers.mean_value,
    )
    shift = float(customers.repeats.sum() * np.log(span))

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        value = -log_likelihood(scaled, r=r, alpha=alpha, a=a, b=b)
        return value / len(scaled.repeats)

    best = None
    for start in _STARTS:
        tried = optimize.minimize(
            loss,
            np.log([start[0], max(start[1] / span, 0.01), start[2], start[3]]),
            method="L-BFGS-B",
            bounds=[_BOUNDS] * 4,
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
        )
        if best is None or tried.fun < best.fun:
            best = tried
    if best is None or not _is_inside(best.x):
        raise NoConvergenceError
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    return BgNbd(r, alpha * span, a, b, -float(best.fun) * len(scaled.repeats) - shift)


def _is_inside(logs: Floats) -> bool:
    return bool(
        np.isfinite(logs).all() and (np.abs(logs - np.array(_BOUNDS)[:, None]) > 1e-3).all()
    )
