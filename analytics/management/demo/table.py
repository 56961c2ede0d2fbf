"""The reports of the demo side by side, for a terminal."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from django.utils import translation

from analytics.domain.campaign_report import CampaignReport
from analytics.domain.figures import Figure, Note
from campaigns import labels

_LABEL_WIDTH = 38
_COLUMN_WIDTH = 30
_MONTHS_ON_BOOK = 6


def lines(reports: Sequence[CampaignReport], skipped: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the table, one line a figure.

    Args:
        reports: One a column.
        skipped: {slug: {reason: how many people}}.
    """
    rows: list[tuple[str, list[str]]] = [
        ("", [report.head.slug for report in reports]),
        ("", [report.head.name for report in reports]),
    ]
    for label, name in (
        ("人群 audience", "audience"),
        ("对照组 held out", "held_out"),
        ("已发送 sent", "sent"),
        ("已送达 delivered", "delivered"),
        ("点击 clicked", "clicked"),
        ("转化 converted", "converted"),
    ):
        rows.append((label, [str(report.counts.to_json()[name]) for report in reports]))
    rows.extend(_figure_rows(reports))
    rows.extend(_skipped_rows(reports, skipped))
    width = max(_LABEL_WIDTH, *(_columns(label) + 1 for label, cells in rows if cells))
    return [_line(label, cells, width) for label, cells in rows]


def _figure_rows(reports: Sequence[CampaignReport]) -> list[tuple[str, list[str]]]:
    rates = (
        ("转化率（按分配）conversion, ITT", "conversion_rate"),
        ("对照组转化率 control", "control_conversion_rate"),
        ("提升 lift", "lift"),
    )
    rows = [
        (label, [_rate(report.figures.get(name)) for report in reports]) for label, name in rates
    ]
    amounts = (
        ("总成本（元）cost, CNY", "cost"),
        ("单个转化成本 cost per conversion", "cost_per_conversion"),
        ("全成本获客 CAC, fully loaded", "cac_fully_loaded"),
        ("增量获客成本 CAC, incremental", "cac_incremental"),
        ("投资回报 ROI", "roi"),
    )
    rows.extend(
        (label, [_number(report.figures.get(name)) for report in reports])
        for label, name in amounts
    )
    rows.append(("留存 retention, month 1", [_at(report.retention, 1) for report in reports]))
    rows.append(("留存 retention, month 6", [_at(report.retention, 6) for report in reports]))
    for days in sorted({days for report in reports for days in report.default_rates}):
        curves = [report.default_rates.get(days, ()) for report in reports]
        label = f"逾期 {days}+ 天 ever {days}+, MOB {_MONTHS_ON_BOOK}"
        rows.append((label, [_at(curve, _MONTHS_ON_BOOK) for curve in curves]))
    return rows


def _skipped_rows(
    reports: Sequence[CampaignReport], skipped: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, list[str]]]:
    total: Counter[str] = Counter()
    for reasons in skipped.values():
        total.update(reasons)
    rows: list[tuple[str, list[str]]] = []
    for reason, _count in total.most_common():
        # Both languages do not fit before the first column: the second stands below, without cells.
        slugs = [report.head.slug for report in reports]
        counts = [str(skipped.get(slug, {}).get(reason, 0) or "-") for slug in slugs]
        rows.append((f"跳过 skipped: {_worded(reason, 'zh-hans')}", counts))
        rows.append((f"  {_worded(reason, 'en')}", []))
    return rows


def _worded(reason: str, language: str) -> str:
    with translation.override(language):
        return str(labels.SKIP_REASONS.label(reason))


def _rate(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "—"
    sign = "+" if figure.metric == "lift" else ""
    text = f"{float(figure.value):{sign}.1%}"
    if figure.note is Note.NOT_IDENTIFIED:
        return f"{text} 不可识别 not identified"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{figure.low:.1%}, {figure.high:.1%}]"


def _number(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "—"
    return f"{float(figure.value):,.2f}"


def _at(curve: Sequence[Figure], months: int) -> str:
    figure = next((one for one in curve if one.window.length == months), None)
    if figure is None or figure.value is None:
        return "—"
    return f"{float(figure.value or 0):.1%} ({figure.numerator}/{figure.denominator})"


def _line(label: str, cells: Sequence[str], width: int) -> str:
    columns = "".join(_padded(cell, _COLUMN_WIDTH) for cell in cells)
    return (_padded(label, width) + columns).rstrip()


def _padded(text: str, width: int) -> str:
    return text + " " * max(1, width - _columns(text))


def _columns(text: str) -> int:
    """Return how wide a text is in a terminal; Chinese characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
