"""Champion and challenger on the same people: their scores side by side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import Avg

from analytics.domain.credit.swap_set import SwapApplicant
from analytics.domain.modelling.life.lifecycle import shadow_name
from analytics.models import ModelVersion
from customers.models import Loan, Score

_CHUNK = 5_000
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Pairs:
    """Probabilities of the same people, in one order."""

    customer_ids: tuple[int, ...]
    champion: npt.NDArray[np.float64]
    challenger: npt.NDArray[np.float64]


def load_pairs(champion: ModelVersion, challenger: ModelVersion) -> Pairs:
    """Return everybody whom both scored; not those for whom the challenger's score counts."""
    name = champion.model.name
    rows = Score.objects.filter(is_latest=True).order_by("customer_id")
    old = dict(
        rows.filter(model_name=name, version=champion.label)
        .values_list("customer_id", "value")
        .iterator(chunk_size=_CHUNK)
    )
    new = rows.filter(model_name=shadow_name(name), version=challenger.label)
    both = [
        (key, float(old[key]), float(value))
        for key, value in new.values_list("customer_id", "value").iterator(chunk_size=_CHUNK)
        if key in old
    ]
    return Pairs(
        tuple(key for key, _old, _new in both),
        np.array([before for _key, before, _new in both]),
        np.array([after for _key, _old, after in both]),
    )


def load_applicants(pairs: Pairs) -> list[SwapApplicant]:
    """Return the people with what they would borrow and earn the lender, by their own loans.

    Somebody without a loan would borrow what loans are on average. The margin is the interest of
    the term on half of the amount: what is owed on average while it is paid off evenly.
    """
    mean = Loan.objects.aggregate(
        amount=Avg("principal_amount"), rate=Avg("annual_rate"), months=Avg("term_months")
    )
    usual = (float(mean["amount"] or 0), float(mean["rate"] or 0), float(mean["months"] or 0))
    rows = Loan.objects.order_by("disbursed_on", "pk").values_list(
        "customer_id", "principal_amount", "annual_rate", "term_months"
    )
    latest = {
        key: (float(amount), usual[1] if rate is None else float(rate), float(months))
        for key, amount, rate, months in rows.iterator(chunk_size=_CHUNK)
    }
    found = []
    for key, old, new in zip(pairs.customer_ids, pairs.champion, pairs.challenger, strict=True):
        amount, rate, months = latest.get(key, usual)
        margin = amount / 2 * rate * months / _MONTHS
        found.append(SwapApplicant(float(old), float(new), amount, margin))
    return found
