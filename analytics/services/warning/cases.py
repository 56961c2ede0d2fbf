"""Cases: somebody takes one over, does something, and says what came of it."""

from datetime import datetime
from typing import Any

from analytics.domain.warning.cases import CLOSING_OUTCOMES, CaseOutcome, CaseState
from analytics.models import RiskCase
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

CHANGE = "analytics.change_riskcase"
_NOTE_LENGTH = 1000


class RiskCaseClosed(LoanCrmError):
    """The case was closed by somebody else, or by the end of its alert."""

    code = "risk_case_closed"


class RiskCaseRefused(LoanCrmError):
    """A case is closed with an outcome and with what was done; `field` says what is missing."""

    code = "risk_case_refused"


def take_case(*, actor: Actor, case: RiskCase, user: Any, now: datetime) -> RiskCase:
    """Make a person the owner of a case; of one that is theirs already nothing changes.

    Raises:
        PermissionRefused: The actor may not work on cases.
        RiskCaseClosed: See there.
    """
    with acting(actor, CHANGE, on=case, now=now) as act:
        row = _open_case(case)
        if row.owner_id == user.pk and row.state == CaseState.TAKEN:
            act.unchanged()
            return row
        before = row.owner_id
        row.owner, row.state, row.taken_at = user, CaseState.TAKEN, row.taken_at or now
        row.save(update_fields=["owner", "state", "taken_at"])
        act.record("risk_case.take", facts={"before": before, "owner": user.pk})
    return row


def close_case(*, actor: Actor, case: RiskCase, outcome: str, note: str, now: datetime) -> RiskCase:
    """Say what came of a case. Its alert ends by itself, when its rule finds nothing any more.

    Raises:
        PermissionRefused: The actor may not work on cases.
        RiskCaseClosed: See there.
        RiskCaseRefused: The outcome is none, or there is no note of what was done.
    """
    words = " ".join(note.split())[:_NOTE_LENGTH]
    act = acting(actor, CHANGE, on=case, now=now)
    if outcome not in CLOSING_OUTCOMES:
        raise RiskCaseRefused(_("Choose what came of the case."), field="outcome")
    if not words:
        raise RiskCaseRefused(_("Write down what was done, or why it was nothing."), field="note")
    with act:
        row = _open_case(case)
        row.state, row.outcome = CaseState.CLOSED, CaseOutcome(outcome)
        row.closed_at, row.note = now, words
        row.save(update_fields=["state", "outcome", "closed_at", "note"])
        act.record("risk_case.close", facts={"outcome": outcome}, reason=words)
    return row


def _open_case(case: RiskCase) -> RiskCase:
    row = RiskCase.objects.select_for_update().get(pk=case.pk)
    if row.state == CaseState.CLOSED:
        raise RiskCaseClosed(_("The case is closed already."))
    return row
