"""What a campaign cost and brought in: acquisition cost, retention, defaults, return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from analytics.domain import cost, retention
from analytics.domain.campaign_report import CampaignHead, proportion
from analytics.domain.cost import CostLine, UnitCost
from analytics.domain.credit import vintages
from analytics.domain.credit.assumptions import BUILT_IN, AssumptionName
from analytics.domain.figures import (
    WHOLE_CAMPAIGN,
    Figure,
    Note,
    Window,
    WindowKind,
    WindowUnit,
    to_cent,
)
from analytics.domain.outcomes import Borrowing, Converter, Population
from analytics.domain.retention import Member, RetentionCell

THRESHOLDS = (30, 90)
MONTHS_ON_BOOK = (1, 2, 3, 6, 9, 12)
RETENTION_MONTHS = 12


@dataclass(frozen=True, slots=True)
class ReturnAssumptions:
    """What the return needs and no table holds.

    Attributes:
        margin_per_customer_amount: Margin of a converted customer; None takes interest and fees of
            the loans that followed.
        loss_given_default: Share of the outstanding amount lost when a loan defaults.
        performing_default_rate: Chance that a loan which has not defaulted still will.
    """

    margin_per_customer_amount: Decimal | None = None
    loss_given_default: Decimal = BUILT_IN[AssumptionName.LOSS_GIVEN_DEFAULT]
    performing_default_rate: Decimal = BUILT_IN[AssumptionName.PERFORMING_DEFAULT_RATE]


@dataclass(frozen=True, slots=True)
class ConverterFollowUp:
    """A converter and what followed, in the lender's time zone."""

    converter: Converter
    exposed_date: date
    converted_date: date
    borrowing: Borrowing

    @property
    def is_newly_funded(self) -> bool:
        """Return whether the first draw ever came on or after the day of exposure."""
        first = self.borrowing.first_draw_date
        return first is not None and first >= self.exposed_date


def cost_figures(
    head: CampaignHead,
    lines: Sequence[CostLine],
    followed: Sequence[ConverterFollowUp],
    converted: int,
) -> dict[str, Figure]:
    """Return the total cost, the cost of a conversion and the fully loaded acquisition cost."""
    funded = sum(person.is_newly_funded for person in followed)
    total = cost.total_amount(lines)
    return {
        "cost": Figure(
            metric="cost",
            value=to_cent(total),
            numerator=to_cent(total),
            denominator=None,
            window=WHOLE_CAMPAIGN,
            as_of=head.as_of,
        ),
        "cost_per_conversion": _unit_figure(
            "cost_per_conversion", head, cost.unit_cost(total, converted)
        ),
        "cac_fully_loaded": _unit_figure(
            "cac_fully_loaded", head, cost.fully_loaded_cac(lines, new_customers=funded)
        ),
    }


def channel_cost_figures(
    head: CampaignHead,
    lines: Sequence[CostLine],
    followed: Sequence[ConverterFollowUp],
    *,
    channel: str,
    converted: int,
) -> dict[str, Figure]:
    """Return the media and message cost of one channel by conversion and by new customer."""
    funded = sum(x.is_newly_funded for x in followed if x.converter.channel == channel)
    filters = (("attribution", "reached_by"), ("channel", channel))
    direct = cost.channel_cac(lines, channel=channel, new_customers=funded)
    per_conversion = cost.unit_cost(direct.cost_amount, converted)
    return {
        "cac": _unit_figure("cac", head, direct, filters),
        "cost_per_conversion": _unit_figure("cost_per_conversion", head, per_conversion, filters),
    }


