"""Leave to group people by a protected attribute: recorded by compliance, never by who uses it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from analytics.models import ProtectedOverride
from analytics.selectors.protected_features import overridable
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION = "analytics.add_protectedoverride"
SHORTEST_REASON = 10
LONGEST = timedelta(days=366)


class OverrideRefused(LoanCrmError):
    """The leave says too little, lasts too long, or is for what nobody may have leave for."""

    code = "protected_override_refused"


def record_override(
    *, actor: Actor, feature: str, reason: str, valid_until: date, now: datetime
) -> ProtectedOverride:
    """Let searches for groups of similar customers look at a protected attribute for a time.

    Raises:
        PermissionRefused: The actor may not record leave.
        OverrideRefused: The attribute is none of `overridable`, the reason is too short, or the
            last day is past or more than a year away.
    """
    act = acting(actor, PERMISSION, now=now)
    if feature not in overridable():
        raise OverrideRefused(
            _("There is no leave to be had for “%(name)s”.") % {"name": feature}, feature=feature
        )
    why = reason.strip()
    if len(why) < SHORTEST_REASON:
        raise OverrideRefused(
            _("Say why it is lawful and needed, and who agreed, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    today = now.astimezone(clock.company_zone()).date()
    if not today <= valid_until <= today + LONGEST:
        raise OverrideRefused(_("The last day has to lie within a year from today."))
    with act:
        row = ProtectedOverride.objects.create(
            feature=feature,
            reason=why,
            valid_until=valid_until,
            recorded_by=actor.user,
            recorded_at=now,
        )
        _record(act, row, "recorded")
    return row


def end_override(*, actor: Actor, override_id: int, now: datetime) -> None:
    """End a leave today; nothing when it has ended already.

    Raises:
        PermissionRefused: The actor may not record leave.
    """
    act = acting(actor, PERMISSION, now=now)
    row = ProtectedOverride.objects.get(pk=override_id)
    with act:
        if ProtectedOverride.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
            _record(act, row, "ended")
        else:
            act.unchanged()


def used_overrides(
    features: Iterable[str], overrides: Mapping[str, ProtectedOverride]
) -> dict[str, int]:
    """Return the key of the leave of each of these features that needs one."""
    return {name: int(overrides[name].pk) for name in features if name in overrides}


def _record(act: Act, row: ProtectedOverride, what: str) -> None:
    act.record(
        f"protected_override.{what}",
        on=row,
        facts={"feature": row.feature, "valid_until": row.valid_until.isoformat()},
        reason=row.reason[:300],
    )
