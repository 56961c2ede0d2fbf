"""Give every customer a lifetime value, as a score with version, time and history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from analytics.domain.lifetime_value import (
    VERSION,
    LifetimeAssumptions,
    LifetimeValue,
    lifetime_value,
)
from analytics.selectors import lifetime_facts
from analytics.selectors.credit import values as credit_values
from customers.domain.fields.score_bands import CLV, CLV_SO_FAR, CLV_TO_COME
from customers.services import scores
from customers.services.scores import GivenScore
from loancrm.kernel import access
from loancrm.kernel.access import Actor

_ADD = "customers.add_score"
_BATCH = 500
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Valued:
    """How many customers were valued, how many of the values are new, and the sum in CNY."""

    customer_count: int
    changed_count: int
    total_amount: Decimal
    version: str = VERSION


def value_customers(*, actor: Actor, as_of: date, now: datetime) -> Valued:
    """Value every customer who ever had a loan or cost a message.

    The value is the score `clv` and its parts `clv_so_far` and `clv_to_come`, in CNY; rules read
    them as `score.clv` and so on. Earlier values stay as history. A value that is the same as
    before, to the cent, adds nothing. Four queries for every 500 customers, and those of storing.

    Args:
        as_of: Day at the end of which the loans are looked at.

    Raises:
        PermissionRefused: The actor may not add scores.
    """
    access.require(actor, _ADD)
    values = list(_values(as_of, credit_values.lifetime_assumptions()))
    parts = {
        CLV_SO_FAR: [(key, _amount(value.so_far)) for key, value in values],
        CLV_TO_COME: [(key, _amount(value.to_come)) for key, value in values],
    }
    total = [(key, one + other) for (key, one), (_key, other) in zip(*parts.values(), strict=True)]
    changed = 0
    for name, given in {**parts, CLV: total}.items():
        changed = scores.record_scores(
            actor=actor,
            model_name=name,
            version=VERSION,
            scores=(GivenScore(key, amount) for key, amount in given),
            now=now,
            is_complete=True,
        ).recorded
    return Valued(len(total), changed, sum((amount for _key, amount in total), Decimal(0)))


def _values(as_of: date, given: LifetimeAssumptions) -> Iterator[tuple[int, LifetimeValue]]:
    ids = lifetime_facts.valued_customers().order_by("pk").values_list("pk", flat=True)
    listed = iter(list(ids))
    while batch := list(islice(listed, _BATCH)):
        loans = lifetime_facts.loan_worths(batch, as_of=as_of)
        costs = lifetime_facts.message_costs(batch)
        for key in batch:
            yield (
                key,
                lifetime_value(
                    loans.get(key, ()), message_cost=costs.get(key, 0.0), assumptions=given
                ),
            )


def _amount(value: float) -> Decimal:
    return Decimal(value).quantize(_CENT)
