"""A campaign report as partners read it; figures about too few people are left blank."""

from datetime import datetime
from typing import Any

from msgspec import Struct, convert

from analytics.domain.campaign_report import CampaignReport

BELOW_THRESHOLD = "below_threshold"
_TOLD = ("value", "low", "high", "numerator", "denominator")


class WindowOut(Struct, frozen=True):
    """The span of time a figure is about."""

    kind: str
    length: int | None
    unit: str


class FigureOut(Struct, frozen=True):
    """A value with its numerator, denominator and 95 % interval; money is text to the cent.

    `note` says why a value is null; `below_threshold` means that too few people stand behind it.
    """

    metric: str
    value: int | float | str | None
    low: int | float | str | None
    high: int | float | str | None
    numerator: int | float | str | None
    denominator: int | float | str | None
    window: WindowOut
    as_of: datetime
    excluded_count: int
    note: str | None
    filters: dict[str, str]


class CountsOut(Struct, frozen=True):
    """People at every station of a campaign, and the figures made of them."""

    audience: int
    eligible: int
    held_out: int
    exposed: int
    sent: int
    delivered: int
    clicked: int
    converted: int
    converted_any_time: int
    immature: int
    figures: dict[str, FigureOut]


class GoalOut(Struct, frozen=True):
    """What counts as success, and for how long after the message."""

    event: str
    window_days: int


class AllocationOut(Struct, frozen=True):
    """Whether people were assigned in the shares that were asked for."""

    observed: list[int | float]
    expected: list[int | float]
    statistic: float | None
    p_value: float | None
    is_off: bool


class ReportOut(CountsOut, frozen=True):
    """The report of one campaign."""

    campaign: str
    name: str
    status: str
    as_of: datetime
    goal: GoalOut
    by_variant: dict[str, CountsOut]
    by_channel: dict[str, CountsOut]
    retention: list[FigureOut]
    rolling_retention: list[FigureOut]
    default_rate: dict[str, list[FigureOut]]
    default_amount_rate: dict[str, list[FigureOut]]
    allocation: dict[str, AllocationOut]


def report_out(report: CampaignReport, *, threshold: int) -> ReportOut:
    """Return the report for a partner; figures with a denominator below the threshold are blank."""
    return convert(_without_small_groups(report.to_json(), threshold), ReportOut)


def _without_small_groups(content: Any, threshold: int) -> Any:
    if isinstance(content, list):
        return [_without_small_groups(item, threshold) for item in content]
    if not isinstance(content, dict):
        return content
    denominator = content.get("denominator")
    if "metric" in content and isinstance(denominator, int) and 0 < denominator < threshold:
        return content | dict.fromkeys(_TOLD) | {"note": BELOW_THRESHOLD}
    return {key: _without_small_groups(value, threshold) for key, value in content.items()}
