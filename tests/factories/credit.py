"""Policies that are put in force as a person does who has read what changes."""

from datetime import datetime
from decimal import Decimal

from analytics.models import CreditDecision, PolicyVersion
from analytics.services.credit import policies
from loancrm.kernel.access import Actor


def put_in_force(actor: Actor, row: PolicyVersion, now: datetime) -> None:
    """Approve a version against the one that is in force at this moment."""
    last = PolicyVersion.objects.filter(state="active").values_list("number", flat=True).first()
    policies.approve_policy(
        actor=actor, policy_id=row.pk, replaces=last, digest=row.digest, now=now
    )


def grant_terms(decision: CreditDecision) -> None:
    """Write that credit is granted, with terms, without anybody's decision."""
    CreditDecision.objects.filter(pk=decision.pk).update(
        final_outcome="approved", final_band="A", final_rate=Decimal("0.08"),
        final_limit_amount=Decimal(5000),
    )  # fmt: skip
