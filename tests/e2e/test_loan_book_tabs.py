"""The tabs of the loan book in a browser: drawn, worded in both languages, open to the loans."""

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from analytics.services.credit import loan_book
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from tests.e2e.conftest import Screen
from tests.factories.loans import make_loan
from tests.factories.people import make_people

WORDS = {
    "zh-hans": {
        "vintages": ["账龄三角", "放款月份", "按金额"],
        "rolls": ["月度滚动率", "期初阶段", "流转率"],
        "stages": ["未结清贷款的风险阶段", "违约损失率", "内置假设"],
        "foreign": ["Vintages", "Bucket", "Stage ", "Loss given default", "Outstanding"],
    },
    "en": {
        "vintages": ["Triangle of vintages", "Month of disbursement", "by amount"],
        "rolls": ["Roll rates within a month", "Bucket before", "Flow rates"],
        "stages": ["Open loans by stage", "Loss given default", "Built-in assumption"],
        "foreign": ["账龄", "逾期", "阶段", "违约"],
    },
}


@pytest.fixture
def reader(db: None) -> User:
    """Somebody who may see everything, with a book of six late loans."""
    year = clock.today().year - 1
    for number, person in enumerate(make_people(6)):
        make_loan(
            person,
            f"L{number}",
            date(year, 1 + number % 3, 10),
            dpd_days=100,
            status="overdue",
            outstanding_amount=1200,
        )
    loan_book.derive_loan_book(actor=system_actor("test"), as_of=clock.today(), now=clock.now())
    return User.objects.create_superuser("reader")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_tabs_are_drawn_and_a_cell_opens_its_loans(
    open_screen: Callable[..., Screen], reader: User, language: str
) -> None:
    screen = open_screen(reader, language)
    page = screen.go("/admin/reports/loans/book/")
    for name in ("vintages", "rolls", "stages"):
        page.locator(f".lcx a[href='/admin/reports/loans/{name}/']").click()
        page.wait_for_url(f"**/loans/{name}/")
        for text in WORDS[language][name]:
            expect(page.get_by_text(text).first).to_be_visible()
        text = page.locator(".lcx").inner_text()
        assert [word for word in WORDS[language]["foreign"] if word in text] == []
        screen.shoot(f"loan-book-{name}")
    screen.go("/admin/reports/loans/vintages/?days=90")
    expect(page.locator("#chart-vintage-triangle [data-drawn=true] canvas").first).to_be_visible()
    expect(page.locator("#chart-vintage-curves [data-drawn=true] canvas").first).to_be_visible()
    page.locator("#triangle tbody tr").first.locator("td.lcx-num a").first.click()
    expect(page.locator("#loans tbody tr")).to_have_count(2)
    expect(page.locator("#loans")).to_contain_text("L0")
