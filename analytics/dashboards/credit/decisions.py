"""The page of one decision: facts, reasons, terms, and what people made of it."""

from decimal import Decimal, InvalidOperation

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.credit.book_charts import percent
from analytics.dashboards.credit.policy_words import fact
from analytics.domain.credit.policy import DecisionOutcome, PolicyFact
from analytics.labels.credit import FACTS, OUTCOMES, REASONS, REVIEW_KINDS
from analytics.models import CreditDecision
from analytics.services.credit import policies, reviews
from customers.labels import model_version
from customers.selectors.profile.person import masked_name
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_creditdecision"
_MOST_AMOUNT = Decimal(10) ** 12
VIEW_POLICY = "analytics.view_policyversion"
_LONGEST_TEXT = 1000


def decision(request: HttpRequest, decision_id: int) -> HttpResponse:
    """Show a decision; note that it is contested, or settle the open review."""
    admin_pages.require(request, VIEW)
    rows = CreditDecision.objects.select_related("customer", "application", "policy")
    row = admin_pages.row_of(rows, str(decision_id))
    typed: dict[str, str] = {}
    if request.method == "POST":
        if _act(request, row):
            return HttpResponseRedirect(reverse("credit:decision", args=[row.pk]))
        # Refused: what was typed stays in the form.
        names = ("reason", "request", "band", "limit")
        typed = {name: request.POST.get(name, "") for name in names}
    history = list(row.reviews.select_related("reviewed_by").order_by("requested_at", "pk"))
    is_open = any(review.reviewed_at is None for review in history)
    return admin_pages.page(
        request,
        "analytics/credit/decision.html",
        title=_("Decision %(number)s") % {"number": row.pk},
        decision=row,
        customer=masked_name(row.customer) or row.customer.external_id,
        customer_url=reverse("admin:customers_customer_change", args=[row.customer_id]),
        outcome=OUTCOMES.term(row.final_outcome or row.outcome),
        by_policy=OUTCOMES.label(row.outcome),
        reasons=[REASONS.label(reason) for reason in row.reasons],
        facts=[(FACTS.label(name), fact(name, row.facts.get(name.value))) for name in PolicyFact],
        risk=percent(None if row.risk is None else float(row.risk)),
        score=model_version(row.score_version),
        offered=_terms(row.band, row.annual_rate, row.limit_amount),
        granted=_terms(row.final_band, row.final_rate, row.final_limit_amount),
        bands=_bands(row, typed),
        reviews=[
            {
                "review": review,
                "kind": REVIEW_KINDS.label(review.kind),
                "outcome": OUTCOMES.term(review.outcome) if review.outcome else None,
                "terms": _terms(review.band, review.annual_rate, review.limit_amount),
            }
            for review in history
        ],
        typed=typed,
        shortest=reviews.SHORTEST_REASON,
        may_see_policy=request.user.has_perm(VIEW_POLICY),
        may_contest=not is_open and request.user.has_perm(reviews.CONTESTS),
        may_settle=is_open and request.user.has_perm(reviews.REVIEWS),
        # What is settled is what was read: of another one, asked for meanwhile, nothing is said.
        open_review=next((one.pk for one in history if one.reviewed_at is None), None),
    )


def _terms(band: str, rate: Decimal | None, limit: Decimal | None) -> str:
    """Return how much is lent and at what price; empty where no terms are given."""
    if rate is None or limit is None:
        return ""
    return _("Band %(band)s: up to ¥%(limit)s at %(rate)s a year") % {
        "band": band,
        "limit": f"{limit:,.2f}",
        "rate": percent(float(rate)),
    }


def _bands(row: CreditDecision, typed: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Return (name, words, is chosen) of the bands that a person may grant the terms of."""
    try:
        policy = policies.load_policy(row.policy)
    except policies.PolicyRefused:
        return []
    by_risk = None if row.risk is None else policy.band_of(row.risk)
    chosen = typed.get("band") or row.band or (by_risk.name if by_risk else policy.bands[-1].name)
    return [
        (
            band.name,
            _terms(band.name, band.annual_rate, band.limit_amount),
            band.name == chosen,
        )
        for band in policy.bands
    ]


def _act(request: HttpRequest, row: CreditDecision) -> bool:
    """Do what was asked for; return whether it was done."""
    actor, now = admin_pages.actor_of(request), clock.now()
    is_contest = request.POST.get("what") == "contest"
    admin_pages.require(request, reviews.CONTESTS if is_contest else reviews.REVIEWS)
    if is_contest:
        with admin_pages.attempt(request, _("A person will look at it.")) as action:
            reviews.contest_decision(
                actor=actor, decision_id=row.pk, request=_words(request, "request"), now=now
            )
        return action.is_done
    still_open = row.reviews.filter(reviewed_at=None)
    review = next((one for one in still_open if str(one.pk) == request.POST.get("review")), None)
    chosen = request.POST.get("outcome", "")
    if review is None or chosen not in set(DecisionOutcome):
        admin_pages.show_message(request, _("There is nothing to settle here."), is_good=False)
        return True
    try:
        limit = _amount(request.POST.get("limit", ""))
    except ValueError:
        admin_pages.show_message(request, _("The limit is an amount in ¥."), is_good=False)
        return False
    with admin_pages.attempt(request, _("What you decided holds from now on.")) as action:
        reviews.settle_review(
            actor=actor,
            review_id=review.pk,
            outcome=DecisionOutcome(chosen),
            reason=_words(request, "reason"),
            band=_words(request, "band"),
            limit_amount=limit,
            now=now,
        )
    return action.is_done


def _amount(text: str) -> Decimal | None:
    """Return an amount as it was typed; None for nothing.

    Raises:
        ValueError: It is none.
    """
    plain = text.replace(",", "").replace("¥", "").strip()
    if not plain:
        return None
    try:
        found = Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not found.is_finite() or not 0 <= found < _MOST_AMOUNT:
        raise ValueError(text)
    return found


def _words(request: HttpRequest, name: str) -> str:
    """Return a text as it can be stored, no longer than the page lets it be."""
    return request.POST.get(name, "").replace("\x00", "")[:_LONGEST_TEXT]
