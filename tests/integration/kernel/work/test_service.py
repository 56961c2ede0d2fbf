"""What can be asked of long work, by whom, and in which state."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from analytics.jobs import DISCOVERY
from customers.jobs import DUPLICATE_SEARCH, FIND_DUPLICATES, IMPORT, IMPORT_UNDO
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused, user_actor
from loancrm.kernel.acting import Act
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import AuditEntry, RequestedAction, Work, WorkState
from loancrm.kernel.work import claims, service
from loancrm.kernel.work.service import WorkOpenAlready, WorkStateRefused
from tests.integration.kernel.work.rows import ACTOR, NOW, let_lease_run_out, started

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Jobs are noted and nobody takes them."""
    found: list[tuple[str, int]] = []
    monkeypatch.setattr(
        service, "enqueue", lambda job, *, work_id: found.append((job.name, work_id))
    )
    return found


def _request(work: Work, action: WorkAction) -> Work:
    service.request_action(actor=ACTOR, work_id=work.pk, action=action, now=NOW)
    work.refresh_from_db()
    return work


def test_work_is_announced_to_the_job_of_its_kind(sent: list[tuple[str, int]]) -> None:
    work = started()
    assert sent == [(FIND_DUPLICATES.name, work.pk)]


def test_of_work_with_one_key_one_is_open_at_a_time() -> None:
    first = started(exclusive_key="one")
    with pytest.raises(WorkOpenAlready):
        started(exclusive_key="one")
    Work.objects.filter(pk=first.pk).update(state=WorkState.FAILED)
    started(exclusive_key="one")
    with pytest.raises(WorkOpenAlready):
        _request(first, WorkAction.RETRY)
    first.refresh_from_db()
    assert first.state == WorkState.FAILED


def test_what_nobody_works_on_wakes_a_worker(sent: list[tuple[str, int]]) -> None:
    waiting, held, lost, done = started(), started(), started(), started()
    command = started(is_background=False)
    for work in (held, lost, command):
        assert claims.claim(work.pk, now=NOW)
    let_lease_run_out(lost)
    let_lease_run_out(command)
    Work.objects.filter(pk=done.pk).update(state=WorkState.DONE)
    sent.clear()

    assert service.wake() == 2

    assert {pk for _job, pk in sent} == {waiting.pk, lost.pk}


def test_cancelling_is_asked_of_the_worker_and_written_into_the_trail(
    sent: list[tuple[str, int]],
) -> None:
    work = started()
    assert claims.claim(work.pk, now=NOW)
    sent.clear()

    asked = _request(work, WorkAction.CANCEL)

    assert (asked.state, asked.requested_action) == (WorkState.RUNNING, RequestedAction.CANCEL)
    assert service.available_actions(asked) == ()
    entry = AuditEntry.objects.get(action="work.cancel_requested")
    assert entry.object_type == "customers.DuplicateSearch"


def test_failed_work_is_begun_again_with_all_its_attempts(sent: list[tuple[str, int]]) -> None:
    work = started()
    held = claims.claim(work.pk, now=NOW)
    assert held is not None
    held.fail("broken")
    sent.clear()

    again = _request(work, WorkAction.RETRY)

    assert (again.state, again.last_error, again.attempts) == (WorkState.WAITING, "", 0)
    assert len(sent) == 1
    assert claims.claim(work.pk, now=NOW)


@pytest.mark.parametrize("action", [WorkAction.PAUSE, WorkAction.RESUME, WorkAction.RETRY])
def test_what_the_kind_or_the_state_does_not_know_is_refused(action: WorkAction) -> None:
    work = started()
    with pytest.raises(WorkStateRefused, match="等待中"):
        _request(work, action)
    assert not AuditEntry.objects.filter(action__startswith="work.").exists()


def test_a_commands_work_is_steered_by_nobody() -> None:
    work = started(is_background=False)
    assert service.available_actions(work) == ()
    with pytest.raises(WorkStateRefused):
        _request(work, WorkAction.CANCEL)


def test_who_may_not_steer_the_kind_asks_nothing() -> None:
    work = started(DISCOVERY)
    reader = user_actor(User.objects.create_user("reader"))
    with pytest.raises(PermissionRefused):
        service.request_action(actor=reader, work_id=work.pk, action=WorkAction.CANCEL, now=NOW)
    work.refresh_from_db()
    assert work.requested_action == RequestedAction.NONE


def test_work_offers_what_its_state_allows() -> None:
    work = started(DUPLICATE_SEARCH)
    offered = {}
    for state in WorkState:
        work.state = state
        offered[state] = service.available_actions(work)
    assert offered == {
        WorkState.WAITING: (WorkAction.CANCEL,),
        WorkState.RUNNING: (WorkAction.CANCEL,),
        WorkState.PAUSED: (WorkAction.CANCEL,),
        WorkState.DONE: (),
        WorkState.FAILED: (WorkAction.RETRY,),
        WorkState.CANCELLED: (),
    }


def test_a_request_does_not_reach_what_has_become_work_of_another_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work, door = started(IMPORT), service.acting
    Work.objects.update(state=WorkState.PAUSED)

    def meanwhile(*given: Any, **named: Any) -> Act:
        assert service.restart(work_id=work.pk, kind=IMPORT_UNDO, actor=ACTOR, now=NOW)
        return door(*given, **named)

    monkeypatch.setattr(service, "acting", meanwhile)
    with pytest.raises(WorkStateRefused):
        _request(work, WorkAction.CANCEL)

    work.refresh_from_db()
    assert (work.kind, work.state, work.requested_action) == (IMPORT_UNDO, WorkState.WAITING, "")
    assert not AuditEntry.objects.filter(action="work.cancel_requested").exists()


def test_a_cancel_is_taken_back_by_no_other_request() -> None:
    work = started(IMPORT)
    assert claims.claim(work.pk, now=NOW)
    asked = _request(work, WorkAction.CANCEL)
    assert service.available_actions(asked) == ()

    with pytest.raises(WorkStateRefused, match="取消"):
        _request(work, WorkAction.PAUSE)

    work.refresh_from_db()
    assert work.requested_action == RequestedAction.CANCEL


def test_only_the_constraint_of_the_key_means_that_other_work_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = Actor(ActorKind.SYSTEM, "", None)  # type: ignore[arg-type] # a broken constraint
    with pytest.raises(IntegrityError):
        service.start(kind=IMPORT, actor=nobody, now=NOW)

    def broken(*_: Any, **__: Any) -> None:
        raise IntegrityError("UNIQUE constraint failed: kernel_auditentry.number")

    work = started()
    monkeypatch.setattr(Act, "record", broken)
    with pytest.raises(IntegrityError):
        _request(work, WorkAction.CANCEL)
