"""Targeting through its three steps to the result and on to a campaign, in both languages."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from analytics.models import TargetingRun
from analytics.services.targeting import runs
from customers.models import SegmentMember
from loancrm.kernel import clock
from loancrm.kernel.work import service
from tests.e2e.conftest import Screen
from tests.factories.campaigns import make_channel
from tests.factories.people import make_people
from tests.factories.scored import give_scores

LANGUAGES = ["zh-hans", "en"]
WORDS = {
    "zh-hans": {
        "begin": "从“选谁”开始", "next": "下一步", "start": "选出客户", "best": "最优选择",
        "random": "随机", "make": "用它创建活动", "none": "还没有任何模型评过分",
    },
    "en": {
        "begin": "Begin with whom", "next": "Next step", "start": "Choose the people",
        "best": "best choice there is", "random": "At random", "make": "Make a campaign with it",
        "none": "no model has scored anybody yet",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


def _scored() -> list[int]:
    people = make_people(60, prefix="t")
    now = clock.now()
    give_scores(people, "uplift_cash", lambda at: 0.03 - 0.001 * at, now)
    give_scores(people, "response", lambda at: 0.01 + 0.001 * at, now)
    give_scores(people, "pd", lambda at: 0.5 if at % 10 == 9 else 0.03, now)
    make_channel("sms", cost_per_part="0.045", name="短信")
    return [person.pk for person in people]


@pytest.mark.parametrize("language", LANGUAGES)
def test_h22_three_steps_end_in_a_segment_with_its_offer(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    people = _scored()
    words = WORDS[language]
    screen = open_screen(marketer, language)
    page = screen.go("/admin/targeting/")
    page.get_by_role("link", name=words["begin"]).click()

    page.locator("#id_name").fill("Spring")
    page.locator("#id_slug").fill("spring")
    page.locator("#id_uplift").select_option("uplift_cash")
    page.locator("#id_response").select_option("response")
    page.locator("#id_pd").select_option("pd")
    screen.shoot("targeting_whom")
    page.get_by_role("button", name=words["next"]).click()

    page.locator("#id_offers-0-name").fill("Cash")
    page.locator("#id_offers-0-margin").fill("1800")
    page.locator("#id_offers-0-lgd").fill("65")
    page.locator("#id_offers-0-ead").fill("20000")
    page.locator("input[name=channels]").check()
    screen.shoot("targeting_what")
    page.get_by_role("button", name=words["next"]).click()

    page.locator("#id_people").fill("10")
    page.locator("#id_pd").fill("10")
    screen.shoot("targeting_how_much")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    run = TargetingRun.objects.latest("pk")
    runs.run(work_id=run.work_id, now=clock.now())

    expect(page.locator("[data-targeting=gap]")).to_contain_text(words["best"], timeout=15_000)
    page.locator("[data-drawn]").first.wait_for()
    expect(page.locator("[data-targeting=comparison]")).to_contain_text(words["random"])
    expect(page.locator("[data-targeting=caps]")).to_contain_text("10")
    screen.shoot("targeting_result")
    members = SegmentMember.objects.filter(segment__slug="target-spring-cash", left_at=None)
    chosen = set(members.values_list("customer_id", flat=True))
    assert chosen == {people[at] for at in (*range(9), 10)}

    page.get_by_role("link", name=words["make"]).first.click()
    page.wait_for_url("**/campaign/add/?segment=*")
    expect(page.locator("#id_segment option:checked")).to_contain_text("Spring · Cash")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_scores_the_page_says_what_to_do_next(
    open_screen: Callable[..., Screen], marketer: User, language: str
) -> None:
    page = open_screen(marketer, language).go("/admin/targeting/")
    expect(page.locator(".lcx-empty")).to_contain_text(WORDS[language]["none"])
    expect(page.locator(".lcx-empty a")).to_have_attribute("href", "/admin/discoveries/")
