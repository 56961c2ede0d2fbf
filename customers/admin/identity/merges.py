"""Duplicates: pairs compared side by side, merged or kept apart, and parted again."""

from typing import Any

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import labels
from customers.domain.identity.merging import MergeState
from customers.models import Merge, MergeDecision, SurvivorshipRule
from customers.selectors.identity import merge_review
from customers.services.identity import merging
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin, ThemedAdmin


@admin.register(MergeDecision)
class MergeDecisionAdmin(ReadOnlyAdmin):
    """The review queue: the most likely pairs first."""

    list_display = ("pair", "why", "chance", "result", "decided_by", "created_at")
    list_filter = (
        vocabulary_filter(
            "state",
            gettext_lazy("state"),
            MergeState,
            labels.MERGE_STATES.label,
        ),
    )
    list_before_template = "customers/merge_bar.html"
    empty_template = "customers/merge_empty.html"
    ordering = (
        F("decided_at").desc(nulls_first=True),
        F("probability").desc(nulls_last=True),
        "id",
    )

    @admin.display(description=gettext_lazy("customers"))
    def pair(self, decision: MergeDecision) -> str:
        """Return the two numbers as people quote them."""
        return f"#{decision.kept_id} · #{decision.other_id}"

    @admin.display(description=gettext_lazy("matched by"), ordering="matched_by")
    def why(self, decision: MergeDecision) -> str:
        """Return what the two share."""
        return labels.matched_by(decision.matched_by)

    @admin.display(description=gettext_lazy("chance"), ordering="probability")
    def chance(self, decision: MergeDecision) -> str:
        """Return the chance that they are one person."""
        return _percent(decision)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def result(self, decision: MergeDecision) -> str:
        """Return the state as a coloured badge."""
        return admin_pages.badge(
            labels.MERGE_STATES.tone(decision.state),
            labels.MERGE_STATES.label(decision.state),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the pair; a sent form decides about it."""
        decision = admin_pages.row_of(
            MergeDecision.objects.select_related("kept", "other"), object_id
        )
        admin_pages.require(request, "customers.view_mergedecision", decision)
        if request.method == "POST":
            return _decide(request, decision)
        merge = _merge_of(decision)
        return admin_pages.page(
            request,
            "customers/merge.html",
            title=_("One person or two?"),
            model_admin=self,
            decision=decision,
            state=labels.MERGE_STATES.label(decision.state),
            tone=labels.MERGE_STATES.tone(decision.state),
            why=labels.matched_by(decision.matched_by),
            chance=_percent(decision),
            lines=merge_review.side_by_side(decision.kept, decision.other, today=clock.today()),
            merge=merge,
            edits=merge_review.surviving_edits(merge) if merge else [],
            arrivals=merge_review.arrivals(merge) if merge else [],
            may_decide=request.user.has_perm(merging.PERMISSION),
        )


@admin.register(SurvivorshipRule)
class SurvivorshipRuleAdmin(ThemedAdmin):
    """Whose value of a field survives a merge."""

    list_display = ("field", "prefer", "sources")


def _decide(request: HttpRequest, decision: MergeDecision) -> HttpResponse:
    """Do what the pressed button says, and stay on the page."""
    actor, now = admin_pages.actor_of(request), clock.now()
    reason = request.POST.get("reason", "")[:200]
    match request.POST.get("do"):
        case "merge_left" | "merge_right" as what:
            ids = (decision.kept_id, decision.other_id)
            kept_id, other_id = ids if what == "merge_left" else ids[::-1]
            with admin_pages.attempt(request, _("The two customers are one now.")):
                merging.merge(
                    actor=actor, kept_id=kept_id, other_id=other_id, now=now, reason=reason
                )
        case "keep_apart":
            with admin_pages.attempt(request, _("The two customers stay two.")):
                merging.keep_apart(actor=actor, decision_id=decision.pk, now=now)
            return HttpResponseRedirect(reverse("admin:customers_mergedecision_changelist"))
        case "unmerge":
            merge = _merge_of(decision)
            if merge is not None:
                _part(request, merge, reason)
        case _:
            pass
    return HttpResponseRedirect(object_url(decision))


def _part(request: HttpRequest, merge: Merge, reason: str) -> None:
    with admin_pages.attempt(request, _("The merge was taken back.")):
        merging.unmerge(
            actor=admin_pages.actor_of(request), merge_id=merge.pk, now=clock.now(), reason=reason
        )


def _merge_of(decision: MergeDecision) -> Merge | None:
    """Return the latest merge of the pair, in either direction."""
    ids = (decision.kept_id, decision.other_id)
    return Merge.objects.filter(kept_id__in=ids, other_id__in=ids).order_by("-pk").first()


def _percent(decision: MergeDecision) -> str:
    if decision.probability is None:
        return "–"
    # Never rounded up to certainty.
    return f"{int(decision.probability * 1000) / 10:.1f}%"
