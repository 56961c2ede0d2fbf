"""The review queue of duplicates in a browser: compare, merge, take it back."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from customers.models import Customer, MergeDecision
from loancrm.kernel import clock
from tests.e2e.conftest import Screen

WORDS = {
    "zh-hans": {
        "merged": "两位客户已合并为一位。",
        "back": "撤销合并",
        "parted": "合并已撤销。",
        "into": "合并到",
    },
    "en": {
        "merged": "The two customers are one now.",
        "back": "Take the merge back",
        "parted": "The merge was taken back.",
        "into": "Merge into",
    },
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a11_a12_a_pair_is_compared_merged_and_parted(
    open_screen: Callable[..., Screen], people: list[Customer], language: str
) -> None:
    words = WORDS[language]
    kept, other = people[:2]
    steward = User.objects.create_superuser("steward")
    decision = MergeDecision.objects.create(
        kept=kept, other=other, matched_by="likeness", probability=0.87, created_at=clock.now()
    )
    screen = open_screen(steward, language)
    page = screen.go("/admin/customers/mergedecision/")
    page.get_by_role("link", name=f"#{kept.pk} · #{other.pk}").click()
    page.wait_for_url(f"**/mergedecision/{decision.pk}/change/")
    expect(page.get_by_text("87.0%")).to_be_visible()
    expect(page.locator(".lcx-table")).to_contain_text("客**")
    screen.shoot("merge_review")

    page.get_by_role("button", name=f"{words['into']} #{kept.pk}").click()
    expect(page.get_by_text(words["merged"])).to_be_visible()
    assert Customer.objects.get(pk=other.pk).merged_into_id == kept.pk

    page.get_by_role("button", name=words["back"]).click()
    expect(page.get_by_text(words["parted"])).to_be_visible()
    assert Customer.objects.get(pk=other.pk).merged_into_id is None
