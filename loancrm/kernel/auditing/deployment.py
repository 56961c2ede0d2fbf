"""Whether this installation may send; after a restore or a long standstill a person decides.

A restored database does not know whom it has written to since its backup. It shows by an anchor
outside (`deployment_anchors`) that is ahead of it, or that is not there. Times are the database's,
so that one host's clock stops nothing, and the demo's clock, which only the program sees, does
neither.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy

from loancrm.kernel.auditing import deployment_anchors
from loancrm.kernel.auditing.deployment_anchors import Anchor, AnchorUnreachable
from loancrm.kernel.database import shared_clock
from loancrm.kernel.database.bulk import Statement
from loancrm.kernel.database.shared_clock import Moment, moment_sql
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import Deployment
from loancrm.kernel.words.phrases import Phrase
from loancrm.kernel.words.phrases import gettext as _
from loancrm.kernel.words.vocabulary import Vocabulary


class HeldReason(StrEnum):
    """Why nothing goes out until a person has confirmed."""

    RESTORED = "restored"
    MOVED = "moved"
    STANDSTILL = "standstill"
    CLOCK = "clock"
    UNREACHABLE = "unreachable"


HELD_REASONS = Vocabulary(
    HeldReason,
    {
        HeldReason.RESTORED: gettext_lazy(
            "The database was restored from a backup: it does not know what was sent since."
        ),
        HeldReason.MOVED: gettext_lazy("The database was moved or copied to another place."),
        HeldReason.STANDSTILL: gettext_lazy("Nothing ran for a long time, and campaigns are open."),
        HeldReason.CLOCK: gettext_lazy("The database's clock was set back."),
        HeldReason.UNREACHABLE: gettext_lazy(
            "Redis does not answer, so a restore could not be told."
        ),
    },
)


def describe(reason: HeldReason) -> Phrase:
    """Return why nothing goes out, as a sentence that can be stored."""
    return HELD_REASONS.phrase(reason)


class SendingUnconfirmed(LoanCrmError):
    """Something has to be confirmed before anything may be planned or sent."""

    code = "sending_unconfirmed"


def current() -> Deployment:
    """Return this deployment; a new database becomes a new one, known outside from the start.

    With the database's time of the look as `looked_at`: who asks whether it may send, as workers do
    for every chunk, asks once.
    """
    row = Deployment.objects.annotate(looked_at=Moment()).filter(pk=1).first()
    if row is not None:
        return row
    # The anchor first: a row without one looks like a database that was moved, to a process that
    # looks just then and to all of them when this one dies in between.
    new = Deployment()
    deployment_anchors.write(new.public_id, Anchor(new.beat, new.epoch))
    Deployment.objects.get_or_create(
        pk=1, defaults={"public_id": new.public_id, "last_seen_at": shared_clock.now()}
    )
    return Deployment.objects.annotate(looked_at=Moment()).get(pk=1)


def beat(*, has_open_work: bool) -> bool:
    """Note that the deployment is alive; return whether it may send.

    Args:
        has_open_work: Something would go out; without it a standstill needs nobody's word.
    """
    reason = _fault(current(), has_open_work=has_open_work)
    if reason is HeldReason.UNREACHABLE:
        return False
    if reason is not None:
        Deployment.objects.filter(pk=1, held_reason="").update(held_reason=reason, held_at=Moment())
        return False
    alive = Deployment.objects.filter(pk=1, held_reason="")
    if not alive.update(beat=F("beat") + 1, last_seen_at=Moment()):
        return False
    row = Deployment.objects.get(pk=1)
    written = Anchor(row.beat, row.epoch)
    # Not before the commit: an anchor that is ahead looks like a restored database.
    transaction.on_commit(lambda: deployment_anchors.write(row.public_id, written))
    return True


def may_send() -> bool:
    """Return whether a worker may take up work; asked for every chunk, before it is claimed."""
    return _fault(current(), has_open_work=True) is None


def awake() -> Statement:
    """Return the condition, in SQL, that nothing waits for a person's word and nothing slept long.

    What a statement that is about to send can ask: the anchor outside is looked at by `may_send`.
    """
    moment, parameters = moment_sql(-settings.LOANCRM_STANDSTILL_HOURS * 3600.0)
    return Statement(
        f"(SELECT held_reason = '' AND last_seen_at >= {moment}"  # noqa: S608 - our table
        " FROM kernel_deployment WHERE id = 1)",
        parameters,
    )


def held_reason() -> HeldReason | None:
    """Return why nothing goes out, None when everything is as it should be."""
    return _fault(current(), has_open_work=False)


def waiting_for() -> HeldReason | None:
    """Return what a person has to confirm, as far as the database knows: for pages, one look."""
    reason = Deployment.objects.filter(pk=1).values_list("held_reason", flat=True).first()
    return HeldReason(reason) if reason else None


def key_space() -> str:
    """Return what the keys of messages planned now carry, so that no two plans share a key.

    Raises:
        SendingUnconfirmed: The deployment has to be confirmed first: keys planned now would repeat
            those that the lost rows had.
    """
    row = current()
    _require(row)
    return key_space_of(row)


def require_confirmed() -> None:
    """Refuse to hand a single message to a provider, even one of a person's own, such as a test.

    Raises:
        SendingUnconfirmed: A person has to confirm first that sending goes on.
    """
    _require(current())


def key_space_of(row: Deployment) -> str:
    """Return the key space of a deployment in its present epoch."""
    return f"{row.public_id.hex[:10]}{row.epoch}"


@transaction.atomic
def confirm(*, is_copy: bool) -> Deployment:
    """Begin a new epoch after a person's word; the caller checks who, and audits.

    Args:
        is_copy: The database is a copy that lives on beside its original: it gets an identity of
            its own.
    """
    row = Deployment.objects.select_for_update().get(pk=current().pk)
    known = deployment_anchors.read(row.public_id)
    if is_copy:
        row.public_id = uuid4()
    row.epoch = max(row.epoch, known.epoch if known else 0) + 1
    row.beat = max(row.beat, known.beat if known else 0) + 1
    row.last_seen_at = shared_clock.now()
    row.held_reason = ""
    row.held_at = None
    row.save()
    written = Anchor(row.beat, row.epoch)
    transaction.on_commit(lambda: deployment_anchors.write(row.public_id, written))
    return row


def _require(row: Deployment) -> None:
    if _fault(row, has_open_work=False) is not None:
        raise SendingUnconfirmed(
            _("Sending waits for a person's confirmation; see “Sending after a restore”.")
        )


def _fault(row: Deployment, *, has_open_work: bool) -> HeldReason | None:
    if row.held_reason:
        return HeldReason(row.held_reason)
    try:
        anchor = deployment_anchors.read(row.public_id)
    except AnchorUnreachable:
        return HeldReason.UNREACHABLE
    if anchor is None:
        return HeldReason.MOVED
    if anchor.beat > row.beat and anchor.beat > Deployment.objects.get(pk=1).beat:
        # Read again: another process may have beaten between the two looks.
        return HeldReason.RESTORED
    return _standstill(row) if has_open_work else None


def _standstill(row: Deployment) -> HeldReason | None:
    most = timedelta(hours=settings.LOANCRM_STANDSTILL_HOURS)
    looked_at: datetime = row.looked_at  # type: ignore[attr-defined]  # annotated by `current`
    passed = looked_at - row.last_seen_at
    if passed > most:
        return HeldReason.STANDSTILL
    return HeldReason.CLOCK if passed < -most else None
