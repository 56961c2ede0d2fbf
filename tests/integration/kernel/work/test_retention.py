"""Long work that is over for long is removed with its subject; imports and open work stay."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.jobs import DISCOVERY
from analytics.models import DiscoveryRun
from customers.jobs import DUPLICATE_SEARCH, IMPORT, IMPORT_UNDO
from customers.models import DuplicateSearch, ImportBatch
from loancrm.kernel.models import Work, WorkState
from loancrm.kernel.work import retention
from tests.integration.kernel.work.rows import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
DAY = timedelta(days=1)


def _work(kind: str, state: WorkState, days: int) -> Work:
    ended = NOW - days * DAY
    is_over = state not in {WorkState.WAITING, WorkState.RUNNING, WorkState.PAUSED}
    work = Work.objects.create(
        kind=kind,
        state=state,
        created_at=ended,
        finished_at=ended if is_over else None,
    )
    match kind:
        case "customers.duplicate_search":
            DuplicateSearch.objects.create(work=work, limit=1)
        case "analytics.discovery":
            DiscoveryRun.objects.create(work=work, method="rfm", parameters={})
        case _:
            ImportBatch.objects.create(work=work, source="t", file_name="t", created_at=ended)
    return work


def test_only_what_is_over_for_long_goes_with_its_subject(settings: Any) -> None:
    assert settings.LOANCRM_WORK_DAYS == 180
    over = (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)
    open_ = (WorkState.WAITING, WorkState.RUNNING, WorkState.PAUSED)
    for kind in (DUPLICATE_SEARCH, DISCOVERY):
        for state in over:
            _work(kind, state, days=181)
    stays = [
        *(_work(kind, state, days=400) for kind in (IMPORT, IMPORT_UNDO) for state in over),
        *(_work(DUPLICATE_SEARCH, state, days=400) for state in open_),
        *(_work(DISCOVERY, state, days=179) for state in over),
    ]

    assert retention.remove_old_work(now=NOW) == 6

    assert set(Work.objects.values_list("pk", flat=True)) == {work.pk for work in stays}
    counts = (DuplicateSearch.objects.count(), DiscoveryRun.objects.count())
    assert (*counts, ImportBatch.objects.count()) == (3, 3, 6)
    settings.LOANCRM_WORK_DAYS = 100
    assert retention.remove_old_work(now=NOW) == 3


def test_more_than_a_page_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_PAGE", 2)
    for _time in range(5):
        _work(DISCOVERY, WorkState.DONE, days=200)
    assert retention.remove_old_work(now=NOW) == 5
    assert not Work.objects.exists()
