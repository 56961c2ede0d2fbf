"""What a person may grant: terms of one of the policy's bands, and no others."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from analytics.domain.credit.policy import ApplicantFacts, CreditPolicy, PriceBand, most_limit

_YUAN = Decimal(1)


class GrantProblem(StrEnum):
    """Why such terms cannot be granted."""

    BAND_UNKNOWN = "band_unknown"
    LIMIT_MISSING = "limit_missing"
    LIMIT_TOO_HIGH = "limit_too_high"
    LIMIT_TOO_SMALL = "limit_too_small"


class GrantInvalid(ValueError):
    """Such terms cannot be granted.

    Attributes:
        bound: The amount that the limit is beyond, in CNY; None where it is about no amount.
    """

    def __init__(self, problem: GrantProblem, bound: Decimal | None = None) -> None:
        """Remember both."""
        super().__init__(problem.value)
        self.problem = problem
        self.bound = bound


@dataclass(frozen=True, slots=True)
class GrantedTerms:
    """Rate as a fraction a year, limit in whole yuan."""

    band: str
    annual_rate: Decimal
    limit_amount: Decimal


def grant(
    policy: CreditPolicy, facts: ApplicantFacts, *, band: str, limit_amount: Decimal | None
) -> GrantedTerms:
    """Return the terms of a band as a person grants them: the band's rate, up to its limit.

    Args:
        limit_amount: None for as much as the band lends on these facts.

    Raises:
        GrantInvalid: The band is none of the policy's, or the limit is beyond what it lends, below
            the smallest loan, or missing where it depends on an income that nobody knows.
    """
    chosen = next((one for one in policy.bands if one.name == band), None)
    if chosen is None:
        raise GrantInvalid(GrantProblem.BAND_UNKNOWN)
    most = most_limit(chosen, facts)
    limit = most if limit_amount is None else limit_amount.quantize(_YUAN, ROUND_DOWN)
    if limit is None:
        raise GrantInvalid(GrantProblem.LIMIT_MISSING)
    bound = _bound(chosen, facts) if most is None else most
    if limit > bound:
        raise GrantInvalid(GrantProblem.LIMIT_TOO_HIGH, bound)
    least = max(policy.least_amount, _YUAN)
    if limit < least:
        raise GrantInvalid(GrantProblem.LIMIT_TOO_SMALL, least)
    return GrantedTerms(chosen.name, chosen.annual_rate, limit)


def _bound(band: PriceBand, facts: ApplicantFacts) -> Decimal:
    """Return the most where the income is not known: the person has looked at it."""
    if facts.requested_amount is None:
        return band.limit_amount
    return min(band.limit_amount, facts.requested_amount)
