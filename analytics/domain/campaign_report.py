"""What a campaign reached and was worth: every figure with its parts, computed from counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analytics.domain import cost, rates
from analytics.domain.figures import WHOLE_CAMPAIGN, Figure, Note, Number, Window, WindowKind
from analytics.domain.outcomes import OutcomeCell, Population
from analytics.domain.rates import AllocationCheck

Filters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CampaignHead:
    """What the report is about.

    Attributes:
        holdout_share: Intended share of the holdout, 0 without one.
        variant_weights: Intended weight of each variant of the first step.
        has_fallback: A further step serves those whom the first did not reach.
    """

    slug: str
    name: str
    status: str
    goal_event: str
    window_days: int
    as_of: datetime
    holdout_share: float = 0.0
    variant_weights: Mapping[str, int] = field(default_factory=dict)
    has_fallback: bool = False

    @property
    def goal_window(self) -> Window:
        """Return the window in which the goal counts."""
        return Window(WindowKind.AFTER_EXPOSURE, self.window_days)


@dataclass(frozen=True, slots=True)
class Counts:
    """Distinct persons; of sent and further, those of the holdout are never part.

    Attributes:
        audience: Everyone assigned, holdout included.
        held_out: The campaign's own control group and that of all marketing.
        eligible: Those whom no gate before the holdout refused, holdout excluded.
        converted: Goal within the window after the first exposure, of those sent to.
        converted_any_time: Goal at any time after the first exposure, of those sent to.
        immature: Of those sent to, whose window has not ended.
        converted_of_clicked: Goal within the window, of those who clicked.
    """

    audience: int
    eligible: int
    held_out: int
    sent: int
    delivered: int
    clicked: int
    converted: int
    converted_any_time: int
    immature: int
    converted_of_clicked: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the counts; `exposed` is another name of `sent`."""
        return {
            "audience": self.audience,
            "eligible": self.eligible,
            "held_out": self.held_out,
            "exposed": self.sent,
            "sent": self.sent,
            "delivered": self.delivered,
            "clicked": self.clicked,
            "converted": self.converted,
            "converted_any_time": self.converted_any_time,
            "immature": self.immature,
        }


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One variant or one channel: its counts and figures by metric name."""

    key: str
    counts: Counts
    figures: Mapping[str, Figure]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.counts.to_json(), "figures": _figures_json(self.figures)}


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Everything a report says about a campaign at one time.

    Attributes:
        figures: By metric name; see docs/metrics.md.
        retention: Classic retention, one figure a month since conversion.
        rolling_retention: Rolling retention, likewise.
        default_rates: {days past due: one figure for each number of months on book}.
        default_amount_rates: The same by the amount lent.
        allocation: Checks of the assignment by what was assigned: holdout, variants.
    """

    head: CampaignHead
    counts: Counts
    figures: Mapping[str, Figure]
    variants: tuple[Breakdown, ...] = ()
    channels: tuple[Breakdown, ...] = ()
    retention: tuple[Figure, ...] = ()
    rolling_retention: tuple[Figure, ...] = ()
    default_rates: Mapping[int, tuple[Figure, ...]] = field(default_factory=dict)
    default_amount_rates: Mapping[int, tuple[Figure, ...]] = field(default_factory=dict)
    allocation: Mapping[str, AllocationCheck] = field(default_factory=dict)

    def all_figures(self) -> tuple[Figure, ...]:
        """Return every figure of the report, breakdowns and curves included."""
        parts = [*self.figures.values(), *self.retention, *self.rolling_retention]
        for breakdown in (*self.variants, *self.channels):
            parts.extend(breakdown.figures.values())
        for curve in (*self.default_rates.values(), *self.default_amount_rates.values()):
            parts.extend(curve)
        return tuple(parts)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; money as text to the cent, rates as numbers, unknown as null."""
        return {
            "campaign": self.head.slug,
            "name": self.head.name,
            "status": self.head.status,
            "as_of": self.head.as_of.isoformat(),
            "goal": {"event": self.head.goal_event, "window_days": self.head.window_days},
            **self.counts.to_json(),
            "figures": _figures_json(self.figures),
            "by_variant": {part.key: part.to_json() for part in self.variants},
            "by_channel": {part.key: part.to_json() for part in self.channels},
            "retention": [figure.to_json() for figure in self.retention],
            "rolling_retention": [figure.to_json() for figure in self.rolling_retention],
            "default_rate": _curves_json(self.default_rates),
            "default_amount_rate": _curves_json(self.default_amount_rates),
            "allocation": {name: _check_json(check) for name, check in self.allocation.items()},
        }


def _curves_json(curves: Mapping[int, tuple[Figure, ...]]) -> dict[str, Any]:
    return {
        f"ever_{days}_plus": [figure.to_json() for figure in curve]
        for days, curve in curves.items()
    }


def counts_of(population: Population) -> Counts:
    """Return the counts of a population."""
    treated = population.treated
    sent = treated.where(lambda cell: cell.is_sent)
    return Counts(
        audience=population.count(),
        eligible=treated.eligible.count(),
        held_out=population.control.count() + population.globally_held_out.count(),
        sent=sent.count(),
        delivered=sent.count(lambda cell: cell.is_delivered),
        clicked=sent.count(lambda cell: cell.is_clicked),
        converted=sent.count(lambda cell: cell.is_converted),
        converted_any_time=sent.count(lambda cell: cell.is_converted_ever),
        immature=sent.immature_count(),
        converted_of_clicked=sent.count(lambda cell: cell.is_clicked and cell.is_converted),
    )


def conversion_figures(
    head: CampaignHead, population: Population, filters: Filters = ()
) -> dict[str, Figure]:
    """Return the steps and the conversion rates of a population, all by persons.

    `conversion_rate` is by intention to treat: of everyone eligible and assigned, sent to or not.
    """
    treated = population.treated.eligible
    counts = counts_of(population)
    bases: dict[str, Population] = {
        "conversion_rate": treated,
        "conversion_rate_sent": population.treated.where(lambda cell: cell.is_sent),
        "conversion_rate_delivered": population.treated.where(lambda cell: cell.is_delivered),
        "conversion_rate_clicked": population.treated.where(lambda cell: cell.is_clicked),
    }
    figures = {
        name: proportion(
            name,
            base.conversions(),
            window=head.goal_window,
            as_of=head.as_of,
            excluded=base.immature_count(),
            filters=filters,
        )
        for name, base in bases.items()
    }
    steps = {
        "delivery_rate": (counts.delivered, counts.sent),
        "click_rate": (counts.clicked, counts.delivered),
    }
    for name, parts in steps.items():
        figures[name] = proportion(
            name, parts, window=WHOLE_CAMPAIGN, as_of=head.as_of, filters=filters
        )
    return figures


def lift_figures(
    head: CampaignHead, treated: Population, control: Population, filters: Filters = ()
) -> dict[str, Figure]:
    """Return the control's rate, the lift over it and the conversions it did not explain.

    Both groups are those whom no gate before the holdout refused. With a fallback step they are
    everyone assigned, because a fallback reaches people of the treated group alone who were refused
    in the first step.
    """
    if head.has_fallback:
        filters = (*filters, ("population", "assigned"))
    else:
        treated, control = treated.eligible, control.eligible
    first, second = treated.conversions(), control.conversions()
    excluded = treated.immature_count() + control.immature_count()
    build = _LiftBuilder(head, first, second, excluded, filters, has_control=control.count() > 0)
    difference = rates.newcombe_difference(first, second)
    relative = rates.relative_lift(first, second)
    extra = cost.incremental_conversions(treated=first, control=second) if second[1] else None
    return {
        "control_conversion_rate": proportion(
            "control_conversion_rate",
            second,
            window=head.goal_window,
            as_of=head.as_of,
            excluded=control.immature_count(),
            filters=filters,
        ),
        "lift": build.figure("lift", difference.value, difference.low, difference.high),
        "relative_lift": build.figure("relative_lift", relative.value, relative.low, relative.high),
        "incremental_conversions": build.figure(
            "incremental_conversions",
            extra,
            None if difference.low is None else difference.low * first[1],
            None if difference.high is None else difference.high * first[1],
        ),
    }


@dataclass(frozen=True, slots=True)
class _LiftBuilder:
    head: CampaignHead
    treated: tuple[int, int]
    control: tuple[int, int]
    excluded: int
    filters: Filters
    has_control: bool

    def figure(
        self, metric: str, value: Number | None, low: Number | None, high: Number | None
    ) -> Figure:
        difference = rates.newcombe_difference(self.treated, self.control)
        note = None if difference.is_identified else Note.NOT_IDENTIFIED
        if not self.has_control:
            note = Note.NO_HOLDOUT
        elif difference.value is None:
            note = Note.IMMATURE if self.excluded else Note.NO_CASES
        return Figure(
            metric=metric,
            value=value,
            numerator=self.treated[0],
            denominator=self.treated[1],
            control=self.control if self.has_control else None,
            window=self.head.goal_window,
            as_of=self.head.as_of,
            low=low,
            high=high,
            excluded_count=self.excluded,
            note=note,
            filters=self.filters,
        )


def allocation_checks(head: CampaignHead, population: Population) -> dict[str, AllocationCheck]:
    """Return the checks for sample ratio mismatch: holdout against treated, and the variants."""
    checks = {}
    if 0 < head.holdout_share < 1:
        checks["holdout"] = rates.check_allocation(
            [population.treated.count(), population.control.count()],
            [1 - head.holdout_share, head.holdout_share],
        )
    weights = {key: weight for key, weight in head.variant_weights.items() if weight > 0}
    if len(weights) > 1:
        checks["variants"] = rates.check_allocation(
            [population.tested.count(_has_variant(key)) for key in weights],
            list(weights.values()),
        )
    return checks


def breakdowns(
    head: CampaignHead, population: Population, *, name: str, of: Callable[[OutcomeCell], str]
) -> tuple[Breakdown, ...]:
    """Return counts and conversion figures for every value of a property."""
    return tuple(
        _breakdown(head, population.where(_is(of, key)), population.control, name, key)
        for key in population.values(of)
    )


def proportion(
    metric: str,
    parts: tuple[int, int],
    *,
    window: Window,
    as_of: datetime,
    excluded: int = 0,
    filters: Filters = (),
) -> Figure:
    """Return a proportion with its Wilson interval; nothing ÷ nothing is unknown, never zero."""
    share = rates.wilson(*parts)
    unknown = Note.IMMATURE if excluded else Note.NO_CASES
    return Figure(
        metric=metric,
        value=share.rate,
        numerator=parts[0],
        denominator=parts[1],
        window=window,
        as_of=as_of,
        low=share.low,
        high=share.high,
        excluded_count=excluded,
        note=unknown if share.rate is None else None,
        filters=filters,
    )


def _breakdown(
    head: CampaignHead, part: Population, control: Population, name: str, key: str
) -> Breakdown:
    filters = ((name, key),)
    figures = conversion_figures(head, part, filters)
    if name == "variant":
        figures |= lift_figures(head, part.treated, control, filters)
    return Breakdown(key=key, counts=counts_of(part), figures=figures)


def _is(of: Callable[[OutcomeCell], str], key: str) -> Callable[[OutcomeCell], bool]:
    return lambda cell: of(cell) == key


def _has_variant(key: str) -> Callable[[OutcomeCell], bool]:
    return lambda cell: cell.variant == key


def _figures_json(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figure.to_json() for name, figure in figures.items()}


def _check_json(check: AllocationCheck) -> dict[str, Any]:
    return {
        "observed": list(check.observed),
        "expected": list(check.expected),
        "statistic": check.statistic,
        "p_value": check.p_value,
        "is_off": check.is_off,
    }
