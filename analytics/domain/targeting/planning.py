"""From people's scores and a targeting's offers, channels and caps to the problem to be solved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from analytics.domain.targeting.problem import (
    MICRO,
    AmountCap,
    ChoiceProblem,
    Floats,
    Ints,
    PeopleCap,
    RatioFloor,
    ShareCap,
    micro,
)
from analytics.domain.targeting.profit import (
    Number,
    break_even_conversion,
    expected_loss,
    expected_profit,
    treated_response,
)
from analytics.domain.targeting.spec import GroupCap, ScoreNames, TargetingOffer, TargetingSpec
from analytics.domain.warning.rules import SEVERITIES, Severity
from campaigns.domain.campaigns.fairness import (
    SMALLEST_GROUP,
    UNDER_AGE,
    UNKNOWN,
    FairnessAttribute,
)

BUDGET = "budget"
EXPECTED_LOSS = "expected_loss"
PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class PeopleGroups:
    """The groups of one attribute.

    Attributes:
        names: Of the groups.
        codes: The place in `names` of each person.
        sizes: People of each group in all that could be chosen, in the order of `names`.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int16]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TargetingPeople:
    """Everybody who may be looked at.

    Attributes:
        ids: Rising.
        scores: By model; not a number where a person has none.
        alerts: How grave the gravest open alert about each person is, as `gravity`; 0 without one.
    """

    ids: Ints
    scores: Mapping[str, Floats]
    groups: Mapping[FairnessAttribute, PeopleGroups]
    alerts: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why people cannot be chosen at all; each counted once, the first reason that holds.

    Attributes:
        no_score: Without a score that some offer needs, for every offer.
        alert: With an open alert that is grave enough.
        pd: Above the cut-off, or without a probability of default while there is one.
        sleeping: A contact lowers the chance that they take any of the offers, or does nothing.
        at_a_loss: No option brings more than it costs.
    """

    no_score: int
    alert: int
    pd: int
    sleeping: int
    at_a_loss: int


@dataclass(frozen=True, slots=True)
class TargetingPlan:
    """What is solved, and what other rankings are measured on.

    Attributes:
        problem: Only what a contact may be made for.
        open: Also contacts at a loss and of sleeping dogs: other rankings do not see them.
        response, loss: People x options; a probability, and CNY expected to be lost.
        default: Probability of default; not a number where it is not known.
        pays_from: By option, the conversion from which a contact pays with a person of average
            loss, complaint and response without a contact; None where no conversion does.
    """

    problem: ChoiceProblem
    open: ChoiceProblem
    response: Floats
    loss: Floats
    default: Floats
    pays_from: tuple[float | None, ...]
    left_out: LeftOut


def plan(
    spec: TargetingSpec, people: TargetingPeople, *, contact_costs: Sequence[float]
) -> TargetingPlan:
    """Return the problem of a targeting.

    Args:
        contact_costs: CNY a contact, one a channel of the targeting.
    """
    n, options = len(people.ids), spec.options
    shape = (n, len(options))
    value, loss, response = np.empty(shape), np.zeros(shape), np.zeros(shape)
    cost = np.zeros(shape, dtype=np.int64)
    uplift_all = np.full(shape, np.nan)
    pays_from: list[float | None] = []
    channels = {channel.channel: at for at, channel in enumerate(spec.channels)}
    for at, (offer, channel) in enumerate(options):
        contact = contact_costs[channels[channel.channel]]
        found = _option(spec, people, offer, reach=channel.reach, contact=contact)
        uplift_all[:, at], value[:, at] = found.conversion, found.value
        pays_from.append(found.pays_from)
        response[:, at] = np.nan_to_num(found.taken, nan=0.0)
        loss[:, at] = response[:, at] * found.of_loan
        # The same people cost the incentive here as in the profit.
        cost[:, at] = _upwards(contact + response[:, at] * offer.incentive)
    is_known = np.isfinite(value)
    default = _score(people, spec.scores.pd)
    is_alert, is_risky = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if spec.caps.alert is not None:
        is_alert = people.alerts >= gravity(spec.caps.alert)
    if spec.caps.pd is not None:
        is_risky = ~(default <= spec.caps.pd)
    barred = is_alert | is_risky
    opened = np.where(is_known & ~barred[:, None], value, -np.inf)
    strict = np.where((uplift_all > 0) & (opened > 0), opened, -np.inf)
    micro_loss = _upwards(np.nan_to_num(loss, nan=0.0))
    problem = _problem(spec, people, strict, cost, micro_loss)
    return TargetingPlan(
        problem=problem,
        open=replace(problem, value=opened),
        response=response,
        loss=np.nan_to_num(loss, nan=0.0),
        default=default,
        pays_from=tuple(pays_from),
        left_out=_left_out(is_known, is_alert, is_risky, uplift_all, strict),
    )


@dataclass(frozen=True, slots=True)
class _Option:
    """What one offer through one channel is worth: by person, but for `pays_from`."""

    conversion: Floats
    taken: Floats
    value: Floats
    of_loan: Number
    pays_from: float | None


def _option(
    spec: TargetingSpec,
    people: TargetingPeople,
    offer: TargetingOffer,
    *,
    reach: float,
    contact: float,
) -> _Option:
    scores, nothing = offer.scores.over(spec.scores), np.zeros(len(people.ids))
    conversion = _score(people, scores.conversion) * reach
    of_loan = expected_loss(
        _score(people, scores.pd) if scores.pd else nothing, offer.lgd, offer.ead
    )
    taken = _response(people, scores, conversion, reach)
    complaint = _score(people, scores.complaint) if scores.complaint else nothing
    value = expected_profit(
        conversion=conversion,
        response=taken,
        margin=offer.margin,
        loss=of_loan,
        incentive=offer.incentive,
        contact_cost=contact,
        complaint_probability=complaint,
        complaint_cost=spec.complaint_cost,
    )
    if spec.counts_response(offer):
        # What is not known is not free: nobody is chosen whose share of a cap cannot be told.
        value = np.where(np.isfinite(taken), value, np.nan)
    pays_from = break_even_conversion(
        margin=offer.margin,
        loss=_mean(of_loan),
        incentive=offer.incentive,
        contact_cost=contact + _mean(complaint) * spec.complaint_cost,
        come_anyway=_mean(taken - np.maximum(conversion, 0.0)),
    )
    return _Option(conversion, taken, np.asarray(value), of_loan, pays_from)


def gravity(severity: Severity) -> int:
    """Return the place of a severity, 1 for the lightest."""
    return SEVERITIES.index(severity) + 1


def _score(people: TargetingPeople, model: str) -> Floats:
    return people.scores[model] if model else np.full(len(people.ids), np.nan)


def _response(
    people: TargetingPeople, scores: ScoreNames, conversion: Floats, reach: float
) -> Floats:
    """Return who takes an offer, contacted; the uplift where no response is named."""
    found = _score(people, scores.response) * reach if scores.response else conversion
    return np.asarray(treated_response(found, conversion))


def _mean(amounts: Number) -> float:
    """Return the mean of what is known; 0 where nothing is."""
    known = np.asarray(amounts)[np.isfinite(amounts)]
    return float(known.mean()) if known.size else 0.0


def _upwards(amounts: Floats) -> Ints:
    """Return amounts in whole millionths, never less than they are."""
    return np.ceil(np.round(np.asarray(amounts) * MICRO, 3)).astype(np.int64)


def _left_out(
    is_known: npt.NDArray[np.bool_],
    is_alert: npt.NDArray[np.bool_],
    is_risky: npt.NDArray[np.bool_],
    uplift: Floats,
    strict: Floats,
) -> LeftOut:
    no_score = ~is_known.any(axis=1)
    alert = ~no_score & is_alert
    pd = ~no_score & ~alert & is_risky
    rest = ~no_score & ~alert & ~pd
    sleeping = rest & ~(uplift > 0).any(axis=1)
    at_a_loss = rest & ~sleeping & ~np.isfinite(strict).any(axis=1)
    return LeftOut(*(int(one.sum()) for one in (no_score, alert, pd, sleeping, at_a_loss)))


def _problem(
    spec: TargetingSpec, people: TargetingPeople, value: Floats, cost: Ints, loss: Ints
) -> ChoiceProblem:
    caps, options = spec.caps, spec.options
    amounts, counts = [], []
    if caps.budget is not None:
        amounts.append(AmountCap(BUDGET, cost, micro(caps.budget)))
    if caps.expected_loss is not None:
        amounts.append(AmountCap(EXPECTED_LOSS, loss, micro(caps.expected_loss)))
    if caps.people is not None:
        counts.append(PeopleCap(PEOPLE, tuple(range(len(options))), caps.people))
    for name, most in caps.per_channel.items():
        of_channel = tuple(
            at for at, (_offer, channel) in enumerate(options) if channel.channel == name
        )
        counts.append(PeopleCap(f"{PEOPLE}:{name}", of_channel, most))
    shares, ratios = [], []
    for cap in caps.fairness:
        if cap.max_share is not None and cap.group:
            shares.append(_share_cap(cap, people))
        if cap.min_impact_ratio is not None:
            ratios.append(_ratio_floor(cap, people))
    return ChoiceProblem(
        ids=people.ids,
        value=value,
        amounts=tuple(amounts),
        people=tuple(counts),
        shares=tuple(shares),
        ratios=tuple(ratios),
    )


def _share_cap(cap: GroupCap, people: TargetingPeople) -> ShareCap:
    found = people.groups[cap.attribute]
    code = found.names.index(cap.group) if cap.group in found.names else -1
    return ShareCap(
        f"share:{cap.attribute.value}:{cap.group}",
        found.codes == code,
        Fraction(str(cap.max_share)),
    )


def _ratio_floor(cap: GroupCap, people: TargetingPeople) -> RatioFloor:
    """Return the floor over the groups that are judged, as before a launch."""
    found = people.groups[cap.attribute]
    judged = [
        at
        for at, (name, size) in enumerate(zip(found.names, found.sizes, strict=True))
        if size >= SMALLEST_GROUP and name not in (UNKNOWN, UNDER_AGE)
    ]
    place = np.full(len(found.names) + 1, -1, dtype=np.int16)
    place[judged] = np.arange(len(judged))
    return RatioFloor(
        f"ratio:{cap.attribute.value}",
        place[found.codes],
        tuple(found.sizes[at] for at in judged),
        Fraction(str(cap.min_impact_ratio)),
    )
