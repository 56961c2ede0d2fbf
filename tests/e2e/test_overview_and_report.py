"""The first page and the report: tiles, charts that are drawn, words in both languages."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from analytics.dashboards import charts
from analytics.dashboards.charts import Chart
from campaigns.models import Campaign, Message
from tests.e2e.conftest import PEOPLE, Screen, convert, send_all

WORDS = {
    "zh-hans": {
        "overview": ["首页", "客户", "可营销触达", "正在进行", "未来七天", "每日发送量"],
        "report": [
            "从受众到转化",
            "各版本转化率",
            "全部指标明细",
            "相对对照组提升",
            "全成本获客成本",
        ],
        "foreign": ["Needs you", "Customers", "Running now", "Numerator"],
    },
    "en": {
        "overview": ["Home", "Customers", "Reachable", "Running now", "The next seven days"],
        "report": [
            "From audience to conversion",
            "Conversion by variant",
            "Every figure with its parts",
            "Lift over the control group",
        ],
        "foreign": ["首页", "分子", "正在进行"],
    },
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_overview_counts_and_draws(
    open_screen: Callable[..., Screen], marketer: User, launched: Campaign, language: str
) -> None:
    send_all()
    screen = open_screen(marketer, language)
    page = screen.go("/admin/")
    for text in WORDS[language]["overview"]:
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.locator(".lcx-tile strong").first).to_have_text(str(PEOPLE))
    expect(page.locator("#chart-sends [data-drawn=true] canvas")).to_be_visible()
    text = page.locator("body").inner_text()
    assert [word for word in WORDS[language]["foreign"] if word in text] == []
    screen.shoot("overview")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_report_shows_every_figure_with_its_parts(
    open_screen: Callable[..., Screen], marketer: User, launched: Campaign, language: str
) -> None:
    send_all()
    convert(launched, 5)
    sent = Message.objects.filter(sent_at__isnull=False).count()
    screen = open_screen(marketer, language)
    page = screen.go(f"/admin/reports/{launched.slug}/")
    for text in WORDS[language]["report"]:
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.locator("#chart-funnel [data-drawn=true] canvas")).to_be_visible()
    page.locator("#chart-funnel summary").click()
    rows = page.locator("#chart-funnel tbody tr")
    assert rows.nth(0).locator("td").nth(1).inner_text() == str(PEOPLE)
    assert rows.nth(2).locator("td").nth(1).inner_text() == str(sent)
    assert rows.nth(5).locator("td").nth(1).inner_text() == "0"  # clicked and converted
    assert rows.nth(6).locator("td").nth(1).inner_text() == "5"  # converted in all
    text = page.locator("body").inner_text()
    assert [word for word in WORDS[language]["foreign"] if word in text] == []
    screen.shoot("report")


def test_the_language_is_switched_in_the_header_and_stays(
    open_screen: Callable[..., Screen], marketer: User
) -> None:
    page = open_screen(marketer, "zh-hans").go("/admin/")
    expect(page.get_by_text("还没有客户")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("Nobody is here yet")).to_be_visible()
    page.goto(page.url)
    expect(page.get_by_text("Nobody is here yet")).to_be_visible()


_TEXTS = """id => {
  const element = document.querySelector(`#chart-${id} .lcx-chart`);
  const chart = echarts.getInstanceByDom(element);
  const told = chart.getZr().storage.getDisplayList(true).filter(one => one.type === 'tspan');
  return {width: chart.getWidth(), height: chart.getHeight(), texts: told.map(one => {
    const box = one.getBoundingRect().clone();
    if (one.transform) box.applyTransform(one.transform);
    return [one.style.text, box.x, box.y, box.x + box.width, box.y + box.height];
  })};
}"""
Text = tuple[str, float, float, float, float]


def _settled(page: Page, chart: str) -> Any:
    """Return a chart's texts once they stand still: it moves into its places when it is drawn."""
    before, found = None, page.evaluate(_TEXTS, chart)
    while found != before:
        page.wait_for_timeout(250)
        before, found = found, page.evaluate(_TEXTS, chart)
    return found


def overlapping(texts: list[Text]) -> list[tuple[str, str]]:
    """Return the texts of a chart that lie on each other by more than a pixel."""
    return [
        (one, other)
        for (one, *a), (other, *b) in combinations(texts, 2)
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_text_of_a_chart_lies_on_another_or_over_the_edge(
    open_screen: Callable[..., Screen],
    marketer: User,
    launched: Campaign,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    send_all()
    convert(launched, 5)
    draw = charts.heat_map

    def draw_ripe(*args: Any, **kwargs: Any) -> Chart:
        """Draw it as a year after the campaign, when every month has a rate."""
        series = {
            name: [replace(figure, value=0.881 + (figure.window.length or 0) / 100)
                   for figure in figures]
            for name, figures in args[2].items()
        }  # fmt: skip
        return draw(*args[:2], series, **kwargs)

    monkeypatch.setattr(charts, "heat_map", draw_ripe)
    screen = open_screen(marketer, language)
    for width in (1280, 1920, 390):
        screen.page.set_viewport_size({"width": width, "height": 900})
        page = screen.go(f"/admin/reports/{launched.slug}/")
        expect(page.locator("#chart-retention [data-drawn=true]")).to_be_visible()
        for chart in ("retention", "funnel"):
            found = _settled(page, chart)
            assert overlapping(found["texts"]) == []
            outside = [
                text
                for text, left, top, right, bottom in found["texts"]
                if left < -1
                or top < -1
                or right > found["width"] + 1
                or bottom > found["height"] + 1
            ]
            assert outside == []
        rates = [text[0] for text in _settled(page, "retention")["texts"] if "%" in text[0]]
        assert len(rates) == 24
        screen.shoot(f"heat_map_{width}")
