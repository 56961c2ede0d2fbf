"""Scores that models gave to customers: the latest in use, the earlier ones kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

from customers.domain.score_standing import ScoreState
from customers.models import Score, ScoreStanding
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

_ADD = "customers.add_score"
_BATCH = 500
_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class GivenScore:
    """The value that a model gives to one customer, and the name of its band.

    Attributes:
        version: Where it is not that of the whole run: a challenger's, for its share of people.
    """

    customer_id: int
    value: Decimal
    band: str = ""
    version: str = ""


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
    act = acting(actor, _ADD, now=now)
    given = iter(scores)
    recorded = unchanged = 0
    named: set[int] = set()
    with act:
        while batch := list(islice(given, _BATCH)):
            new = _record_batch(batch, model_name, version, now)
            recorded, unchanged = recorded + new, unchanged + len(batch) - new
            named.update(score.customer_id for score in batch)
        retired = _retire_others(model_name, named) if is_complete else 0
        facts = {"version": version, "recorded": recorded, "retired": retired}
        act.record("scores.record", on=(Score, model_name), facts={**facts, "unchanged": unchanged})
    return ScoresRecorded(recorded, unchanged, retired)


def record_standing(  # noqa: PLR0913 - all that is known of a model's scores
    *,
    actor: Actor,
    model_name: str,
    version: str,
    state: ScoreState,
    scored_at: datetime | None,
    stale_after_days: int,
    is_for_marketing: bool,
    now: datetime,
) -> ScoreStanding | None:
    """Say what stands of a model's scores, so that campaigns use none that they must not.

    Args:
        scored_at: When they were given; None leaves the time as it is.

    Returns:
        The row; None where nobody was scored yet, so that there is nothing to say.

    Raises:
        PermissionRefused: The actor may not add scores.
    """
    with acting(actor, _ADD, now=now) as act:
        values = {
            "version": version,
            "state": state.value,
            "stale_after_days": stale_after_days,
            "is_for_marketing": is_for_marketing,
        }
        found = ScoreStanding.objects.filter(model_name=model_name)
        if scored_at is None:
            if not found.update(**values):
                act.unchanged()
                return None
            row = found.get()
        else:
            row, _created = ScoreStanding.objects.update_or_create(
                model_name=model_name, defaults={**values, "scored_at": scored_at}
            )
        act.record("scores.standing", on=(Score, model_name), facts=values)
    return row


def _record_batch(batch: Sequence[GivenScore], model_name: str, version: str, now: datetime) -> int:
    wanted = {
        s.customer_id: (s.version or version, s.value.quantize(_PLACES), s.band) for s in batch
    }
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
            version=wanted[key][0],
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
