"""Let the policy in force decide the applications that wait, and queue what a person decides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.domain.credit.policy import (
    ApplicantFacts,
    CreditPolicy,
    DecisionOutcome,
    PolicyDecision,
    decide,
)
from analytics.domain.credit.reviewing import PolicyState, ReviewKind
from analytics.models import CreditDecision, DecisionReview, PolicyVersion
from analytics.selectors.credit import applicants
from analytics.services.credit.policies import load_policy
from customers.models import Application
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import Act, acting

PERMISSION = "analytics.add_creditdecision"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class DecidedApplications:
    """What became of the applications; all zero where no policy is in force (`policy` is 0)."""

    policy: int
    approved: int = 0
    declined: int = 0
    review: int = 0

    @property
    def count(self) -> int:
        """Return how many were decided."""
        return self.approved + self.declined + self.review


def decide_applications(*, actor: Actor, now: datetime) -> DecidedApplications:
    """Decide every submitted application once by the policy in force.

    The decision is a record beside the application; the application's own state stays with the
    source that it came from. Eight queries for every 500, and those of storing; an application that
    another run has decided meanwhile is left to it. Facts are read while the applications are held,
    so that nobody withdraws or merges one between its facts and its decision; and while the policy
    is held, so that none is decided by a version that another has followed: what is left then is
    decided by that one, the next time.

    Raises:
        PermissionRefused: The actor may not decide.
        PolicyRefused: The policy in force is not what was approved.
    """
    act = acting(actor, PERMISSION, now=now)
    version = PolicyVersion.objects.filter(state=PolicyState.ACTIVE).first()
    if version is None:
        return DecidedApplications(policy=0)
    policy = load_policy(version)
    counts: Counter[str] = Counter()
    last_pk: int | None = 0
    while last_pk is not None:
        with act:
            last_pk = _decide_batch(act, version, policy, after=last_pk, counts=counts)
    return DecidedApplications(policy=version.number, **counts)


def _decide_batch(
    act: Act, version: PolicyVersion, policy: CreditPolicy, *, after: int, counts: Counter[str]
) -> int | None:
    """Decide the next applications; return the key of the last one, None where it is over."""
    in_force = PolicyVersion.objects.select_for_update().filter(state=PolicyState.ACTIVE)
    batch = [] if in_force.filter(pk=version.pk).first() is None else _batch(after)
    if not batch:
        act.unchanged()
        return None
    rows = _decisions(batch, version, policy, act.now)
    CreditDecision.objects.bulk_create(rows, ignore_conflicts=True)
    found = _own(batch, version, act.now)
    _queue(found, act.now)
    counts.update(row.outcome for row in found)
    act.record(
        "credit_decisions.recorded",
        on=version,
        facts={"policy": version.number, "count": len(found)},
    )
    return int(batch[-1].pk)


def _batch(after: int) -> list[Application]:
    rows = applicants.waiting_applications().filter(pk__gt=after).select_related("customer")
    return list(rows.select_for_update(of=("self",)).order_by("pk")[:_BATCH])


def _decisions(
    batch: Sequence[Application], version: PolicyVersion, policy: CreditPolicy, now: datetime
) -> list[CreditDecision]:
    facts = applicants.load_facts(
        batch,
        score_model=policy.score_model,
        today=now.astimezone(clock.company_zone()).date(),
        now=now,
    )
    return [
        CreditDecision(
            application=application,
            customer_id=application.customer_id,
            policy=version,
            risk=facts[application.pk].facts.risk,
            facts=_facts_json(facts[application.pk].facts),
            score_version=facts[application.pk].score_version,
            scored_at=facts[application.pk].scored_at,
            decided_at=now,
            **_columns(decide(policy, facts[application.pk].facts)),
        )
        for application in batch
    ]


def _columns(decision: PolicyDecision) -> dict[str, Any]:
    is_final = decision.outcome is not DecisionOutcome.REVIEW
    is_granted = decision.outcome is DecisionOutcome.APPROVED
    return {
        "outcome": decision.outcome,
        "final_outcome": decision.outcome if is_final else "",
        "reasons": [reason.value for reason in decision.reasons],
        "band": decision.band,
        "annual_rate": decision.annual_rate,
        "limit_amount": decision.limit_amount,
        "final_band": decision.band if is_granted else "",
        "final_rate": decision.annual_rate if is_granted else None,
        "final_limit_amount": decision.limit_amount if is_granted else None,
    }


def _facts_json(facts: ApplicantFacts) -> dict[str, str]:
    return {name.value: format(value.normalize(), "f") for name, value in facts.values.items()}


def _own(
    batch: Sequence[Application], version: PolicyVersion, now: datetime
) -> list[CreditDecision]:
    ids = [application.pk for application in batch]
    rows = CreditDecision.objects.filter(application_id__in=ids, policy=version, decided_at=now)
    return list(rows.order_by("pk"))


def _queue(decisions: Sequence[CreditDecision], now: datetime) -> None:
    DecisionReview.objects.bulk_create(
        [
            DecisionReview(
                decision=row,
                customer_id=row.customer_id,
                kind=ReviewKind.POLICY,
                requested_at=now,
            )
            for row in decisions
            if row.outcome == DecisionOutcome.REVIEW
        ],
        ignore_conflicts=True,
    )