def incremental_figures(
    head: CampaignHead,
    lift: Mapping[str, Figure],
    total: Decimal,
    followed: Sequence[ConverterFollowUp],
    assumptions: ReturnAssumptions,
) -> dict[str, Figure]:
    """Return incremental acquisition cost and return on cost, from the lift over the holdout.

    Without a holdout, or where the interval of the lift includes zero, neither has a value.
    """
    extra, note = lift["incremental_conversions"].value, lift["lift"].note
    extra_count = float(extra) if extra is not None else None
    known = extra_count is not None and note is None and extra_count > 0
    cac = total / Decimal(repr(extra_count)) if known and extra_count and total > 0 else None
    treated = lift["lift"].numerator or 0
    margin, loss = _margin_and_loss(followed, assumptions)
    share = Decimal(repr(extra_count)) / Decimal(treated) if known and treated else None
    worth = (
        cost.return_on_cost(
            margin_amount=margin * share, expected_loss_amount=loss * share, cost_amount=total
        )
        if share is not None and margin is not None
        else None
    )
    return {
        "cac_incremental": Figure(
            metric="cac_incremental",
            value=to_cent(cac) if cac is not None else None,
            numerator=to_cent(total),
            denominator=extra_count,
            window=head.goal_window,
            as_of=head.as_of,
            excluded_count=lift["lift"].excluded_count,
            note=(None if total > 0 else Note.NO_COST) if known else note or Note.NOT_IDENTIFIED,
        ),
        "roi": Figure(
            metric="roi",
            value=worth.rate if worth else None,
            numerator=to_cent(worth.gain_amount) if worth else None,
            denominator=to_cent(total),
            window=head.goal_window,
            as_of=head.as_of,
            excluded_count=lift["lift"].excluded_count,
            note=_roi_note(known=known, lift_note=note, margin=margin, total=total),
        ),
    }


def retention_figures(
    head: CampaignHead, followed: Sequence[ConverterFollowUp], as_of: date
) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """Return (classic, rolling) retention of the converted, one figure a month.

    Where no converter has a loan, a draw or a payment on record, activity cannot be known and every
    month is blank.
    """
    members = [
        Member(
            converted_date=person.converted_date,
            active_months=retention.active_months(
                converted_date=person.converted_date,
                spans=person.borrowing.spans,
                horizon=RETENTION_MONTHS,
            ),
        )
        for person in followed
    ]
    has_loans = any(person.borrowing.spans for person in followed)
    classic = retention.classic(members, as_of=as_of, horizon=RETENTION_MONTHS)
    rolling = retention.rolling(members, as_of=as_of, horizon=RETENTION_MONTHS)
    return (
        tuple(_retention_figure("retention", head, cell, has_loans=has_loans) for cell in classic),
        tuple(
            _retention_figure("rolling_retention", head, cell, has_loans=has_loans)
            for cell in rolling
        ),
    )


@dataclass(frozen=True, slots=True)
class DefaultCurves:
    """Ever-X+ rates by months on book, by days past due.

    Attributes:
        by_count: Of the loans.
        by_amount: Of the amounts lent.
    """

    by_count: Mapping[int, tuple[Figure, ...]]
    by_amount: Mapping[int, tuple[Figure, ...]]


def default_curves(
    head: CampaignHead, followed: Sequence[ConverterFollowUp], as_of: date
) -> DefaultCurves:
    """Return the ever-30+ and ever-90+ rates of the loans that followed, by months on book."""
    loans = [x.borrowing.campaign_loan for x in followed if x.borrowing.campaign_loan]
    records = [loan.record for loan in loans if loan.record is not None]
    unknown = len(loans) - len(records)
    cells = {
        threshold: vintages.ever_past_due(
            records, threshold_days=threshold, months=MONTHS_ON_BOOK, as_of=as_of
        )
        for threshold in THRESHOLDS
    }
    return DefaultCurves(
        by_count={
            threshold: tuple(_default_figure(head, cell, unknown) for cell in row)
            for threshold, row in cells.items()
        },
        by_amount={
            threshold: tuple(_default_amount_figure(head, cell, unknown) for cell in row)
            for threshold, row in cells.items()
        },
    )


def shared_media(
    lines: Sequence[CostLine], sent_by_channel: Mapping[str, int]
) -> tuple[CostLine, ...]:
    """Return the lines with media that names no channel spread over channels by persons sent to."""
    channels = sorted(sent_by_channel)
    result: list[CostLine] = []
    for line in lines:
        if line.channel or line.category is not cost.CostCategory.MEDIA or not channels:
            result.append(line)
            continue
        parts = cost.spread(line.amount, [sent_by_channel[key] for key in channels])
        result.extend(
            CostLine(line.category, part, key) for key, part in zip(channels, parts, strict=True)
        )
    return tuple(result)


