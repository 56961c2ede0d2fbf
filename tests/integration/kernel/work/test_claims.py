"""Who holds a piece of long work, and that nobody else writes about it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loancrm.kernel import clock
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import RequestedAction, Work, WorkState
from loancrm.kernel.work import claims, service
from loancrm.kernel.work.claims import ClaimLost, NoProgress, WorkInterrupted, claim
from tests.integration.kernel.work.rows import NOW, let_lease_run_out, started

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_, **__: None)


@pytest.mark.django_db(transaction=True)
def test_of_claimers_at_the_same_moment_one_has_the_work() -> None:
    work, together = started(), Barrier(4)

    def try_it(_number: int) -> bool:
        try:
            together.wait()
            return claim(work.pk, now=NOW) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_it, range(4))) == 1
    work.refresh_from_db()
    assert (work.state, work.attempts) == (WorkState.RUNNING, 1)


def test_who_stalled_past_the_lease_writes_nothing_of_what_came_with_it() -> None:
    work = started()
    slow = claim(work.pk, now=NOW)
    assert slow is not None
    slow.save_checkpoint({"line": 10}, done_count=10)
    assert claim(work.pk, now=NOW) is None
    let_lease_run_out(work)
    quick = claim(work.pk, now=NOW)
    assert quick is not None

    @transaction.atomic
    def write_a_page() -> None:
        Work.objects.filter(pk=work.pk).update(title="half a page")
        slow.save_progress(done_count=99)

    for say in (
        write_a_page,
        slow.renew,
        slow.finish,
        slow.pause,
        slow.cancel,
        slow.release,
        slow.raise_if_requested,
        lambda: slow.fail("late"),
        lambda: slow.save_checkpoint({}),
    ):
        with pytest.raises(ClaimLost):
            say()

    work.refresh_from_db()
    assert (work.title, work.done_count, work.checkpoint) == ("", 10, {"line": 10})
    assert (work.holder, work.state) == (quick.holder, WorkState.RUNNING)
    quick.finish()
    with pytest.raises(ClaimLost):
        quick.renew()


def test_only_what_gets_further_is_progress() -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None

    def progress_of(say: Callable[[], None]) -> bool:
        Work.objects.filter(pk=work.pk).update(progress_at=Moment(-900))
        say()
        return Work.objects.filter(pk=work.pk, progress_at__gt=Moment(-60)).exists()

    assert Work.objects.filter(pk=work.pk, progress_at__gt=Moment(-60)).exists()
    for say in (held.renew, held.raise_if_requested):
        assert not progress_of(say)
    for say in (held.save_progress, lambda: held.save_checkpoint({})):
        assert progress_of(say)


def test_a_lease_that_ran_out_is_renewed_by_its_holder_while_nobody_took_the_work() -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    let_lease_run_out(work)

    held.renew()

    assert claim(work.pk, now=NOW) is None


@pytest.mark.parametrize("action", [RequestedAction.PAUSE, RequestedAction.CANCEL])
def test_what_was_requested_is_seen_at_the_next_page(action: RequestedAction) -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    held.raise_if_requested()
    Work.objects.update(requested_action=action)

    held.save_progress(done_count=1)
    with pytest.raises(WorkInterrupted) as stop:
        held.raise_if_requested()

    assert stop.value.action is action
    if action is RequestedAction.PAUSE:
        held.pause()
    else:
        held.cancel()
    work.refresh_from_db()
    assert (work.requested_action, work.holder, work.lease_until) == ("", "", None)


def test_after_a_page_that_was_stored_a_look_at_requests_writes_nothing() -> None:
    held = claim(started().pk, now=NOW)
    assert held is not None
    held.save_progress(done_count=1)
    with CaptureQueriesContext(connection) as asked:
        held.raise_if_requested()
    assert [each["sql"].split()[0] for each in asked.captured_queries] == ["SELECT"]


def test_after_a_page_that_took_long_a_look_at_requests_is_a_sign_of_life() -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    held.save_progress(done_count=1)
    let_lease_run_out(work)
    held._signed_at -= claims._FRESH_SECONDS

    held.raise_if_requested()

    assert claim(work.pk, now=NOW) is None


@pytest.mark.parametrize("end", ["finish", "pause", "fail"])
def test_what_is_to_be_cancelled_ends_in_no_other_way(end: str) -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    Work.objects.update(requested_action=RequestedAction.CANCEL)

    @transaction.atomic
    def write_what_was_found() -> None:
        Work.objects.update(title="found")
        getattr(held, end)(*["why"] if end == "fail" else [])

    with pytest.raises(WorkInterrupted) as stop:
        write_what_was_found()

    assert stop.value.action is RequestedAction.CANCEL
    work.refresh_from_db()
    assert (work.title, work.state, work.holder) == ("", WorkState.RUNNING, held.holder)
    held.cancel()
    work.refresh_from_db()
    assert (work.state, work.requested_action) == (WorkState.CANCELLED, "")


def test_an_end_overtakes_a_request_to_pause() -> None:
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    Work.objects.update(requested_action=RequestedAction.PAUSE)

    held.finish()

    work.refresh_from_db()
    assert (work.state, work.requested_action) == (WorkState.DONE, "")


def test_a_run_ends_when_its_time_is_up_and_the_next_goes_on_from_the_checkpoint() -> None:
    work = started()
    held = claim(work.pk, now=NOW, seconds=0.0)
    assert held is not None
    held.save_checkpoint({"line": 500})
    with pytest.raises(WorkInterrupted) as stop:
        held.raise_if_requested()
    assert stop.value.action is RequestedAction.NONE
    held.release()

    assert claim(work.pk, now=NOW)
    assert Work.objects.get().checkpoint == {"line": 500}


def test_attempts_that_get_no_further_are_counted_until_one_does() -> None:
    work = started()
    for _attempt in range(claims.MAX_ATTEMPTS):
        held = claim(work.pk, now=NOW)
        assert held is not None
        held.refuse_standstill()
        held.save_progress(done_count=1)
        let_lease_run_out(work)
    last = claim(work.pk, now=NOW)
    assert last is not None
    with pytest.raises(NoProgress):
        last.refuse_standstill()

    last.save_checkpoint({"line": 0}, is_further=False)
    with pytest.raises(NoProgress):
        last.refuse_standstill()

    last.save_checkpoint({"line": 1})

    last.refuse_standstill()


def test_work_at_rest_is_taken_only_by_who_names_its_state() -> None:
    work = started()
    Work.objects.update(state=WorkState.DONE)

    assert claim(work.pk, now=NOW) is None
    assert claim(work.pk, now=NOW, states=(WorkState.DONE,))


@pytest.mark.parametrize("hours", [-1, 1])
def test_no_host_holds_work_into_the_future(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    assert abs(clock.now() - shared_clock.now()) > timedelta(minutes=59)
    work = started()

    held = claim(work.pk, now=clock.now())

    assert held is not None
    held.renew()
    left = Work.objects.get().lease_until
    assert left is not None
    assert timedelta(0) < left - shared_clock.now() <= timedelta(seconds=claims.LEASE_SECONDS)


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_a_step_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_RENEW_SECONDS", 0.01)
    work = started()
    held = claim(work.pk, now=NOW)
    assert held is not None
    let_lease_run_out(work)

    with held.renewing():
        until = time.monotonic() + 10
        while not _is_held(work) and time.monotonic() < until:
            time.sleep(0.02)

    assert _is_held(work)


def _is_held(work: Work) -> bool:
    until = Work.objects.values_list("lease_until", flat=True).get(pk=work.pk)
    return until is not None and until > shared_clock.now()
