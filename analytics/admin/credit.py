"""Assumptions, versions of the policy, decisions and their reviews, as lists of the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from analytics.domain.credit.assumptions import AssumptionName
from analytics.domain.credit.reviewing import PolicyState
from analytics.labels.credit import (
    ASSUMPTIONS,
    OUTCOMES,
    POLICY_STATES,
    REASONS,
    REVIEW_KINDS,
)
from analytics.models import (
    CreditAssumption,
    CreditDecision,
    DecisionReview,
    PolicyVersion,
)
from analytics.services.credit import assumptions, policies
from customers.models import Customer
from customers.selectors.profile.person import masked_name
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


class AssumptionForm(forms.ModelForm):  # type: ignore[type-arg] # not at run time
    """What, how much and from where; the rules are those of the service."""

    name = forms.ChoiceField(
        label=gettext_lazy("Assumption"),
        choices=lambda: [(name.value, ASSUMPTIONS.label(name)) for name in AssumptionName],
        widget=widgets.UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = CreditAssumption
        fields = ("name", "value", "source")

    def clean_value(self) -> Any:
        """Refuse what is no share."""
        value = self.cleaned_data["value"]
        if not 0 <= value <= 1:
            raise forms.ValidationError(_("The value is a share between 0 and 1."))
        return value

    def clean_source(self) -> str:
        """Refuse a source that says nothing."""
        source: str = self.cleaned_data["source"].strip()
        if len(source) < assumptions.SHORTEST_SOURCE:
            raise forms.ValidationError(
                _("Say where the value comes from, in %(count)s characters or more.")
                % {"count": assumptions.SHORTEST_SOURCE}
            )
        return source


@admin.register(CreditAssumption)
class CreditAssumptionAdmin(ReadOnlyAdmin):
    """Every value that was ever set; the last one of each holds."""

    form = AssumptionForm
    list_display = ("label", "value", "source", "recorded_by", "recorded_at")
    search_fields = ("source",)
    ordering = ("-recorded_at", "-pk")
    nothing_yet = gettext_lazy("Nobody has set an assumption; the built-in ones stand.")

    @admin.display(description=gettext_lazy("assumption"), ordering="name")
    def label(self, row: CreditAssumption) -> str:
        """Return the assumption in words."""
        return ASSUMPTIONS.label(row.name)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Analysts set assumptions."""
        return bool(request.user.has_perm(assumptions.PERMISSION))

    def save_model(
        self,
        request: HttpRequest,
        obj: CreditAssumption,  # type: ignore[override]
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Set it by its service, which writes the audit entry."""
        made = assumptions.record_assumption(
            actor=admin_pages.actor_of(request),
            name=AssumptionName(obj.name),
            value=obj.value,
            source=obj.source,
            now=clock.now(),
        )
        obj.pk = made.pk


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    """Versions of the policy; a second person puts one in force."""

    list_display = ("number", "state_badge", "proposed_by", "approved_by", "approved_at", "terms")
    ordering = ("-number",)
    # A version is put in force on the page that shows its terms, not unseen from a list.
    actions = None
    nothing_yet = gettext_lazy("No policy has been proposed; nothing is decided by itself.")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, row: PolicyVersion) -> str:
        """Return where the version is in its life."""
        term = POLICY_STATES.term(row.state)
        return admin_pages.badge(term.tone, str(term.label))

    @admin.display(description=gettext_lazy("terms"))
    def terms(self, row: PolicyVersion) -> SafeString:
        """Lead to the table of terms by band."""
        address = reverse("credit:offers", args=[row.pk])
        words = _("Terms by band")
        if row.state == PolicyState.PROPOSED:
            words = _("Read it before it is put in force")
        return format_html('<a class="lcx-text-link" href="{}">{}</a>', address, words)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Analysts propose policies."""
        return bool(request.user.has_perm(policies.PROPOSES))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the form of a policy."""
        return HttpResponseRedirect(reverse("credit:propose"))


def _page_of(decision_id: int) -> SafeString:
    address = reverse("credit:decision", args=[decision_id])
    return format_html('<a class="lcx-text-link" href="{}">#{}</a>', address, decision_id)


def _whom(customer: Customer) -> str:
    return masked_name(customer) or f"#{customer.pk}"


@admin.register(CreditDecision)
class CreditDecisionAdmin(ReadOnlyAdmin):
    """What was decided; the page of a decision shows the facts and takes what the customer says."""

    list_display = (
        *("page", "whom", "outcome_badge", "why"),
        *("final_band", "rate", "limit", "policy", "decided_at"),
    )
    list_display_links = None
    list_filter = (vocabulary_filter("outcome", gettext_lazy("outcome"), OUTCOMES, OUTCOMES.label),)
    list_select_related = ("customer", "policy")
    ordering = ("-decided_at", "-pk")
    nothing_yet = gettext_lazy("Nothing has been decided: no policy is in force, or none applied.")

    @admin.display(description=gettext_lazy("decision"), ordering="pk")
    def page(self, row: CreditDecision) -> SafeString:
        """Lead to the page of the decision."""
        return _page_of(row.pk)

    @admin.display(description=gettext_lazy("customer"))
    def whom(self, row: CreditDecision) -> str:
        """Return whom it is about, masked."""
        return _whom(row.customer)

    @admin.display(description=gettext_lazy("outcome"), ordering="final_outcome")
    def outcome_badge(self, row: CreditDecision) -> str:
        """Return what holds now."""
        term = OUTCOMES.term(row.final_outcome or row.outcome)
        return admin_pages.badge(term.tone, str(term.label))

    @admin.display(description=gettext_lazy("granted annual rate"), ordering="final_rate")
    def rate(self, row: CreditDecision) -> str:
        """Return the price of the credit that is granted."""
        return "–" if row.final_rate is None else f"{row.final_rate:.2%}"

    @admin.display(description=gettext_lazy("granted limit"), ordering="final_limit_amount")
    def limit(self, row: CreditDecision) -> str:
        """Return how much credit is granted."""
        return "–" if row.final_limit_amount is None else f"¥{row.final_limit_amount:,.2f}"

    @admin.display(description=gettext_lazy("reasons"))
    def why(self, row: CreditDecision) -> str:
        """Return the reasons in words."""
        return " ".join(REASONS.label(reason) for reason in row.reasons)


@admin.register(DecisionReview)
class DecisionReviewAdmin(ReadOnlyAdmin):
    """What people looked at and are to look at, the open ones first."""

    list_display = (
        *("page", "whom", "kind_badge", "outcome_badge"),
        *("requested_at", "reviewed_by", "reviewed_at"),
    )
    list_display_links = None
    list_select_related = ("customer", "reviewed_by")
    list_filter = (
        vocabulary_filter(
            "kind", gettext_lazy("why a person looks"), REVIEW_KINDS, REVIEW_KINDS.label
        ),
    )
    # The databases do not agree where a missing moment stands.
    ordering = (F("reviewed_at").asc(nulls_first=True), "requested_at", "pk")
    nothing_yet = gettext_lazy("No decision waits for a person.")

    @admin.display(description=gettext_lazy("decision"))
    def page(self, row: DecisionReview) -> SafeString:
        """Lead to the page of the decision."""
        return _page_of(row.decision_id)

    @admin.display(description=gettext_lazy("customer"))
    def whom(self, row: DecisionReview) -> str:
        """Return whom it is about, masked."""
        return _whom(row.customer)

    @admin.display(description=gettext_lazy("why a person looks"), ordering="kind")
    def kind_badge(self, row: DecisionReview) -> str:
        """Return why a person looks."""
        term = REVIEW_KINDS.term(row.kind)
        return admin_pages.badge(term.tone, str(term.label))

    @admin.display(description=gettext_lazy("outcome"), ordering="outcome")
    def outcome_badge(self, row: DecisionReview) -> str:
        """Return what the person decided."""
        if not row.outcome:
            return admin_pages.badge("busy", _("Waiting for a person"))
        term = OUTCOMES.term(row.outcome)
        return admin_pages.badge(term.tone, str(term.label))
