"""The people that a targeting looks at: their latest scores, and the groups they belong to."""

from array import array
from collections.abc import Sequence
from datetime import date
from functools import cache, partial

import numpy as np
import numpy.typing as npt
from django.db.models import FloatField, QuerySet
from django.db.models.functions import Cast

from analytics.domain.targeting.planning import PeopleGroups, TargetingPeople, gravity
from analytics.domain.warning.rules import Severity
from analytics.models import RiskAlert
from campaigns.domain.campaigns.fairness import UNKNOWN, FairnessAttribute, age_band
from campaigns.selectors.campaigns import fairness_groups
from customers.models import Customer, Score

_CHUNK = 20_000


def load_people(
    people: QuerySet[Customer], *, models: Sequence[str], today: date
) -> TargetingPeople:
    """Return whoever may be chosen by a model, with scores and groups; a fixed number of queries.

    Whoever switched personal recommendations off is not among them, but counts in the size of the
    groups: they could have been chosen.
    """
    rows = (
        people.filter(personalisation_allowed=True)
        .order_by("pk")
        .values_list("pk", "gender", "birth_date", "province")
    )
    sizes = fairness_groups.by_attribute(fairness_groups.counts_of(people, today=today))
    # A name's code; whoever changed between the two queries may bring a new name.
    places = [
        {name: code for code, name in enumerate(sorted(sizes[attribute]))}
        for attribute in FairnessAttribute
    ]
    band_of = cache(partial(_band, today=today))
    ids, codes = array("q"), tuple(array("h") for _attribute in FairnessAttribute)
    for pk, gender, born, province in rows.iterator(chunk_size=_CHUNK):
        ids.append(pk)
        names = (gender or UNKNOWN, band_of(born), province or UNKNOWN)
        for place, found, name in zip(places, codes, names, strict=True):
            found.append(place.setdefault(name, len(place)))
    keys = np.array(ids, dtype=np.int64)
    return TargetingPeople(
        ids=keys,
        scores={model: _scores(model, keys) for model in models},
        groups={
            attribute: PeopleGroups(
                tuple(place),
                np.array(found, dtype=np.int16),
                tuple(sizes[attribute].get(name, 0) for name in place),
            )
            for attribute, place, found in zip(FairnessAttribute, places, codes, strict=True)
        },
        alerts=alerts_about(keys),
    )


def score_ranges(models: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return {model: (lowest, highest latest score)} of those that scored anybody.

    Two looks into an index a model: over a million people each, an aggregate reads them all.
    """
    found = {}
    for model in models:
        values = Score.objects.filter(model_name=model, is_latest=True).values_list(
            "value", flat=True
        )
        lowest, highest = values.order_by("value").first(), values.order_by("-value").first()
        if lowest is not None and highest is not None:
            found[model] = float(lowest), float(highest)
    return found


def alerts_about(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Return how grave the gravest open alert about each person is (1 query)."""
    found = np.zeros(len(keys), dtype=np.int8)
    rows = RiskAlert.objects.filter(ended_at=None, customer__isnull=False).order_by()
    for key, severity in rows.values_list("customer_id", "severity").iterator(chunk_size=_CHUNK):
        at = int(np.searchsorted(keys, key))
        if at < len(keys) and keys[at] == key:
            found[at] = max(int(found[at]), gravity(Severity(severity)))
    return found


def may_be_chosen(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return who of these still lets models choose for them (1 query)."""
    people = Customer.objects.filter(pk__any_of=keys.tolist(), personalisation_allowed=True)
    return np.isin(keys, np.fromiter(people.values_list("pk", flat=True), dtype=np.int64))


def known_models() -> list[str]:
    """Return the models with scores in use, by name."""
    rows = Score.objects.filter(is_latest=True).order_by("model_name")
    return list(rows.values_list("model_name", flat=True).distinct())


def _scores(model: str, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    found = np.full(len(keys), np.nan)
    rows = Score.objects.filter(model_name=model, is_latest=True).order_by()
    # The database makes the floats: a million of Decimal cost more than all the rest.
    pairs = rows.values_list("customer_id", Cast("value", FloatField()))
    table = np.fromiter(
        pairs.iterator(chunk_size=_CHUNK), dtype=[("key", np.int64), ("value", np.float64)]
    )
    if not len(table) or not len(keys):
        return found
    at = np.searchsorted(keys, table["key"])
    at[at == len(keys)] = 0
    is_in = keys[at] == table["key"]
    found[at[is_in]] = table["value"][is_in]
    return found


def _band(born: date | None, today: date) -> str:
    if born is None:
        return UNKNOWN
    return age_band(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))
