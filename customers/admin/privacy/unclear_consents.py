"""Unclear consents: grants that ended by a word that nobody could read, and what was meant."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import labels
from customers.domain.consents.consent import ConsentChannel, UnclearDecision
from customers.models import UnclearConsent
from customers.selectors import sources
from customers.selectors.profile import person as profile_person
from customers.services.consents import unclear_consents
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import is_allowed
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


@admin.register(UnclearConsent)
class UnclearConsentAdmin(ReadOnlyAdmin):
    """What waits for somebody to ask comes first, the newest before the older."""

    list_display = (
        "person",
        "channel_label",
        "purpose_label",
        "source_label",
        "ended_at",
        "result",
    )
    list_filter = (
        vocabulary_filter(
            "decision",
            gettext_lazy("decision"),
            UnclearDecision,
            labels.UNCLEAR_DECISIONS.label,
        ),
        vocabulary_filter(
            "channel", gettext_lazy("channel"), ConsentChannel, labels.CHANNELS.label
        ),
    )
    empty_template = "customers/unclear_consent_empty.html"
    ordering = ("decision", "-ended_at", "-id")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnclearConsent]:
        """Read everything in one query."""
        rows = UnclearConsent.objects.select_related("customer")
        return rows.annotate(source_title=sources.title())

    @admin.display(description=gettext_lazy("customer"))
    def person(self, row: UnclearConsent) -> str:
        """Return the customer's number and masked name."""
        return f"#{row.customer_id} {profile_person.masked_name(row.customer)}".strip()

    @admin.display(description=gettext_lazy("source"), ordering="source")
    def source_label(self, row: UnclearConsent) -> str:
        """Return the source by its title."""
        title: str | None = getattr(row, "source_title", None)
        return title or labels.own_source(row.source)

    @admin.display(description=gettext_lazy("channel"), ordering="channel")
    def channel_label(self, row: UnclearConsent) -> str:
        """Return the channel in words."""
        return labels.CHANNELS.label(row.channel)

    @admin.display(description=gettext_lazy("purpose"), ordering="purpose")
    def purpose_label(self, row: UnclearConsent) -> str:
        """Return the purpose in words."""
        return labels.PURPOSES.label(row.purpose)

    @admin.display(description=gettext_lazy("decision"), ordering="decision")
    def result(self, row: UnclearConsent) -> str:
        """Return the decision as a coloured badge."""
        return admin_pages.badge(
            labels.UNCLEAR_DECISIONS.tone(row.decision),
            labels.UNCLEAR_DECISIONS.label(row.decision),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what ended the grant; a sent form says what was meant."""
        row = admin_pages.row_of(UnclearConsent.objects.select_related("customer"), object_id)
        admin_pages.require(request, "customers.view_unclearconsent", row)
        if request.method == "POST":
            return _decide(request, row)
        return admin_pages.page(
            request,
            "customers/unclear_consent.html",
            title=_("Was it a consent or a refusal?"),
            model_admin=self,
            row=row,
            source_names=sources.names(),
            name=self.person(row),
            customer_url=object_url(row.customer),
            channel=labels.CHANNELS.label(row.channel),
            purpose=labels.PURPOSES.label(row.purpose),
            came_with=_came_with(row.evidence),
            decision=labels.UNCLEAR_DECISIONS.label(row.decision),
            tone=labels.UNCLEAR_DECISIONS.tone(row.decision),
            may_decide=row.decision == UnclearDecision.OPEN
            and is_allowed(admin_pages.actor_of(request), unclear_consents.PERMISSION),
        )


def _came_with(evidence: str) -> dict[str, str]:
    """Return words, and the page of the import that brought the word, where one did."""
    kind, _colon, rest = evidence.partition(":")
    number, _colon, line = rest.partition(":")
    if kind == "import" and number.isdecimal() and line.isdecimal():
        address = reverse("admin:customers_importbatch_change", args=[number])
        text = _("Import %(number)s, line %(line)s") % {"number": number, "line": line}
        return {"text": text, "address": address}
    return {"text": evidence, "address": ""}


def _decide(request: HttpRequest, row: UnclearConsent) -> HttpResponse:
    """Store what was meant; back to the list when it worked, else stay."""
    given = request.POST.get("decision", "")
    decision = UnclearDecision(given) if given in set(UnclearDecision) else UnclearDecision.OPEN
    with admin_pages.attempt(
        request, _("Noted: %(word)s.") % {"word": labels.UNCLEAR_DECISIONS.label(decision)}
    ) as done:
        unclear_consents.decide_unclear_consent(
            actor=admin_pages.actor_of(request),
            unclear_id=row.pk,
            decision=decision,
            reason=request.POST.get("reason", ""),
            now=clock.now(),
        )
    if done.is_done:
        return HttpResponseRedirect(reverse("admin:customers_unclearconsent_changelist"))
    return HttpResponseRedirect(object_url(row))
