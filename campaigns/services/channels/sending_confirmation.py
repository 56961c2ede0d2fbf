"""A person's word that sending goes on after a restore, a copy or a long standstill."""

from datetime import datetime

from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Campaign, Dispatch
from campaigns.selectors.campaigns import content_tests
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import audit, deployment
from loancrm.kernel.auditing.deployment import HeldReason
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

# After these nobody knows whom the database has written to since its backup.
_FORGOT = frozenset({HeldReason.RESTORED, HeldReason.MOVED})


class NothingToConfirm(LoanCrmError):
    """Sending does not wait for anybody."""

    code = "nothing_to_confirm"


class NotConfirmed(LoanCrmError):
    """Only a person can confirm, and only while the anchor can be read."""

    code = "not_confirmed"


def confirm_sending(*, is_copy: bool, actor: Actor, now: datetime) -> int:
    """Let sending go on; after a restore every open dispatch is released one by one.

    Messages planned before keep their keys, so a provider that knows repeated keys recognises whom
    the lost rows had written to. A copy gets an identity and keys of its own: it must neither meet
    its original's answers nor use up its keys.

    Args:
        is_copy: The original lives on elsewhere, as for a staging system.

    Returns:
        How many dispatches and recurring campaigns now wait to be released or cancelled.

    Raises:
        NothingToConfirm: Sending is not held.
        NotConfirmed: The actor is no person, or Redis does not answer.
        PermissionRefused: The actor may not confirm.
    """
    with acting(actor, "kernel.confirm_sending", now=now) as act:
        if actor.kind is not ActorKind.USER:
            raise NotConfirmed(_("Only a person can confirm that sending goes on."))
        reason = deployment.held_reason() or _standing_still()
        if reason is None:
            raise NothingToConfirm(_("Sending does not wait for a confirmation."))
        if reason is HeldReason.UNREACHABLE:
            raise NotConfirmed(_("Redis does not answer; try again when it does."))
        row = deployment.confirm(is_copy=is_copy)
        waiting = 0
        is_other = is_copy or reason in _FORGOT
        if is_other:
            open_runs = Dispatch.objects.exclude(
                status__in=[DispatchStatus.COMPLETED, DispatchStatus.CANCELLED]
            )
            waiting = open_runs.update(status=DispatchStatus.HELD, hold_reason=HoldReason.RESTORED)
            if is_copy:
                open_runs.update(key_space=deployment.key_space_of(row))
            # Between two runs, and before the rest of a test, there is no dispatch to be held.
            goes_on = Campaign.objects.filter(content_tests.goes_on(), run_hold_reason="")
            waiting += Campaign.objects.filter(pk__in=goes_on.values("pk")).update(
                run_hold_reason=HoldReason.RESTORED
            )
        act.record(
            "deployment.sending_confirmed",
            on=row,
            facts={"reason": reason, "epoch": row.epoch, "is_copy": is_copy, "held": waiting},
        )
        if is_other:
            # What the anchors of audit trail and ledgers know of lost rows is no change of them.
            audit.note_accepted(
                actor=actor, reason=deployment.describe(reason), now=now, facts={"cause": reason}
            )
            enqueue(jobs.VERIFY_LEDGER)
            enqueue(jobs.VERIFY_AUDIT)
        enqueue(jobs.TICK)
    return waiting


def _standing_still() -> HeldReason | None:
    """Return the reason that only counts while something is open."""
    return None if deployment.may_send() else deployment.held_reason() or HeldReason.STANDSTILL
