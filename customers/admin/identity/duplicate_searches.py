"""Searches for duplicates: started by a button above the queue, with their progress."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers.models import DuplicateSearch
from customers.services.identity import duplicate_searches
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.work import labels as work_labels

REFRESH_SECONDS = "3"


@admin.register(DuplicateSearch)
class DuplicateSearchAdmin(ReadOnlyAdmin):
    """Every search, newest first."""

    list_display = (
        *("number", "result", "compared_count", "proposed_count"),
        *("who", "begun_at", "finished_at"),
    )
    list_select_related = ("work",)
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("No."), ordering="id")
    def number(self, search: DuplicateSearch) -> str:
        """Return the id as people quote it."""
        return f"#{search.pk}"

    @admin.display(description=gettext_lazy("state"), ordering="work__state")
    def result(self, search: DuplicateSearch) -> str:
        """Return the state as a coloured badge."""
        state = search.work.state
        return admin_pages.badge(work_labels.STATES.tone(state), work_labels.STATES.label(state))

    @admin.display(description=gettext_lazy("started by"), ordering="work__actor_label")
    def who(self, search: DuplicateSearch) -> str:
        """Return who started it."""
        return search.work.actor_label

    @admin.display(description=gettext_lazy("started at"), ordering="work__created_at")
    def begun_at(self, search: DuplicateSearch) -> datetime:
        """Return when somebody asked for it."""
        return search.work.created_at

    @admin.display(description=gettext_lazy("finished at"), ordering="work__finished_at")
    def finished_at(self, search: DuplicateSearch) -> datetime | None:
        """Return when it was over."""
        return search.work.finished_at

    def get_urls(self) -> list[URLPattern]:
        """Add the address that starts a search."""
        begin = self.admin_site.admin_view(require_POST(_start))
        own = path("start/", begin, name="customers_duplicatesearch_start")
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show how far a search is, and what it found."""
        searches = DuplicateSearch.objects.select_related("work")
        search = admin_pages.row_of(searches, object_id)
        admin_pages.require(request, "customers.view_duplicatesearch", search)
        answer = admin_pages.page(
            request,
            "customers/duplicate_search.html",
            title=_("Search for duplicates"),
            model_admin=self,
            search=search,
            is_open=search.work.is_open,
            state=work_labels.STATES.label(search.work.state),
            tone=work_labels.STATES.tone(search.work.state),
        )
        if search.work.is_open:
            # The browser asks again by itself until the search is over.
            answer["Refresh"] = REFRESH_SECONDS
        return answer


def _start(request: HttpRequest) -> HttpResponse:
    with admin_pages.attempt(request, ""):
        search = duplicate_searches.start(actor=admin_pages.actor_of(request), now=clock.now())
        return HttpResponseRedirect(object_url(search))
    return HttpResponseRedirect(reverse("admin:customers_mergedecision_changelist"))
