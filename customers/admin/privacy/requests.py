"""Requests of customers about their data: what is due first stands first."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from customers import labels
from customers.admin.privacy import answers
from customers.domain.consents.preferences import RequestKind, RequestStatus
from customers.models import PrivacyRequest
from customers.services.privacy import preferences
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReadOnlyAdmin):
    """The list with its deadlines; a request is answered on its own page."""

    list_display = ("person", "what", "standing", "requested_at", "deadline", "lateness")
    list_filter = (
        vocabulary_filter(
            "status",
            _("status"),
            RequestStatus,
            labels.REQUEST_STATUSES.label,
        ),
        vocabulary_filter(
            "kind",
            _("kind"),
            RequestKind,
            labels.PRIVACY_REQUESTS.label,
        ),
    )
    ordering = ("due_at",)
    fields = ("person", "what", "standing", "requested_at", "deadline", "closed_at", "came_by")
    readonly_fields = (*fields, "words", "answer")
    actions = None

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Read the person's own words with a request, for who has to answer it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and self.has_answer_permission(request):
            row.own_words = preferences.read_details(
                actor=admin_pages.actor_of(request), request_id=row.pk, now=clock.now()
            )
        return row

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the person's own words to who has to answer them only."""
        may_answer = self.has_answer_permission(request)
        return (*self.fields, "words", "answer") if may_answer else self.fields

    @admin.display(description=_("customer"), ordering="customer_id")
    def person(self, row: PrivacyRequest) -> str:
        """Return the customer's number, which leads to the customer on the page of one request."""
        number = f"#{row.customer_id}"
        if not hasattr(row, "own_words"):
            return number
        address = reverse("admin:customers_customer_change", args=[row.customer_id])
        return format_html('<a class="lcx-text-link" href="{}">{}</a>', address, number)

    @admin.display(description=_("in the person's own words"))
    def words(self, row: PrivacyRequest) -> str:
        """Return what the person wrote."""
        return getattr(row, "own_words", "")

    @admin.display(description=_("answer"))
    def answer(self, row: PrivacyRequest) -> str:
        """Return the answer that was given, or the ways to give one."""
        is_open = row.status == RequestStatus.OPEN
        return answers.buttons(row) if is_open else answers.given(row)

    @admin.display(description=_("to be answered by"), ordering="due_at")
    def deadline(self, row: PrivacyRequest) -> str:
        """Return when the answer is due."""
        return date_format(localtime(row.due_at), "DATETIME_FORMAT")

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, row: PrivacyRequest) -> str:
        """Return what is asked for."""
        return labels.PRIVACY_REQUESTS.label(row.kind)

    @admin.display(description=_("status"), ordering="status")
    def standing(self, row: PrivacyRequest) -> str:
        """Return where the request stands."""
        return labels.REQUEST_STATUSES.label(row.status)

    @admin.display(description=_("source"))
    def came_by(self, row: PrivacyRequest) -> str:
        """Return by what way it came."""
        return labels.own_source(row.source)

    @admin.display(description=_("overdue"))
    def lateness(self, row: PrivacyRequest) -> str:
        """Return whether the answer is late; a cross would look like a fault."""
        is_late = row.status == RequestStatus.OPEN and row.due_at < clock.now()
        return admin_pages.badge("bad", str(_("overdue"))) if is_late else ""

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may answer requests."""
        return request.user.has_perm(answers.PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a request is answered."""
        view = partial(answers.answer, model_admin=self)
        own = path(
            "<int:pk>/answer/<slug:what>/",
            self.admin_site.admin_view(view),
            name="customers_privacyrequest_answer",
        )
        return [own, *super().get_urls()]
