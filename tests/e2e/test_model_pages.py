"""Train a model from one's own data, read it, approve and promote it, in both languages."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from analytics.models import ModelVersion, RegisteredModel, TrainingRun
from analytics.services.modelling import life, scoring, training_runs
from customers.models import Score
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.work import service
from tests.e2e.conftest import Screen
from tests.factories.book_to_learn import make_book

PEOPLE = 400
WORDS = {
    "zh-hans": {
        "none": "暂无模型", "train": "训练违约风险模型", "start": "开始训练", "approve": "批准",
        "promote": "设为冠军", "champion": "冠军", "card": "模型卡", "income": "月收入",
        "second": "须由第二人批准", "scored": "已保存", "probability": "概率",
    },
    "en": {
        "none": "No model yet", "train": "Train a model of default risk",
        "start": "Start the training", "approve": "Approve", "promote": "Make it champion",
        "champion": "Champion", "card": "Model card", "income": "monthly income",
        "second": "A second person has to approve it", "scored": "stored",
        "probability": "Probability",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)
    monkeypatch.setattr(life, "enqueue", lambda *_job, **_facts: None)


@pytest.mark.parametrize("language", list(WORDS))
def test_s83_a_model_is_trained_read_approved_by_another_and_promoted(
    open_screen: Callable[..., Screen], marketer: User, approver: User, language: str
) -> None:
    words = WORDS[language]
    make_book(PEOPLE, now=clock.now())
    screen = open_screen(marketer, language)
    page = screen.go(reverse("models:index"))
    expect(page.locator("body")).to_contain_text(words["none"])
    page.get_by_role("link", name=words["train"]).click()
    page.locator("#id_months").fill("6")
    screen.shoot("model_form")
    page.get_by_role("button", name=words["start"]).click()
    page.locator("progress").wait_for()
    run = TrainingRun.objects.get()
    training_runs.run(work_id=run.work_id, now=clock.now())

    # The page brings itself up to date, and leads to the result.
    page.wait_for_url("**/models/version/*/", timeout=15_000)
    page.locator("[data-drawn]").nth(2).wait_for()
    expect(page.locator("h2", has_text=words["card"])).to_be_visible()
    expect(page.locator("h3", has_text=words["income"])).to_be_visible()
    expect(page.locator("body")).to_contain_text(words["second"])
    screen.shoot("model_version")

    version = ModelVersion.objects.get()
    other = open_screen(approver, language)
    page = other.go(reverse("models:version", args=[version.pk]))
    page.get_by_role("button", name=words["approve"]).click()
    page.get_by_role("button", name=words["promote"]).click()
    expect(page.locator(".lcx-badge").first).to_have_text(words["champion"])
    page.locator("input[name=person]").fill("b7")
    page.locator("input[name=person]").press("Enter")
    expect(page.locator(".lcx-facts").last).to_contain_text(words["probability"])
    other.shoot("model_champion")

    scoring.score_model(actor=system_actor("test"), model_id=version.model_id, now=clock.now())
    page = other.go(reverse("models:model", args=[RegisteredModel.objects.get().pk]))
    expect(page.locator("body")).to_contain_text(words["scored"])
    page.locator("[data-drawn]").first.wait_for()
    other.shoot("model")
    assert Score.objects.filter(model_name="default_risk", is_latest=True).count() == PEOPLE
