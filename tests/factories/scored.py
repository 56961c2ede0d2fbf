"""People with scores of models, planted so that the best choice is known."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from customers.models import Customer
from customers.services.scores import GivenScore, record_scores
from loancrm.kernel.access import system_actor


def give_scores(
    people: Sequence[Customer], model: str, value: Callable[[int], float], now: datetime
) -> None:
    """Give each person, by place, a score of a model."""
    record_scores(
        actor=system_actor("test"),
        model_name=model,
        version=f"{model}-1",
        scores=[
            GivenScore(person.pk, Decimal(str(round(value(at), 6))))
            for at, person in enumerate(people)
        ],
        now=now,
    )
