"""Starting long work, asking something of it, and waking what nobody works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, OuterRef, Q, Value, When

from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database.errors import has_broken
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.manifest import WorkAction, WorkKind
from loancrm.kernel.models import RequestedAction, Work, WorkState
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.work import labels
from loancrm.kernel.work.claims import LEASE_SECONDS, free
from loancrm.kernel.work.kinds import all_kinds, kind_of, subject_model

_OPEN: Final = (WorkState.WAITING, WorkState.RUNNING)
_FROM: Final = {
    WorkAction.PAUSE: _OPEN,
    WorkAction.RESUME: (WorkState.PAUSED,),
    WorkAction.CANCEL: (*_OPEN, WorkState.PAUSED, WorkState.FAILED),
    WorkAction.RETRY: (WorkState.FAILED,),
}
_AUDITED: Final = {
    WorkAction.PAUSE: "work.pause_requested",
    WorkAction.RESUME: "work.resumed",
    WorkAction.CANCEL: "work.cancel_requested",
    WorkAction.RETRY: "work.retried",
}


class WorkStateRefused(LoanCrmError):
    """The work is in a state in which this cannot be asked of it, or its kind does not know it."""

    code = "work_state_refused"


class WorkOpenAlready(LoanCrmError):
    """Other work of this kind is not over yet, and there is to be one at a time."""

    code = "work_open_already"

    def __init__(self) -> None:
        """Word it."""
        super().__init__(_("Other work of this kind is not over yet; there is one at a time."))


def start(
    *,
    kind: str,
    actor: Actor,
    now: datetime,
    title: str = "",
    total_count: int = 0,
    exclusive_key: str = "",
    is_background: bool = True,
) -> Work:
    """Store work to be done, and let a worker take it once the caller's transaction commits.

    Args:
        title: What it is about, beside its kind; may be shown to whoever may see the kind.
        exclusive_key: Of all work with this key only one may be open at a time.
        is_background: Workers do it; otherwise the caller does, and nobody can steer it.

    Raises:
        WorkOpenAlready: Other work has the key.
    """
    with _one_a_key(), transaction.atomic():
        work = Work.objects.create(
            kind=kind_of(kind).name,
            title=title,
            total_count=total_count,
            exclusive_key=exclusive_key,
            is_background=is_background,
            requested_by=actor.user,
            actor_label=actor.label,
            created_at=now,
        )
    if is_background:
        announce(work)
    return work


def restart(*, work_id: int, kind: str, actor: Actor, now: datetime, total_count: int = 0) -> bool:
    """Let work at rest be followed by work of another kind about the same, done by a worker.

    Returns:
        Whether it rested; otherwise nothing was changed.
    """
    rests = (WorkState.PAUSED, WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)
    resting = Work.objects.filter(pk=work_id, state__in=[state.value for state in rests])
    if not resting.update(
        kind=kind_of(kind).name,
        state=WorkState.WAITING,
        step="",
        done_count=0,
        total_count=total_count,
        checkpoint={},
        attempts=0,
        requested_action=RequestedAction.NONE,
        last_error="",
        is_background=True,
        requested_by=actor.user,
        actor_label=actor.label,
        created_at=now,
        started_at=None,
        finished_at=None,
    ):
        return False
    announce(Work(pk=work_id, kind=kind))
    return True


def announce(work: Work) -> None:
    """Let a worker look at work that waits."""
    enqueue(kind_of(work.kind).job, work_id=int(work.pk))


def wake() -> int:
    """Let a worker look at all work that nobody works on; return how much there is."""
    waiting = Work.objects.filter(free(), is_background=True, kind__in=list(all_kinds()))
    found = list(waiting.only("pk", "kind"))
    for work in found:
        announce(work)
    return len(found)


def end_abandoned() -> int:
    """End work of commands whose process is gone as failed, with the reason; return how much.

    Nobody else may take it up: it is done in the name of who called the command. Only of kinds of
    which nothing is left behind.
    """
    kinds = [kind.name for kind in all_kinds().values() if kind.is_traceless]
    is_silent = Q(state=WorkState.RUNNING, lease_until__lt=Moment())
    # The command died before it took its own work up.
    is_unclaimed = Q(state=WorkState.WAITING, created_at__lt=Moment(-LEASE_SECONDS))
    left = Work.objects.filter(is_silent | is_unclaimed, is_background=False, kind__in=kinds)
    return left.update(
        state=WorkState.FAILED,
        holder="",
        lease_until=None,
        requested_action=RequestedAction.NONE,
        finished_at=Moment(),
        last_error=_("The command ended before its work did; start it again."),
    )


def available_actions(work: Work) -> tuple[WorkAction, ...]:
    """Return what can be asked of work in the state in which it was loaded."""
    return actions_of([work])[work.pk]


def actions_of(works: Sequence[Work]) -> Mapping[int, tuple[WorkAction, ...]]:
    """Return what can be asked of each, with a query for each rule of a kind about its subject."""
    found = {work.pk: _actions_in_state(work) for work in works}
    for kind in all_kinds().values():
        for action, lookups in kind.refused.items():
            ids = [w.pk for w in works if w.kind == kind.name and action in found[w.pk]]
            if not ids:
                continue
            subjects = subject_model(kind)._default_manager.filter(work__in=ids, **lookups)  # noqa: SLF001 - the documented way to a model that is a value
            for pk in subjects.values_list("work_id", flat=True):
                found[pk] = tuple(other for other in found[pk] if other is not action)
    return found


def _actions_in_state(work: Work) -> tuple[WorkAction, ...]:
    kind = all_kinds().get(work.kind)
    if kind is None or not work.is_background or work.requested_action == RequestedAction.CANCEL:
        return ()
    asked = {RequestedAction.PAUSE: WorkAction.PAUSE}
    return tuple(
        action
        for action in kind.actions
        if work.state in _FROM[action]
        and action is not asked.get(RequestedAction(work.requested_action))
        and not (action is WorkAction.CANCEL and _is_over(kind.actions, work))
    )


def request_action(*, actor: Actor, work_id: int, action: WorkAction, now: datetime) -> None:
    """Ask something of a piece of work; its worker obeys after the page at hand.

    Work at rest that is cancelled is taken up once more, so that its worker can clear away.

    Raises:
        PermissionRefused: The actor may not steer this kind.
        WorkStateRefused: This cannot be asked of it now.
        WorkOpenAlready: Other work was started meanwhile, and there is to be one at a time.
    """
    work = Work.objects.get(pk=work_id)
    kind = kind_of(work.kind)
    with acting(actor, kind.steer, now=now) as act:
        with _one_a_key():
            is_applied = action in kind.actions and _apply(work, kind, action)
        if not is_applied:
            raise _refusal(work_id)
        subject = subject_model(kind).objects.filter(work=work).first()  # type: ignore[attr-defined] # every model has it
        act.record(_AUDITED[action], on=subject or work)
        if action is not WorkAction.PAUSE:
            announce(work)


@contextmanager
def _one_a_key() -> Iterator[None]:
    """Say in words that other work has the key; any other constraint speaks for itself."""
    try:
        yield
    except IntegrityError as error:
        if not has_broken(error, Work, "work_one_open_a_key"):
            raise
        raise WorkOpenAlready from error


def _apply(work: Work, kind: WorkKind, action: WorkAction) -> bool:
    """Write what was asked for; return whether the work was in a state for it.

    Work may have become another kind's since it was read, and may be about to be cancelled: that
    is not taken back.
    """
    fit = Work.objects.filter(
        pk=work.pk,
        kind=kind.name,
        is_background=True,
        state__in=[state.value for state in _FROM[action]],
    ).exclude(requested_action=RequestedAction.CANCEL)
    if lookups := kind.refused.get(action):
        subjects = subject_model(kind)._default_manager.filter(work=OuterRef("pk"), **lookups)  # noqa: SLF001 - the documented way to a model that is a value
        fit = fit.exclude(Exists(subjects))
    anew: dict[str, Any] = {"state": WorkState.WAITING, "attempts": 0, "last_error": ""}
    match action:
        case WorkAction.PAUSE:
            return bool(fit.update(requested_action=RequestedAction.PAUSE))
        case WorkAction.RESUME | WorkAction.RETRY:
            return bool(fit.update(requested_action=RequestedAction.NONE, **anew))
        case WorkAction.CANCEL:
            # One statement: a worker may take the work up, or lay it down, at this very moment.
            is_running = When(state=WorkState.RUNNING, then=Value(WorkState.RUNNING))
            state = Case(is_running, default=Value(WorkState.WAITING))
            return bool(
                fit.update(**anew | {"requested_action": RequestedAction.CANCEL, "state": state})
            )


def _is_over(actions: tuple[WorkAction, ...], work: Work) -> bool:
    """Return whether nothing is left to cancel: it failed, and keeps no place to go on from."""
    return work.state == WorkState.FAILED and WorkAction.PAUSE not in actions


def _refusal(work_id: int) -> WorkStateRefused:
    found = Work.objects.only("state", "requested_action").get(pk=work_id)
    state = WorkState(found.state)
    if found.requested_action == RequestedAction.CANCEL:
        words = _("This is not possible: the work is about to be cancelled.")
        return WorkStateRefused(words, state=state.value)
    words = _("This is not possible: the state of the work is “%(state)s”.")
    return WorkStateRefused(words % {"state": labels.STATES.phrase(state)}, state=state.value)
