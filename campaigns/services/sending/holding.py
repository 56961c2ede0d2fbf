"""Stopping a dispatch until a person decides."""

from django.db.models import F, QuerySet

from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Dispatch

# Rounds that may fail for a reason outside any person before somebody is asked.
MOST_FAULTS = 3


def hold(*, dispatch: Dispatch, reason: HoldReason) -> None:
    """Stop a dispatch until a person resumes it."""
    Dispatch.objects.filter(pk=dispatch.pk, status=DispatchStatus.RUNNING).update(
        status=DispatchStatus.HELD, hold_reason=reason
    )


def pause(*, dispatches: QuerySet[Dispatch]) -> None:
    """Let nothing of these go on; workers stop within one sub-batch."""
    dispatches.filter(is_paused=False).update(is_paused=True)


def resume(*, dispatches: QuerySet[Dispatch]) -> None:
    """Let these go on from where they stood."""
    dispatches.filter(is_paused=True).update(is_paused=False)


def note_fault(*, dispatch: Dispatch) -> None:
    """Count a round that failed for no person's sake; hold the dispatch after the third."""
    rows = Dispatch.objects.filter(pk=dispatch.pk, status=DispatchStatus.RUNNING)
    rows.update(fault_count=F("fault_count") + 1)
    rows.filter(fault_count__gte=MOST_FAULTS).update(
        status=DispatchStatus.HELD, hold_reason=HoldReason.WORK_FAILS, fault_count=0
    )


def note_next_step_fault(*, before: Dispatch) -> None:
    """Count a round in which the step after a finished one could not begin; hold after the third.

    Whoever resumes has the finished one completed once more, and its next step tried again.
    """
    rows = Dispatch.objects.filter(pk=before.pk, status=DispatchStatus.COMPLETED)
    rows.update(fault_count=F("fault_count") + 1)
    rows.filter(fault_count__gte=MOST_FAULTS).update(
        status=DispatchStatus.HELD, hold_reason=HoldReason.NEXT_STEP_FAILS, fault_count=0
    )


def note_waiting(*, dispatch: Dispatch, reason: HoldReason) -> None:
    """Say why a dispatch makes no headway; it goes on by itself."""
    Dispatch.objects.filter(pk=dispatch.pk, status=DispatchStatus.RUNNING).update(
        hold_reason=reason
    )


def forget_waiting(*, dispatch: Dispatch) -> None:
    """Note that a dispatch makes headway again."""
    running = Dispatch.objects.filter(pk=dispatch.pk, status=DispatchStatus.RUNNING)
    running.exclude(hold_reason="").update(hold_reason="")


def forget_faults(*, dispatch: Dispatch) -> None:
    """Start counting anew after a round that went well."""
    Dispatch.objects.filter(pk=dispatch.pk, fault_count__gt=0).update(fault_count=0)
