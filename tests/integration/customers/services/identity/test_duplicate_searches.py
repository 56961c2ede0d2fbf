"""Searches for duplicates in the background."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.models import DuplicateSearch, MergeDecision
from customers.services.identity import duplicate_searches, duplicates
from customers.services.identity.duplicate_searches import SearchRunning
from loancrm.kernel import access
from loancrm.kernel.access import Actor, PermissionRefused
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.work import claims, service
from tests.integration.customers.import_rows import loader, person
from tests.kills import let_claims_run_out

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs are noted and nobody takes them."""
    ids: list[int] = []
    monkeypatch.setattr(service, "enqueue", lambda _job, *, work_id: ids.append(work_id))
    return ids


@pytest.fixture
def twice(tmp_path: Path) -> None:
    """Forty people, eight of them twice."""
    rows = [
        person(number, born=f"{1960 + number}-03-1{number % 9}", email=f"u{number}@example.com")
        for number in range(40)
    ]
    again = [
        row | {"id": f"D{at}", "phone": f"139{at:08d}", "name": row["name"] + "平"}
        for at, row in enumerate(rows[:8])
    ]
    loader(tmp_path)(rows + again)


def _run(search: DuplicateSearch, now: datetime) -> DuplicateSearch:
    duplicate_searches.run(work_id=search.work_id, now=now, today=now.date())
    return DuplicateSearch.objects.select_related("work").get(pk=search.pk)


def test_a11_a_search_proposes_pairs_and_merges_nobody(
    twice: None, sent: list[int], actor: Actor, now: datetime
) -> None:
    search = duplicate_searches.start(actor=actor, now=now)
    assert sent == [search.work_id]
    assert AuditEntry.objects.get(action="customers.search_duplicates").facts["limit"] == 200_000

    done = _run(search, now)

    assert (done.work.state, done.compared_count, done.proposed_count) == ("done", 48, 8)
    assert MergeDecision.objects.filter(state="proposed").count() == 8


def test_a11_page_by_page_the_same_pairs_are_proposed_with_progress(
    twice: None, actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "IN_MEMORY", 10)

    done = _run(duplicate_searches.start(actor=actor, now=now), now)

    assert (done.work.state, done.compared_count, done.proposed_count) == ("done", 48, 8)
    assert done.work.step == "比对客户对"
    assert done.work.done_count == done.work.total_count > 0


def test_one_search_at_a_time(twice: None, actor: Actor, now: datetime) -> None:
    first = duplicate_searches.start(actor=actor, now=now)
    with pytest.raises(SearchRunning):
        duplicate_searches.start(actor=actor, now=now + timedelta(minutes=14))

    _run(first, now)

    assert duplicate_searches.start(actor=actor, now=now).work.state == "waiting"


def test_a_search_is_done_once(actor: Actor, now: datetime) -> None:
    search = _run(duplicate_searches.start(actor=actor, now=now), now)
    again = _run(search, now + timedelta(hours=1))

    assert again.work.finished_at == search.work.finished_at


def test_a_search_is_cancelled_at_its_next_step(
    twice: None, actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "IN_MEMORY", 10)
    search = duplicate_searches.start(actor=actor, now=now)
    service.request_action(actor=actor, work_id=search.work_id, action=WorkAction.CANCEL, now=now)

    assert _run(search, now).work.state == "cancelled"
    assert not MergeDecision.objects.exists()


def test_a_search_that_is_cancelled_just_before_its_end_proposes_nothing(
    twice: None, actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = duplicate_searches.start(actor=actor, now=now)
    propose = duplicates._propose

    def late(*given: Any) -> None:
        propose(*given)
        service.request_action(
            actor=actor, work_id=search.work_id, action=WorkAction.CANCEL, now=now
        )

    monkeypatch.setattr(duplicates, "_propose", late)
    done = _run(search, now)

    assert (done.work.state, done.proposed_count) == ("cancelled", 0)
    assert not MergeDecision.objects.exists()


def test_a_search_that_breaks_says_so(
    actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(duplicate_searches, "find_duplicates", broken)
    search = duplicate_searches.start(actor=actor, now=now)

    with pytest.raises(RuntimeError):
        _run(search, now)

    search.work.refresh_from_db()
    assert search.work.state == "failed"


def test_who_may_not_merge_starts_no_search(django_user_model, now: datetime) -> None:
    reader = access.user_actor(django_user_model.objects.create_user("reader"))

    with pytest.raises(PermissionRefused):
        duplicate_searches.start(actor=reader, now=now)

    assert not DuplicateSearch.objects.exists()


def test_d_a_search_whose_worker_is_lost_is_done_by_another(
    twice: None, sent: list[int], actor: Actor, now: datetime
) -> None:
    search = duplicate_searches.start(actor=actor, now=now)
    assert claims.claim(search.work_id, now=now)
    sent.clear()

    assert service.wake() == 0
    let_claims_run_out()
    assert service.wake() == 1
    assert sent == [search.work_id]
    assert _run(search, now + timedelta(minutes=22)).work.state == "done"


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_worker_that_was_taken_for_lost_writes_nothing_about_the_search_of_another(
    twice: None,
    actor: Actor,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    is_broken: bool,
) -> None:
    whole = duplicate_searches.find_duplicates

    def stalled(*, on_progress, **_given: object):
        monkeypatch.setattr(duplicate_searches, "find_duplicates", whole)
        let_claims_run_out()
        assert _run(search, now).work.state == "done"
        if is_broken:
            raise RuntimeError
        on_progress("compare", 1, 99)
        raise AssertionError("it went on")

    monkeypatch.setattr(duplicate_searches, "find_duplicates", stalled)
    search = duplicate_searches.start(actor=actor, now=now)

    if is_broken:
        with pytest.raises(RuntimeError):
            _run(search, now)
    else:
        _run(search, now)

    found = DuplicateSearch.objects.select_related("work").get()
    assert (found.work.state, found.work.last_error, found.proposed_count) == ("done", "", 8)
    assert found.work.total_count != 99
