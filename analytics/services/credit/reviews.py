"""People look at decisions: those that a policy leaves to them, and those a customer contests.

Who is decided about by a machine alone may ask that a person looks (PIPL article 24).
"""

from datetime import datetime
from decimal import Decimal

from analytics.domain.credit.granting import GrantedTerms, GrantInvalid, grant
from analytics.domain.credit.policy import ApplicantFacts, DecisionOutcome, PolicyFact
from analytics.domain.credit.reviewing import ReviewKind
from analytics.labels.credit import GRANT_PROBLEMS
from analytics.models import CreditDecision, DecisionReview
from analytics.services.credit.policies import load_policy
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

CONTESTS = "analytics.add_decisionreview"
REVIEWS = "analytics.change_decisionreview"
SHORTEST_REASON = 10


class ReviewRefused(LoanCrmError):
    """The decision cannot be looked at so, or not by this person."""

    code = "decision_review_refused"


def contest_decision(
    *, actor: Actor, decision_id: int, request: str, now: datetime
) -> DecisionReview:
    """Note that a customer asks for a person to look at a decision; it waits in the queue.

    Raises:
        PermissionRefused: The actor may not note requests.
        ReviewRefused: A person is about to look already, or nothing was noted.
    """
    act = acting(actor, CONTESTS, now=now)
    if len(request.strip()) < SHORTEST_REASON:
        raise ReviewRefused(
            _("Note what the customer asks for, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    with act:
        decision = CreditDecision.objects.select_for_update().get(pk=decision_id)
        if DecisionReview.objects.filter(decision=decision, reviewed_at=None).exists():
            raise ReviewRefused(_("A person is about to look at this decision already."))
        review = DecisionReview.objects.create(
            decision=decision,
            customer_id=decision.customer_id,
            kind=ReviewKind.CONTEST,
            request=request.strip(),
            requested_at=now,
            requested_by=actor.user,
        )
        act.record("decision_review.request", on=review, facts={"decision": decision.pk})
    return review


def settle_review(
    *,
    actor: Actor,
    review_id: int,
    outcome: DecisionOutcome,
    reason: str,
    now: datetime,
    band: str = "",
    limit_amount: Decimal | None = None,
) -> None:
    """Decide as a person; what is decided holds from now on, and the policy's word stays on record.

    Whoever grants says on the terms of which band of the policy that decided: its rate, and at most
    its limit.

    Args:
        band: Of those that are granted; empty where it is declined.
        limit_amount: In CNY; None for as much as the band lends.

    Raises:
        PermissionRefused: The actor may not review.
        ReviewRefused: The actor is no person, noted the request or reviewed this decision before,
            gives no reason, grants what the policy has no terms for, or the review is settled.
    """
    act = acting(actor, REVIEWS, now=now)
    if actor.user is None:
        raise ReviewRefused(_("A person has to look at it."))
    if outcome is DecisionOutcome.REVIEW or len(reason.strip()) < SHORTEST_REASON:
        raise ReviewRefused(
            _("Grant or decline, and say why, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    with act:
        review = _open_review(review_id, actor)
        terms = None
        if outcome is DecisionOutcome.APPROVED:
            terms = _terms(review.decision, band, limit_amount)
        granted = {
            "band": terms.band if terms else "",
            "annual_rate": terms.annual_rate if terms else None,
            "limit_amount": terms.limit_amount if terms else None,
        }
        DecisionReview.objects.filter(pk=review.pk).update(
            outcome=outcome,
            reason=reason.strip(),
            reviewed_by=actor.user,
            reviewed_at=now,
            **granted,
        )
        CreditDecision.objects.filter(pk=review.decision_id).update(
            final_outcome=outcome,
            final_band=granted["band"],
            final_rate=granted["annual_rate"],
            final_limit_amount=granted["limit_amount"],
        )
        told = {name: str(value) for name, value in granted.items() if terms}
        act.record(
            "decision_review.settle",
            on=review,
            facts={"decision": review.decision_id, "outcome": outcome.value, **told},
            reason=reason.strip()[:300],
        )


def _open_review(review_id: int, actor: Actor) -> DecisionReview:
    """Return a review to be settled, held; refuse whoever has had a part in it."""
    rows = DecisionReview.objects.select_for_update(of=("self",))
    review = rows.select_related("decision__application", "decision__policy").get(pk=review_id)
    if review.reviewed_at is not None:
        raise ReviewRefused(_("Somebody has settled this review already."))
    assert actor.user is not None  # noqa: S101 - asked before
    earlier = DecisionReview.objects.filter(decision_id=review.decision_id, reviewed_by=actor.user)
    if review.requested_by_id == actor.user.pk or earlier.exists():
        raise ReviewRefused(_("Somebody who has had no part in it has to look at it."))
    return review


def _terms(decision: CreditDecision, band: str, limit_amount: Decimal | None) -> GrantedTerms:
    """Return the terms of a band of the policy that decided, on the facts that it saw."""
    facts = ApplicantFacts(
        risk=decision.risk,
        requested_amount=decision.application.amount,
        values={PolicyFact(name): Decimal(value) for name, value in decision.facts.items()},
    )
    try:
        return grant(load_policy(decision.policy), facts, band=band, limit_amount=limit_amount)
    except GrantInvalid as error:
        bound = "" if error.bound is None else f" ¥{error.bound:,.2f}"
        raise ReviewRefused(
            f"{GRANT_PROBLEMS.label(error.problem)}{bound}", field=error.problem.value
        ) from error