def sent_by_channel(population: Population) -> dict[str, int]:
    """Return how many persons each channel was sent to."""
    sent = population.treated.where(lambda cell: cell.is_sent)
    totals: dict[str, int] = {}
    for cell in sent.cells:
        totals[cell.channel] = totals.get(cell.channel, 0) + cell.persons
    return totals


def _margin_and_loss(
    followed: Sequence[ConverterFollowUp], assumptions: ReturnAssumptions
) -> tuple[Decimal | None, Decimal]:
    loans = [x.borrowing.campaign_loan for x in followed if x.borrowing.campaign_loan]
    loss = sum(
        (
            loan.outstanding_amount
            * assumptions.loss_given_default
            * (1 if loan.is_defaulted else assumptions.performing_default_rate)
            for loan in loans
        ),
        Decimal(0),
    )
    if assumptions.margin_per_customer_amount is not None:
        return assumptions.margin_per_customer_amount * len(followed), loss
    if not loans:
        return None, loss
    return sum((loan.margin_amount for loan in loans), Decimal(0)), loss


def _roi_note(
    *, known: bool, lift_note: Note | None, margin: Decimal | None, total: Decimal
) -> Note | None:
    if total <= 0:
        return Note.NO_COST
    if not known:
        return lift_note or Note.NOT_IDENTIFIED
    return Note.NO_MARGIN if margin is None else None


def _unit_figure(
    metric: str,
    head: CampaignHead,
    unit: UnitCost,
    filters: tuple[tuple[str, str], ...] = (),
) -> Figure:
    # Nothing recorded is not the same as free: a cost of zero leaves the cost of a unit unknown.
    note = Note.NO_COST if not unit.cost_amount else None
    note = Note.NO_CASES if unit.value is None else note
    return Figure(
        metric=metric,
        value=to_cent(unit.value) if unit.value is not None and note is None else None,
        numerator=to_cent(unit.cost_amount),
        denominator=int(unit.units),
        window=WHOLE_CAMPAIGN,
        as_of=head.as_of,
        note=note,
        filters=filters,
    )


def _retention_figure(
    metric: str, head: CampaignHead, cell: RetentionCell, *, has_loans: bool
) -> Figure:
    window = Window(WindowKind.AFTER_CONVERSION, cell.month, WindowUnit.MONTH)
    if not has_loans:
        return Figure(
            metric=metric,
            value=None,
            numerator=None,
            denominator=None,
            window=window,
            as_of=head.as_of,
            note=Note.NO_LOANS,
        )
    return proportion(
        metric,
        (cell.active_count, cell.mature_count),
        window=window,
        as_of=head.as_of,
        excluded=cell.immature_count,
    )


def _default_figure(head: CampaignHead, cell: vintages.DefaultCell, unknown: int) -> Figure:
    figure = proportion(
        f"ever_{cell.threshold_days}_plus",
        (cell.bad_count, cell.loan_count),
        window=Window(WindowKind.AFTER_DISBURSEMENT, cell.month, WindowUnit.MONTH),
        as_of=head.as_of,
        excluded=cell.immature_count,
    )
    return _without_repayments(figure, unknown)


def _default_amount_figure(head: CampaignHead, cell: vintages.DefaultCell, unknown: int) -> Figure:
    """Return the rate by amount; amounts are no cases, so it has no interval."""
    blank = Note.IMMATURE if cell.immature_count else Note.NO_CASES
    figure = Figure(
        metric=f"ever_{cell.threshold_days}_plus_amount",
        value=cell.amount_rate,
        numerator=to_cent(cell.bad_amount),
        denominator=to_cent(cell.booked_amount),
        window=Window(WindowKind.AFTER_DISBURSEMENT, cell.month, WindowUnit.MONTH),
        as_of=head.as_of,
        excluded_count=cell.immature_count,
        note=blank if cell.amount_rate is None else None,
    )
    return _without_repayments(figure, unknown)


def _without_repayments(figure: Figure, unknown: int) -> Figure:
    if unknown and figure.value is None and not figure.excluded_count:
        return replace(figure, note=Note.NO_REPAYMENTS)
    return figure
