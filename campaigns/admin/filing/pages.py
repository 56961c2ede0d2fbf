"""Filed signatures and templates: the list, the form, and what became of them."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from campaigns.admin.filing.form import FilingForm
from campaigns.domain.filing.filing import (
    FILING_MOVES,
    NEEDS_REASON,
    FilingKind,
    FilingStatus,
    is_near,
)
from campaigns.labels.filing import FILING_KINDS, FILING_MOVE_WORDS, FILING_STATUSES
from campaigns.models import Filing
from campaigns.selectors.filing import near_ends, standing
from campaigns.services.filing import filings
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.words import audit_words

_MOST_ENTRIES = 50


@admin.register(Filing)
class FilingAdmin(ReadOnlyAdmin):
    """What is filed with providers of text messages."""

    list_display = ("name", "kind_label", "channel_name", "status_badge", "end", "last_used_at")
    list_filter = (
        vocabulary_filter("status", gettext_lazy("status"), FilingStatus, FILING_STATUSES.label),
        vocabulary_filter("kind", gettext_lazy("kind"), FilingKind, FILING_KINDS.label),
    )
    search_fields = ("name", "provider_code")
    ordering = ("channel__name", "kind", "name")
    nothing_yet = gettext_lazy(
        "Nothing is filed yet. Add the signature of a channel of text messages."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Filing]:
        """Read the list in one query."""
        return Filing.objects.select_related("channel")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change filings may add them."""
        return bool(request.user.has_perm(filings.CHANGES))

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_label(self, row: Filing) -> str:
        """Return the kind in words."""
        return FILING_KINDS.label(row.kind)

    @admin.display(description=gettext_lazy("channel"), ordering="channel__name")
    def channel_name(self, row: Filing) -> str:
        """Return the channel by its name."""
        return row.channel.name

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, row: Filing) -> str:
        """Return where it stands."""
        return _badge(row)

    @admin.display(description=gettext_lazy("good until"))
    def end(self, row: Filing) -> str:
        """Return from which day it is no longer good, marked where that is near."""
        found = near_ends.end_of(row)
        if found is None:
            return "–"
        text = date_format(found)
        return admin_pages.badge("warn", text) if is_near(found, today=_today()) else text

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add a filing as a draft."""
        admin_pages.require(request, filings.CHANGES)
        return self._form_page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a filing, what became of it, and what may become of it next."""
        row = admin_pages.row_of(Filing, object_id)
        admin_pages.require(request, "campaigns.view_filing", row)
        return self._form_page(request, row)

    def get_urls(self) -> list[URLPattern]:
        """Add the moves of a filing."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/move/", wrap(move), name="campaigns_filing_move"),
            *super().get_urls(),
        ]

    def _form_page(self, request: HttpRequest, row: Filing | None) -> HttpResponse:
        form = FilingForm(request.POST or None, filing=row)
        end = near_ends.end_of(row) if row else None
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The filing is saved.")) as outcome:
                saved = filings.save_filing(
                    channel=row.channel if row else form.cleaned_data["channel"],
                    values=form.values(),
                    actor=admin_pages.actor_of(request),
                    now=clock.now(),
                    filing=row,
                )
            if outcome.is_done:
                return HttpResponseRedirect(object_url(saved))
            _show_beside(form, outcome.error)
        return admin_pages.page(
            request,
            "campaigns/filing.html",
            title=row.name if row else _("New filing"),
            model_admin=self,
            form=form,
            filing=row,
            badge=_badge(row) if row else "",
            end=end,
            is_near=is_near(end, today=_today()),
            may_save=request.user.has_perm(filings.CHANGES),
            moves=_moves(row),
            history=_history(row),
        )


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Note what became of a filing."""
    row = get_object_or_404(Filing, pk=pk)
    to = request.POST.get("to", "")
    if to in list(FilingStatus):
        with admin_pages.attempt(request, _("It is noted.")):
            filings.move_filing(
                filing=row,
                to=FilingStatus(to),
                actor=admin_pages.actor_of(request),
                now=clock.now(),
                reason=request.POST.get("reason", "")[:300],
            )
    return HttpResponseRedirect(reverse("admin:campaigns_filing_change", args=[pk]))


def waiting(_request: HttpRequest) -> int:
    """Return how many approvals end soon unless somebody acts: the number beside the menu entry."""
    return near_ends.count(now=clock.now())


def _today() -> date:
    return standing.today_of(clock.now())


def _badge(row: Filing) -> str:
    term = FILING_STATUSES.term(row.status)
    return admin_pages.badge(term.tone, FILING_STATUSES.label(row.status))


def _moves(row: Filing | None) -> list[dict[str, Any]]:
    """Return what may become of a filing, in the order of the states."""
    if row is None:
        return []
    targets = FILING_MOVES[FilingStatus(row.status)]
    return [
        {"to": to.value, "words": FILING_MOVE_WORDS.label(to), "needs_reason": to in NEEDS_REASON}
        for to in FilingStatus
        if to in targets
    ]


def _history(row: Filing | None) -> list[dict[str, Any]]:
    """Return what the audit trail has about a filing, the newest first."""
    if row is None:
        return []
    entries = AuditEntry.objects.filter(object_type=audit.type_of(Filing), object_id=str(row.pk))
    return [
        {
            "at": entry.at,
            "who": entry.actor_label,
            "deed": audit_words.action(entry.action),
            "reason": entry.reason,
        }
        for entry in entries.order_by("-pk")[:_MOST_ENTRIES]
    ]


def _show_beside(form: FilingForm, error: LoanCrmError | None) -> None:
    """Show a refusal beside the field that it is about."""
    if error is not None and error.facts.get("field") in form.fields:
        form.add_error(str(error.facts["field"]), str(error.message))
