"""How a run ends, and what stays of it."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
from django.db import OperationalError, connection, transaction

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import RequestedAction, Work, WorkState
from loancrm.kernel.work import claims, service
from loancrm.kernel.work.claims import WorkClaim
from loancrm.kernel.work.execution import execute
from tests.integration.kernel.work.rows import ACTOR, NOW, let_lease_run_out, started
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


class Refused(LoanCrmError):
    """What a kind refuses."""

    code = "refused"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_, **__: None)


def _raising(error: Exception) -> Callable[[WorkClaim], None]:
    def perform(_claim: WorkClaim) -> None:
        raise error

    return perform


def test_a_run_does_the_work_once() -> None:
    work = started()
    assert execute(work_id=work.pk, perform=WorkClaim.finish, now=NOW)
    assert not execute(work_id=work.pk, perform=_raising(AssertionError()), now=NOW)
    work.refresh_from_db()
    assert (work.state, work.started_at, work.holder) == (WorkState.DONE, NOW, "")
    assert work.finished_at is not None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_in_transaction", [False, True])
def test_a_lost_session_gives_the_work_back_at_once(is_in_transaction: bool) -> None:
    work = started()

    def lose_the_session(_claim: WorkClaim) -> None:
        together = transaction.atomic() if is_in_transaction else nullcontext()
        with together, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    execute(work_id=work.pk, perform=lose_the_session, now=NOW)

    work.refresh_from_db()
    assert (work.state, work.holder, work.attempts) == (WorkState.WAITING, "", 0)
    assert service.wake() == 1


def test_what_a_kind_refuses_is_the_reason_that_people_read() -> None:
    work = started()
    execute(work_id=work.pk, perform=_raising(Refused("no such column")), now=NOW)
    work.refresh_from_db()
    assert (work.state, work.last_error) == (WorkState.FAILED, "no such column")


def test_what_breaks_is_raised_and_says_so() -> None:
    work = started()
    with pytest.raises(RuntimeError):
        execute(work_id=work.pk, perform=_raising(RuntimeError("secret")), now=NOW)
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    assert "日志" in work.last_error
    assert "secret" not in work.last_error


def test_a_passing_trouble_of_the_database_lets_the_work_wait() -> None:
    work = started()
    execute(work_id=work.pk, perform=_raising(OperationalError("disk is full")), now=NOW)
    work.refresh_from_db()
    assert (work.state, work.attempts) == (WorkState.WAITING, 0)
    assert "空间" in work.last_error


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (RequestedAction.PAUSE, WorkState.PAUSED),
        (RequestedAction.CANCEL, WorkState.CANCELLED),
    ],
)
def test_a_request_is_obeyed_between_pages(asked: RequestedAction, state: WorkState) -> None:
    work = started()

    def perform(claim: WorkClaim) -> None:
        claim.save_checkpoint({"page": 1}, done_count=1)
        Work.objects.update(requested_action=asked)
        claim.raise_if_requested()
        raise AssertionError("it went on")

    execute(work_id=work.pk, perform=perform, now=NOW)
    work.refresh_from_db()
    assert (work.state, work.requested_action, work.checkpoint) == (state, "", {"page": 1})
    assert (work.finished_at is None) == (state is WorkState.PAUSED)


@pytest.mark.parametrize(
    "perform",
    [WorkClaim.finish, WorkClaim.pause, _raising(Refused("no such column"))],
)
def test_work_that_is_cancelled_just_before_its_end_ends_cancelled(
    perform: Callable[[WorkClaim], None],
) -> None:
    work = started()

    def cancelled_meanwhile(claim: WorkClaim) -> None:
        service.request_action(actor=ACTOR, work_id=work.pk, action=WorkAction.CANCEL, now=NOW)
        perform(claim)

    execute(work_id=work.pk, perform=cancelled_meanwhile, now=NOW)

    work.refresh_from_db()
    assert (work.state, work.requested_action) == (WorkState.CANCELLED, "")


def test_cancel_between_the_workers_look_and_its_pause_is_obeyed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work, pause = started(), WorkClaim.pause

    def late(claim: WorkClaim) -> None:
        service.request_action(actor=ACTOR, work_id=work.pk, action=WorkAction.CANCEL, now=NOW)
        pause(claim)

    monkeypatch.setattr(WorkClaim, "pause", late)

    def perform(claim: WorkClaim) -> None:
        Work.objects.update(requested_action=RequestedAction.PAUSE)
        claim.raise_if_requested()

    execute(work_id=work.pk, perform=perform, now=NOW)

    work.refresh_from_db()
    assert (work.state, work.requested_action) == (WorkState.CANCELLED, "")


def test_work_that_breaks_while_it_is_to_be_cancelled_is_raised_and_cancelled() -> None:
    work = started()

    def perform(_claim: WorkClaim) -> None:
        Work.objects.update(requested_action=RequestedAction.CANCEL)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        execute(work_id=work.pk, perform=perform, now=NOW)
    work.refresh_from_db()
    assert work.state == WorkState.CANCELLED


def test_work_whose_workers_die_again_and_again_is_given_up() -> None:
    work = started()
    for _attempt in range(claims.MAX_ATTEMPTS):
        assert claims.claim(work.pk, now=NOW)
        let_lease_run_out(work)
    execute(work_id=work.pk, perform=_raising(AssertionError()), now=NOW)
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    assert str(claims.MAX_ATTEMPTS) in work.last_error


@pytest.mark.django_db(transaction=True)
def test_after_a_kill_at_any_commit_another_goes_on_from_the_checkpoint() -> None:
    def perform(claim: WorkClaim) -> None:
        page = Work.objects.get(pk=claim.work_id).checkpoint.get("page", 0)
        while page < 3:
            page += 1
            claim.save_checkpoint({"page": page}, done_count=page)
        claim.finish(total_count=page)

    def work() -> None:
        execute(work_id=Work.objects.get().pk, perform=perform, now=NOW)

    assert_kills_leave_no_trace(started, work, commits=5)
    assert Work.objects.get().state == WorkState.DONE
