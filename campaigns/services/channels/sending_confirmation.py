"""A person's word that sending goes on after a restore, a copy or a long standstill."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Campaign, Dispatch
from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind
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


@transaction.atomic
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
    access.require(actor, "kernel.confirm_sending")
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
        waiting = open_runs.update(status=DispatchStatus.HELD, hold_reason="restored")
        if is_copy:
            open_runs.update(key_space=deployment.key_space_of(row))
        # Between two runs a recurring campaign has no dispatch that could be held.
        runs_again = Campaign.objects.filter(next_run_at__isnull=False, run_hold_reason="")
        waiting += runs_again.update(run_hold_reason="restored")
    audit.record(
        actor=actor,
        action="deployment.sending_confirmed",
        object_type=audit.type_of(row),
        object_id=row.pk,
        now=now,
        facts={"reason": reason, "epoch": row.epoch, "is_copy": is_copy, "held": waiting},
    )
    if is_other:
        # What the anchors of audit trail and ledgers know of the lost rows is no change of them.
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
