"""Requests of customers about their data: what is due first stands first."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import labels
from customers.domain.preferences import RequestKind, RequestStatus
from customers.models import PrivacyRequest
from customers.services import preferences
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import clock
from loancrm.kernel.admin import ReadOnlyAdmin


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ReadOnlyAdmin):
    """The list with its deadlines; an answer is noted by an action."""

    list_display = ("person", "what", "standing", "requested_at", "due_at", "lateness")
    list_filter = (
        vocabulary_filter(
            "status",
            _("status"),
            RequestStatus,
            lambda value: labels.read(labels.REQUEST_STATUSES, value),
        ),
        vocabulary_filter(
            "kind",
            _("kind"),
            RequestKind,
            lambda value: labels.read(labels.PRIVACY_REQUESTS, value),
        ),
    )
    ordering = ("due_at",)
    fields = ("person", "what", "standing", "requested_at", "due_at", "closed_at", "source")
    readonly_fields = fields
    actions = ("mark_done", "mark_refused")

    @admin.display(description=_("customer"), ordering="customer_id")
    def person(self, row: PrivacyRequest) -> str:
        """Return the customer's number."""
        return f"#{row.customer_id}"

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, row: PrivacyRequest) -> str:
        """Return what is asked for."""
        return labels.read(labels.PRIVACY_REQUESTS, row.kind)

    @admin.display(description=_("status"), ordering="status")
    def standing(self, row: PrivacyRequest) -> str:
        """Return where the request stands."""
        return labels.read(labels.REQUEST_STATUSES, row.status)

    @admin.display(description=_("overdue"), boolean=True)
    def lateness(self, row: PrivacyRequest) -> bool:
        """Return whether the answer is late."""
        return row.status == RequestStatus.OPEN and row.due_at < clock.now()

    @admin.action(description=_("Mark as done"), permissions=["answer"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Note that the selected requests were met."""
        self._close(request, queryset, is_done=True)

    @admin.action(description=_("Mark as refused"), permissions=["answer"])
    def mark_refused(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Note that the selected requests were refused."""
        self._close(request, queryset, is_done=False)

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may answer requests."""
        return request.user.has_perm("customers.change_privacyrequest")

    def _close(self, request: HttpRequest, queryset: QuerySet[Any], *, is_done: bool) -> None:
        noted = 0
        for row in queryset.filter(status=RequestStatus.OPEN):
            with admin_pages.attempt(request, "") as outcome:
                preferences.close_request(
                    actor=admin_pages.actor_of(request),
                    request_id=row.pk,
                    is_done=is_done,
                    reason="admin",
                    now=clock.now(),
                )
            noted += outcome.is_done
        if noted:
            messages.success(request, str(_("The answers are noted.")))
