"""Pages of the credit policy: propose a version, and read what it changes before it is in force."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.credit import book_charts, policy_words
from analytics.dashboards.credit.book_charts import UNKNOWN, percent
from analytics.dashboards.credit.policy_forms import (
    SPARE_ROWS,
    PolicyForms,
    PolicyJsonForm,
    policy_forms,
)
from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.example_policy import EXAMPLE_POLICY
from analytics.domain.credit.policy import CreditPolicy, DecisionOutcome, PolicyFact
from analytics.domain.credit.policy_changes import policy_changes
from analytics.domain.credit.policy_text import MOST_BANDS
from analytics.domain.credit.reviewing import PolicyState
from analytics.domain.credit.swap_set import SwapLine
from analytics.labels.credit import FACTS, OUTCOMES, POLICY_STATES, SWAP_GROUPS
from analytics.models import PolicyVersion
from analytics.selectors.credit import acceptance, values
from analytics.selectors.credit.policy_swap import load_policy_swap
from analytics.services.credit import policies
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_policyversion"


def propose(request: HttpRequest) -> HttpResponse:
    """Fill in a new version, beginning with the one in force or with an example."""
    admin_pages.require(request, policies.PROPOSES)
    in_force = PolicyVersion.objects.filter(state=PolicyState.ACTIVE).first()
    start = dict(EXAMPLE_POLICY) if in_force is None else in_force.content
    data = request.POST or None
    models = acceptance.chance_models()
    form = policy_forms(start, models=models, data=data)
    how = request.POST.get("how", "")
    as_json = PolicyJsonForm(
        data if how == "json" else None,
        initial={"content": json.dumps(start, ensure_ascii=False, indent=2)},
    )
    if how == "rows":
        more = data.copy() if data is not None else {}
        more["rows"] = str(min(len(form.bands) + SPARE_ROWS, MOST_BANDS))
        form = policy_forms(start, models=models, data=more)
    elif data is not None:
        content = _json_content(form, as_json) if how == "json" else form.content()
        if content is not None:
            reason = str(form.terms.cleaned_data["reason"])
            with admin_pages.attempt(
                request, _("The version is proposed; a second person puts it in force.")
            ) as action:
                row = policies.propose_policy(
                    actor=admin_pages.actor_of(request),
                    content=content,
                    reason=reason,
                    now=clock.now(),
                )
                return HttpResponseRedirect(reverse("credit:offers", args=[row.pk]))
            if action.error is not None and how == "json":
                as_json.add_error("content", action.error.message)
    return admin_pages.page(
        request,
        "analytics/credit/propose.html",
        title=_("Propose a credit policy"),
        in_force=in_force,
        terms=form.terms,
        terms_fields=[field for field in form.terms if field.name != "reason"],
        reason=form.terms["reason"],
        rules=form.rules,
        bands=form.bands,
        columns=[field.label for field in form.bands[0]],
        may_have_more=len(form.bands) < MOST_BANDS,
        as_json=as_json,
        is_expert=how == "json",
        facts=[(fact.value, FACTS.label(fact)) for fact in PolicyFact],
    )


def _json_content(form: PolicyForms, as_json: PolicyJsonForm) -> dict[str, Any] | None:
    """Return what was typed as JSON, where it and the reason can be read."""
    form.terms.is_valid()
    has_reason = "reason" in form.terms.cleaned_data
    for name in set(form.terms.errors) - {"reason"}:
        # The rest of the form is not what was sent.
        del form.terms.errors[name]
    if not as_json.is_valid() or not has_reason:
        return None
    content: dict[str, Any] = as_json.cleaned_data["content"]
    return content


def offers(request: HttpRequest, policy_id: int) -> HttpResponse:
    """Show what a version says and changes, and let a second person put it in force."""
    admin_pages.require(request, VIEW)
    row = admin_pages.row_of(
        PolicyVersion.objects.select_related("proposed_by", "approved_by", "replaces"),
        str(policy_id),
    )
    if request.method == "POST":
        admin_pages.require(request, policies.APPROVES)
        read = request.POST.get("replaces", "")
        with admin_pages.attempt(request, _("The policy is in force.")):
            policies.approve_policy(
                actor=admin_pages.actor_of(request),
                policy_id=row.pk,
                replaces=int(read) if admin_pages.is_key(read) else None,
                digest=request.POST.get("digest", ""),
                now=clock.now(),
            )
        return HttpResponseRedirect(reverse("credit:offers", args=[row.pk]))
    is_waiting = row.state == PolicyState.PROPOSED
    in_force = PolicyVersion.objects.filter(state=PolicyState.ACTIVE).exclude(pk=row.pk).first()
    before = in_force if is_waiting else row.replaces
    context: dict[str, Any] = {"problem": ""}
    try:
        policy = policies.load_policy(row)
        context |= policy_words.terms(policy)
        if before is not None:
            context |= _compared(policies.load_policy(before), policy, has_swap=is_waiting)
    except policies.PolicyRefused as error:
        context = {"problem": str(error.message)}
    may_approve = request.user.has_perm(policies.APPROVES)
    is_own = row.proposed_by_id == request.user.pk
    return admin_pages.page(
        request,
        "analytics/credit/offers.html",
        title=_("Credit policy: version %(number)s") % {"number": row.number},
        policy=row,
        state=POLICY_STATES.term(row.state),
        in_force=in_force,
        before=before,
        is_waiting=is_waiting,
        may_approve=is_waiting and may_approve and not is_own and not context["problem"],
        **context,
    )


def _compared(old: CreditPolicy, new: CreditPolicy, *, has_swap: bool) -> dict[str, Any]:
    """Return what a version says otherwise than the one before, and whom that lets in."""
    return {
        "changes": [policy_words.change(change) for change in policy_changes(old, new)],
        "swap": _swap(old, new) if has_swap else None,
    }


def _swap(old: CreditPolicy, new: CreditPolicy) -> dict[str, Any] | None:
    lost = values.load_values()[AssumptionName.LOSS_GIVEN_DEFAULT]
    margin = acceptance.margin_share(today=clock.today())
    found = load_policy_swap(
        old=old,
        new=new,
        loss_given_default=lost.value,
        margin_share=margin or 0.0,
        now=clock.now(),
    )
    if not found.count:
        return None
    return {
        "count": found.count,
        "without_chance": found.without_chance,
        "has_margin": margin is not None,
        "lost": percent(lost.value),
        "outcomes": [OUTCOMES.label(outcome) for outcome in DecisionOutcome],
        "matrix": [
            (
                OUTCOMES.term(was),
                [found.outcomes[was, becomes] for becomes in DecisionOutcome],
            )
            for was in DecisionOutcome
        ],
        "lines": [swap_line(line) for line in found.swap.lines],
        "profit_change": f"¥{found.swap.profit_change:+,.0f}",
        "loss_change": f"¥{found.swap.loss_change:+,.0f}",
    }


def swap_line(line: SwapLine) -> dict[str, Any]:
    """Return a group of a swap set in words, its observed default rate with the interval."""
    return {
        "term": SWAP_GROUPS.term(line.group),
        "count": line.count,
        "amount": f"¥{line.exposure_amount:,.0f}",
        "profit": f"¥{line.profit_amount:,.0f}",
        "loss": f"¥{line.loss_amount:,.0f}",
        "known": f"{line.bad_count:,} / {line.known_count:,}" if line.known_count else UNKNOWN,
        "rate": book_charts.rate_with_interval(line.bad_count, line.known_count),
    }
