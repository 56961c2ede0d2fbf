"""Grants that ended by a word that nobody could read: somebody asks, and says what was meant."""

from datetime import datetime
from typing import Final

from customers.domain.consents.consent import UnclearDecision
from customers.models import ConsentRecord, Customer, UnclearConsent
from customers.services.consents import ledger
from customers.services.consents.ledger import ConsentChange
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PERMISSION: Final = "customers.change_unclearconsent"
SOURCE: Final = "review"


class UnclearConsentRefused(LoanCrmError):
    """This cannot be decided: it is decided already, or no grant stood before."""

    code = "unclear_consent_refused"


def decide_unclear_consent(
    *, actor: Actor, unclear_id: int, decision: UnclearDecision, reason: str, now: datetime
) -> UnclearConsent:
    """Say what the word meant: a refusal stays one, a consent is put back as it was.

    Args:
        reason: Who was asked and what they said; kept in the audit trail.

    Returns:
        The row as decided.

    Raises:
        PermissionRefused: The actor may not decide about them.
        UnclearConsentRefused: It was decided already, nothing was decided, the reason is missing,
            or the ledger holds no grant that could be put back.
        UnclearConsent.DoesNotExist: There is no such row.
    """
    act = acting(actor, PERMISSION, now=now)
    if decision is UnclearDecision.OPEN:
        raise UnclearConsentRefused(_("Say whether it was a consent or a refusal."))
    if not reason.strip():
        raise UnclearConsentRefused(_("Write down whom you asked and what they said."))
    with act:
        row = UnclearConsent.objects.select_for_update().get(pk=unclear_id)
        if row.decision != UnclearDecision.OPEN:
            raise UnclearConsentRefused(_("Somebody has decided this already."))
        # Decided before the word is written, which would settle it in the source's name.
        row.decision, row.decided_at, row.decided_by = decision, now, actor.label
        row.save(update_fields=["decision", "decided_at", "decided_by"])
        if decision is UnclearDecision.GRANTED:
            ledger.append_changes(changes=[_grant(row)], now=now)
        act.record(
            "consents.settle",
            on=(Customer, row.customer_id),
            facts={
                "channel": row.channel,
                "purpose": row.purpose,
                "decision": decision.value,
                "reason": reason.strip()[:500],
            },
        )
    return row


def _grant(row: UnclearConsent) -> ConsentChange:
    """Return the grant that the word ended, as the ledger has it."""
    merged = Customer.objects.filter(merged_into_id=row.customer_id).values("pk")
    before = (
        ConsentRecord.objects.filter(
            customer_id__in=[row.customer_id, *merged.values_list("pk", flat=True)],
            channel=row.channel,
            purpose=row.purpose,
            is_granted=True,
            recorded_at__lte=row.ended_at,
        )
        .order_by("-at", "-pk")
        .first()
    )
    if before is None:
        raise UnclearConsentRefused(_("The ledger holds no consent that could be put back."))
    return ConsentChange(
        row.customer_id,
        row.channel,
        row.purpose,
        is_granted=True,
        source=SOURCE,
        said_to=before.source,
        evidence=f"unclear:{row.pk}",
        policy_version=before.policy_version,
        expires_at=before.expires_at,
    )
