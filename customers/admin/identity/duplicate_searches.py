"""Searches for duplicates: started by a button above the queue, with their progress."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers import labels
from customers.models import DuplicateSearch, SearchState
from customers.services.identity import duplicate_searches
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin

REFRESH_SECONDS = "3"
_TONES = {"done": "good", "failed": "bad"}


@admin.register(DuplicateSearch)
class DuplicateSearchAdmin(ReadOnlyAdmin):
    """Every search, newest first."""

    list_display = (
        *("number", "result", "compared_count", "proposed_count"),
        *("actor_label", "created_at", "finished_at"),
    )
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("No."), ordering="id")
    def number(self, search: DuplicateSearch) -> str:
        """Return the id as people quote it."""
        return f"#{search.pk}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def result(self, search: DuplicateSearch) -> str:
        """Return the state as a coloured badge."""
        return admin_pages.badge(
            _TONES.get(search.state, "busy"),
            labels.read(labels.SEARCH_STATES, search.state),
        )

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
        search = admin_pages.row_of(DuplicateSearch, object_id)
        admin_pages.require(request, "customers.view_duplicatesearch", search)
        is_open = search.state in {SearchState.QUEUED, SearchState.RUNNING}
        answer = admin_pages.page(
            request,
            "customers/duplicate_search.html",
            title=_("Search for duplicates"),
            model_admin=self,
            search=search,
            is_open=is_open,
            state=labels.read(labels.SEARCH_STATES, search.state),
            tone=_TONES.get(search.state, "busy"),
            step=labels.read(labels.SEARCH_STEPS, search.step),
        )
        if is_open:
            # The browser asks again by itself until the search is over.
            answer["Refresh"] = REFRESH_SECONDS
        return answer


def _start(request: HttpRequest) -> HttpResponse:
    with admin_pages.attempt(request, ""):
        search = duplicate_searches.start(actor=admin_pages.actor_of(request), now=clock.now())
        return HttpResponseRedirect(object_url(search))
    return HttpResponseRedirect(reverse("admin:customers_mergedecision_changelist"))
