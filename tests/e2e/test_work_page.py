"""The page of all long work, in both languages: progress, what is stuck, and a button."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from analytics.jobs import DISCOVERY
from analytics.models import DiscoveryRun
from customers.jobs import DUPLICATE_SEARCH, IMPORT
from customers.labels import SEARCH_STEPS
from customers.labels.imports import IMPORT_STATES
from customers.models import DuplicateSearch, ImportBatch
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work import service
from tests.e2e.conftest import Screen

WORDS = {
    "zh-hans": {
        "stuck": "停滞", "cancel": "取消", "asked": "当前批次完成后取消", "none": "暂无后台任务",
    },
    "en": {
        "stuck": "Stuck", "cancel": "Cancel", "asked": "will be cancelled", "none": "No work yet",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_job, **_facts: None)


def _running(work: Work, step: str, done: int, total: int, silent_seconds: float) -> None:
    Work.objects.filter(pk=work.pk).update(
        state=WorkState.RUNNING,
        step=step,
        done_count=done,
        total_count=total,
        heartbeat_at=Moment(-silent_seconds),
    )


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_all_long_work_stands_on_one_page_and_is_steered_there(
    open_screen: Callable[..., Screen], language: str
) -> None:
    root = User.objects.create_superuser("operator")
    words, actor, now = WORDS[language], user_actor(root), clock.now()
    screen = open_screen(root, language)
    page = screen.go("/admin/work/")
    expect(page.get_by_text(words["none"])).to_be_visible()
    screen.shoot("work_empty")
    reading = service.start(kind=IMPORT, actor=actor, now=now, title="customers.csv")
    ImportBatch.objects.create(
        work=reading,
        source="crm",
        file_name="customers.csv",
        actor_label="operator",
        created_at=now,
    )
    _running(reading, IMPORT_STATES.phrase("staging"), 61_000, 184_000, 2)
    search = service.start(kind=DUPLICATE_SEARCH, actor=actor, now=now)
    DuplicateSearch.objects.create(work=search, limit=1)
    _running(search, SEARCH_STEPS.phrase("compare"), 1_500, 4_000, 90)
    found = service.start(kind=DISCOVERY, actor=actor, now=now, title="RFM")
    DiscoveryRun.objects.create(work=found, method="rfm", parameters={})
    Work.objects.filter(pk=found.pk).update(state=WorkState.DONE, done_count=1, total_count=1)

    screen.go("/admin/work/")
    expect(page.locator("tbody tr")).to_have_count(3)
    screen.shoot("work")
    page.get_by_role("navigation").get_by_role("link", name=words["stuck"]).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name=words["cancel"]).click()
    expect(page.get_by_text(words["asked"])).to_be_visible()

    search.refresh_from_db()
    assert search.requested_action == "cancel"
