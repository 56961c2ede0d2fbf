"""RFM and look-alikes from the form to the result and on to a segment, in both languages."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from analytics.models import DiscoveryRun
from analytics.services import discovery_runs
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    EventType,
    Segment,
    SegmentMember,
)
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.work import service
from tests.e2e.conftest import Screen
from tests.factories.people import make_people

LANGUAGES = ["zh-hans", "en"]
WORDS = {
    "zh-hans": {
        "rfm": "RFM 五分位", "lookalike": "相似客户", "start": "开始运行", "make": "建为人群",
        "counts": "还款", "groups": "分组", "valued": "重要价值客户",
        "lift": "优于随机", "decides": "决定相似度的因素", "balance": "余额",
        "none": "没有结果", "why": "种子",
    },
    "en": {
        "rfm": "RFM quintiles", "lookalike": "Look-alikes", "start": "Start the search",
        "make": "Make a segment of it", "counts": "repayment made", "groups": "Groups found",
        "valued": "Important, valued", "lift": "Better than chance",
        "decides": "What decides about resemblance", "balance": "balance",
        "none": "Nothing found", "why": "seed",
    },
}  # fmt: skip
SEEDS = 220


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


def _work() -> None:
    """Do the search that waits, as a worker would."""
    run = DiscoveryRun.objects.latest("pk")
    discovery_runs.run(work_id=run.work_id, now=clock.now())


def _begin(screen: Screen, method: str) -> Page:
    page = screen.go("/admin/discoveries/")
    page.get_by_role("link", name=method).last.click()
    page.locator("form.lcx-form").wait_for()
    return page


def _repaying() -> list[Customer]:
    """Thirty people: the first ten repaid lately, often and much, the last ten once long ago."""
    people = make_people(30, prefix="r")
    kind = EventType.objects.get_or_create(name="repayment_made")[0]
    now = clock.now()
    Event.objects.bulk_create(
        Event(
            customer=person,
            type=kind,
            occurred_at=now - timedelta(days=2 + number * 10 + turn),
            received_at=now,
            amount=Decimal(3000 - number * 90),
            source="test",
            dedup_key=f"{number}-{turn}",
        )
        for number, person in enumerate(people)
        for turn in range(1 + (29 - number) // 5)
    )
    return people


@pytest.mark.parametrize("language", LANGUAGES)
def test_c13_rfm_groups_are_searched_shown_and_kept_as_a_segment(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    people = _repaying()
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = _begin(screen, words["rfm"])
    expect(page.locator("#id_event option:checked")).to_have_text(words["counts"])
    page.locator("#id_within_days").fill("400")
    screen.shoot("discovery_rfm_form")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    _work()

    expect(page.locator("h2", has_text=words["groups"])).to_be_visible(timeout=15_000)
    page.locator("[data-drawn]").nth(1).wait_for()
    expect(page.locator(".lcx-facts")).to_contain_text("400")
    rows = page.locator(".lcx-table").first.locator("tbody tr")
    expect(rows).to_have_count(8)
    valued = rows.filter(has_text=words["valued"]).first
    expect(valued).to_contain_text("rfm-important-value")
    screen.shoot("discovery_rfm_result")
    valued.get_by_role("button", name=words["make"]).click()
    page.wait_for_url("**/segment/*/change/")
    own = Segment.objects.get(slug__startswith="rfm-important-value-")
    members = SegmentMember.objects.filter(segment=own, left_at__isnull=True)
    chosen = set(members.values_list("customer_id", flat=True))
    assert people[0].pk in chosen
    assert people[-1].pk not in chosen


def _alike(marketer: User, *, seeds: int) -> None:
    """A seed segment of people with a high balance, more people like them, and others."""
    people = make_people(700, prefix="l")
    rng = np.random.default_rng(5)
    kind = AttributeDefinition.objects.create(
        name="balance", value_type="number", label_zh="余额", label_en="balance"
    )
    now = clock.now()
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person,
            definition=kind,
            number=round(float(rng.normal(9000 if number < 260 else 3000, 700)), 2),
            updated_at=now,
        )
        for number, person in enumerate(people)
    )
    versions.replace_members(
        actor=user_actor(marketer),
        slug="best",
        name="优质客户",
        customer_ids=[person.pk for person in people[:seeds]],
        source="file",
        now=now,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_c14_look_alikes_show_their_lift_and_what_decides(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    _alike(marketer, seeds=SEEDS)
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = _begin(screen, words["lookalike"])
    page.locator("#id_seed_segment").select_option(label="优质客户")
    page.locator("#id_share").fill("20")
    page.get_by_role("checkbox", name=words["balance"], exact=True).check()
    # What nobody may be grouped by is not there to be chosen.
    expect(page.locator("input[value=gender]")).to_have_count(0)
    screen.shoot("discovery_lookalike_form")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    _work()

    tile = page.locator(".lcx-tile", has_text=words["lift"])
    expect(tile).to_be_visible(timeout=15_000)
    result = DiscoveryRun.objects.get().result
    lift = result["lift"]
    assert lift["value"] > lift["low"] > 1
    expect(tile).to_contain_text(f"{lift['value']:.2f}×")
    expect(tile).to_contain_text(str(lift["held_out"]))
    page.locator("[data-drawn]").nth(1).wait_for()
    expect(page.locator("body")).to_contain_text(words["decides"])
    row = page.locator(".lcx-table").first.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(str(result["groups"][0]["size"]))
    screen.shoot("discovery_lookalike_result")
    assert result["groups"][0]["size"] == (700 - SEEDS) / 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_c14_a_seed_that_is_too_small_is_explained_on_the_page(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    _alike(marketer, seeds=20)
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = _begin(screen, words["lookalike"])
    page.locator("#id_seed_segment").select_option(label="优质客户")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    _work()

    expect(page.locator(".lcx-badge", has_text=words["none"])).to_be_visible(timeout=15_000)
    expect(page.locator(".lcx-note")).to_contain_text(words["why"])
    expect(page.locator(".lcx-note")).to_contain_text("200")
    screen.shoot("discovery_lookalike_refused")
