"""Leave to group people by a protected attribute: recorded by compliance, never by who uses it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db import transaction

from analytics.models import ProtectedOverride
from analytics.selectors.protected_features import overridable
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
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
    access.require(actor, PERMISSION)
    if feature not in overridable():
        raise OverrideRefused(
            _("There is no leave to be had for “%(name)s”.") % {"name": feature}, feature=feature
        )
    why = reason.strip()
    if len(why) < SHORTEST_REASON:
        raise OverrideRefused(_("Say why it is lawful and needed, and who agreed."))
    today = now.astimezone(clock.company_zone()).date()
    if not today <= valid_until <= today + LONGEST:
        raise OverrideRefused(_("The last day has to lie within a year from today."))
    with transaction.atomic():
        row = ProtectedOverride.objects.create(
            feature=feature,
            reason=why,
            valid_until=valid_until,
            recorded_by=actor.user,
            recorded_at=now,
        )
        _audit(actor, row, "recorded", now)
    return row


def end_override(*, actor: Actor, override_id: int, now: datetime) -> None:
    """End a leave today; nothing when it has ended already.

    Raises:
        PermissionRefused: The actor may not record leave.
    """
    access.require(actor, PERMISSION)
    row = ProtectedOverride.objects.get(pk=override_id)
    with transaction.atomic():
        if ProtectedOverride.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
            _audit(actor, row, "ended", now)


def used_overrides(
    features: Iterable[str], overrides: Mapping[str, ProtectedOverride]
) -> dict[str, int]:
    """Return the key of the leave of each of these features that needs one."""
    return {name: int(overrides[name].pk) for name in features if name in overrides}


def _audit(actor: Actor, row: ProtectedOverride, what: str, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=f"protected_override.{what}",
        object_type="protectedoverride",
        object_id=row.pk,
        now=now,
        reason=row.reason[:300],
        facts={"feature": row.feature, "valid_until": row.valid_until.isoformat()},
    )
