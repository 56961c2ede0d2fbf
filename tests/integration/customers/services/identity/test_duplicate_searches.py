"""Searches for duplicates in the background."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from customers.models import DuplicateSearch, MergeDecision
from customers.services.identity import duplicate_searches, duplicates
from customers.services.identity.duplicate_searches import SearchRunning
from loancrm.kernel import access
from loancrm.kernel.access import Actor, PermissionRefused
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import AuditEntry
from tests.integration.customers.import_rows import loader, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs are noted and nobody takes them."""
    ids: list[int] = []
    monkeypatch.setattr(
        duplicate_searches, "enqueue", lambda _job, *, search_id: ids.append(search_id)
    )
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
    duplicate_searches.run(search_id=search.pk, read_clock=lambda: now, today=now.date())
    search.refresh_from_db()
    return search


def test_a11_a_search_proposes_pairs_and_merges_nobody(
    twice: None, sent: list[int], actor: Actor, now: datetime
) -> None:
    search = duplicate_searches.start(actor=actor, now=now)
    assert sent == [search.pk]
    assert AuditEntry.objects.get(action="customers.search_duplicates").facts["limit"] == 200_000

    done = _run(search, now)

    assert (done.state, done.compared_count, done.proposed_count) == ("done", 48, 8)
    assert MergeDecision.objects.filter(state="proposed").count() == 8


def test_a11_page_by_page_the_same_pairs_are_proposed_with_progress(
    twice: None, actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "IN_MEMORY", 10)

    done = _run(duplicate_searches.start(actor=actor, now=now), now)

    assert (done.state, done.compared_count, done.proposed_count) == ("done", 48, 8)
    assert done.step == "compare"
    assert done.done_count == done.total_count > 0


def test_one_search_at_a_time_and_a_silent_one_is_given_up(actor: Actor, now: datetime) -> None:
    first = duplicate_searches.start(actor=actor, now=now)
    with pytest.raises(SearchRunning):
        duplicate_searches.start(actor=actor, now=now + timedelta(minutes=14))

    DuplicateSearch.objects.update(heard_at=Moment(-16 * 60))
    second = duplicate_searches.start(actor=actor, now=now + timedelta(minutes=16))

    first.refresh_from_db()
    assert (first.state, second.state) == ("failed", "queued")
    assert first.problem


def test_a_search_is_carried_out_once(actor: Actor, now: datetime) -> None:
    search = _run(duplicate_searches.start(actor=actor, now=now), now)
    _run(search, now + timedelta(hours=1))

    assert search.finished_at == now


def test_a_search_that_breaks_says_so(
    actor: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(duplicate_searches, "find_duplicates", broken)
    search = duplicate_searches.start(actor=actor, now=now)

    with pytest.raises(RuntimeError):
        _run(search, now)

    search.refresh_from_db()
    assert search.state == "failed"


def test_who_may_not_merge_starts_no_search(django_user_model, now: datetime) -> None:
    reader = access.user_actor(django_user_model.objects.create_user("reader"))

    with pytest.raises(PermissionRefused):
        duplicate_searches.start(actor=reader, now=now)

    assert not DuplicateSearch.objects.exists()


def test_d_a_search_whose_worker_is_lost_wakes_up_and_ends_when_too_old(
    twice: None, sent: list[int], actor: Actor, now: datetime
) -> None:
    search = duplicate_searches.start(actor=actor, now=now)
    DuplicateSearch.objects.update(state="running", heard_at=Moment(-10 * 60))
    sent.clear()

    assert duplicate_searches.wake(now=now + timedelta(minutes=10)) == 0
    DuplicateSearch.objects.update(heard_at=Moment(-20 * 60))
    assert duplicate_searches.wake(now=now + timedelta(minutes=20)) == 1
    assert duplicate_searches.wake(now=now + timedelta(minutes=21)) == 0
    assert sent == [search.pk]
    assert _run(search, now + timedelta(minutes=22)).state == "done"

    DuplicateSearch.objects.update(state="running", heard_at=Moment(-20 * 60))
    assert duplicate_searches.wake(now=now + timedelta(hours=13)) == 0
    search.refresh_from_db()
    assert search.state == "failed"


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
        DuplicateSearch.objects.update(heard_at=Moment(-20 * 60))
        assert duplicate_searches.wake(now=now) == 1
        assert _run(search, now).state == "done"
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

    search.refresh_from_db()
    assert (search.state, search.problem, search.proposed_count) == ("done", "", 8)
    assert search.total_count != 99
