"""Set what figures of credit take for granted: with a source, by whom, and since when."""

from datetime import datetime
from decimal import Decimal

from analytics.domain.credit.assumptions import AssumptionName
from analytics.models import CreditAssumption
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION = "analytics.add_creditassumption"
SHORTEST_SOURCE = 10


class AssumptionRefused(LoanCrmError):
    """The value is no share, or nobody could find out where it comes from."""

    code = "credit_assumption_refused"


def record_assumption(
    *, actor: Actor, name: AssumptionName, value: Decimal, source: str, now: datetime
) -> CreditAssumption:
    """Set an assumption from now on; earlier values stay as history.

    What the same person has just set, with the same source, is not set again: a form that is sent
    twice makes one entry.

    Raises:
        PermissionRefused: The actor may not set assumptions.
        AssumptionRefused: The value is not between 0 and 1, or the source says too little.
    """
    act = acting(actor, PERMISSION, now=now)
    if not (value.is_finite() and 0 <= value <= 1):
        raise AssumptionRefused(_("The value is a share between 0 and 1."))
    if len(source.strip()) < SHORTEST_SOURCE:
        raise AssumptionRefused(
            _("Say where the value comes from, in %(count)s characters or more.")
            % {"count": SHORTEST_SOURCE}
        )
    with act:
        known = CreditAssumption.objects.select_for_update().filter(name=name)
        last = known.order_by("-recorded_at", "-pk").first()
        said = (value, source.strip(), actor.user)
        if last is not None and said == (last.value, last.source, last.recorded_by):
            act.unchanged()
            return last
        row = CreditAssumption.objects.create(
            name=name,
            value=value,
            source=source.strip(),
            recorded_by=actor.user,
            recorded_at=now,
        )
        act.record(
            "credit_assumption.recorded",
            on=row,
            facts={"name": name.value, "value": str(value)},
            reason=source.strip()[:300],
        )
    return row
