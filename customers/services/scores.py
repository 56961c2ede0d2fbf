"""Scores that models gave to customers: the latest in use, the earlier ones kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from django.db import transaction

from customers.models import Score
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit

_ADD = "customers.add_score"
_BATCH = 500
_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class GivenScore:
    """The value that a model gives to one customer, and the name of its band."""

    customer_id: int
    value: Decimal
    band: str = ""


@dataclass(frozen=True, slots=True)
class ScoresRecorded:
    """How many scores are new, were the same already, and went out of use."""

    recorded: int = 0
    unchanged: int = 0
    retired: int = 0


def record_scores(
    *,
    actor: Actor,
    model_name: str,
    version: str,
    scores: Iterable[GivenScore],
    now: datetime,
    is_complete: bool = False,
) -> ScoresRecorded:
    """Store what a model version says; rules read it as `score.<model_name>`.

    A score of the same version, value and band stays as it is, so a repeated run adds nothing.

    Args:
        scores: At most one a customer.
        is_complete: Customers whom this run does not score have no score in use afterwards.

    Raises:
        PermissionRefused: The actor may not add scores.
    """
    access.require(actor, _ADD)
    given = iter(scores)
    recorded = unchanged = 0
    named: set[int] = set()
    with transaction.atomic():
        while batch := list(islice(given, _BATCH)):
            new = _record_batch(batch, model_name, version, now)
            recorded, unchanged = recorded + new, unchanged + len(batch) - new
            named.update(score.customer_id for score in batch)
        retired = _retire_others(model_name, named) if is_complete else 0
        facts = {"version": version, "recorded": recorded, "retired": retired}
        audit.record(
            actor=actor,
            action="scores.record",
            object_type="score",
            object_id=model_name,
            now=now,
            facts={**facts, "unchanged": unchanged},
        )
    return ScoresRecorded(recorded, unchanged, retired)


def _record_batch(batch: Sequence[GivenScore], model_name: str, version: str, now: datetime) -> int:
    wanted = {s.customer_id: (version, s.value.quantize(_PLACES), s.band) for s in batch}
    latest = Score.objects.filter(
        model_name=model_name, is_latest=True, customer_id__in=wanted
    ).values_list("customer_id", "version", "value", "band")
    same = {key for key, *stored in latest if wanted[key] == tuple(stored)}
    fresh = [key for key in wanted if key not in same]
    Score.objects.filter(model_name=model_name, is_latest=True, customer_id__in=fresh).update(
        is_latest=False
    )
    Score.objects.bulk_create(
        Score(
            customer_id=key,
            model_name=model_name,
            version=version,
            value=wanted[key][1],
            band=wanted[key][2],
            scored_at=now,
        )
        for key in fresh
    )
    return len(fresh)


def _retire_others(model_name: str, named: set[int]) -> int:
    in_use = Score.objects.filter(model_name=model_name, is_latest=True)
    ids = in_use.values_list("pk", "customer_id").iterator(chunk_size=5000)
    gone = [pk for pk, customer_id in ids if customer_id not in named]
    for part in _parts(gone):
        Score.objects.filter(pk__in=part).update(is_latest=False)
    return len(gone)


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
