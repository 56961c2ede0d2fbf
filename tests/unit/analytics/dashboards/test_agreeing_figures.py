"""Figures of a report that stand side by side agree."""

from datetime import UTC, datetime
from decimal import Decimal

from analytics.dashboards import charts
from analytics.dashboards import report as report_page
from analytics.domain import campaign_worth as worth
from analytics.domain.campaign_report import Breakdown, CampaignHead, CampaignReport, Counts
from analytics.domain.cost import CostCategory, CostLine


def test_f5_the_funnel_is_nested_and_the_costs_add_up() -> None:
    counts = Counts(
        audience=100, eligible=90, held_out=0, sent=85, delivered=84, clicked=80,
        converted=64, converted_any_time=64, immature=0, converted_of_clicked=48,
    )  # fmt: skip
    rows = charts.funnel(counts).rows
    assert [row[1] for row in rows] == ["100", "90", "85", "84", "80", "48", "64"]
    assert rows[-1][2] == "–"  # no step of those who clicked
    as_of = datetime(2026, 3, 4, tzinfo=UTC)
    head = CampaignHead("c", "c", "completed", "g", 7, as_of)
    lines = [
        CostLine(CostCategory.MESSAGES, Decimal("40.00"), "sms"),
        CostLine(CostCategory.MEDIA, Decimal("100.00")),
        CostLine(CostCategory.STAFF, Decimal("60.00")),
    ]
    spread = worth.shared_media(lines, {"sms": 10})
    figures = worth.channel_cost_figures(head, spread, [], channel="sms", converted=4)
    report = CampaignReport(
        head=head,
        counts=counts,
        figures=worth.cost_figures(head, lines, [], 4),
        channels=(Breakdown("sms", counts, figures),),
    )
    shown = report_page.channel_costs(report)
    assert figures["cac"].numerator == Decimal("140.00")
    assert (shown["shared"], shown["total"]) == ("¥60.00", "¥200.00")
