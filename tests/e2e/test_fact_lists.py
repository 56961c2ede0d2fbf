"""A list of facts keeps room for its values, however long their names are."""

from pathlib import Path

from django.conf import settings
from playwright.sync_api import Browser

STYLES = Path(settings.BASE_DIR) / "loancrm" / "static" / "loancrm" / "admin.css"
FACT = "<dt>bureau report: most days past due in 24 months</dt><dd>12 days 2026-11-30</dd>"


def test_a_long_name_leaves_half_of_a_narrow_card_to_the_value(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        f"<style>{STYLES.read_text(encoding='utf-8')}</style>"
        f'<div style="width: 310px"><dl class="lcx-facts">{FACT}</dl></div>'
    )

    value = page.locator("dd").bounding_box()

    page.close()
    assert value is not None
    assert value["width"] >= 120
