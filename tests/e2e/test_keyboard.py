"""With the keyboard alone: past the menu with one key, to the first error at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from campaigns.models import Campaign
from tests.e2e.conftest import Screen
from tests.factories.campaigns import make_channel

SKIP = {"zh-hans": "跳到正文", "en": "Skip to the content"}
# Luminance and contrast of WCAG 2.2; AA asks for 4.5 : 1.
CONTRAST = """(element) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  let behind = element;
  while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255)
    behind = behind.parentElement;
  const paper = behind ? getComputedStyle(behind).backgroundColor : "#fff";
  const [one, other] = [light(rgba(getComputedStyle(element).color)), light(rgba(paper))].sort();
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f6_one_key_leads_past_the_menu_to_the_fields(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    make_channel("email")
    screen = open_screen(marketer, language)
    page = screen.go("/admin/campaigns/campaign/add/")

    page.keyboard.press("Tab")
    expect(page.get_by_text(SKIP[language])).to_be_focused()
    page.keyboard.press("Enter")
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || ''"))

    assert "name" in reached


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f6_a_refused_form_begins_at_its_first_error(
    open_screen: Callable[..., Screen], marketer: User, segment: Any, language: str
) -> None:
    make_channel("email")
    screen = open_screen(marketer, language)
    page = screen.go("/admin/campaigns/campaign/add/")
    page.evaluate("document.querySelector('#content form').noValidate = true")
    page.locator("#content form [type=submit][data-kind=primary]").click()
    page.locator(":focus[aria-invalid]").wait_for()

    focused = page.evaluate(
        "[document.activeElement.name, document.activeElement.getAttribute('aria-invalid')]"
    )

    assert focused == ["name", "true"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_f6_the_labels_of_steps_can_be_read(
    open_screen: Callable[..., Screen], marketer: User, launched: Campaign, theme: str
) -> None:
    screen = open_screen(marketer, "en")
    page = screen.go("/admin/")
    page.evaluate("theme => localStorage.setItem('adminTheme', JSON.stringify(theme))", theme)
    page = screen.go(f"/admin/campaigns/campaign/{launched.pk}/change/")
    page.evaluate(
        "theme => document.documentElement.classList.toggle('dark', theme === 'dark')", theme
    )
    screen.shoot(f"steps_{theme}")

    labels = page.locator(".lcx-steps li").all()
    ratios = {label.inner_text(): label.evaluate(CONTRAST) for label in labels}

    assert len(ratios) == 5
    assert min(ratios.values()) >= 4.5, ratios
