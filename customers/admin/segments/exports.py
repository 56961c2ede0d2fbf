"""Exports: ask for one, decide about those of others, download one's own."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold import widgets

from customers import labels
from customers.admin.segments import texts
from customers.domain.exports import SEALED, ExportColumn, ExportState
from customers.models import Segment, SegmentExport
from customers.services.segments import exports
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin

_USUAL = (ExportColumn.PUBLIC_ID, ExportColumn.NAME, ExportColumn.CITY)
_DECISIONS = {
    "approve": exports.approve_export,
    "refuse": exports.refuse_export,
}


class ExportForm(forms.Form):
    """Which columns of a segment's people, and what for."""

    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        choices=labels.EXPORT_COLUMNS.choices,
        initial=list(_USUAL),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Names, numbers and addresses are masked as on the screens: 王**, +86138****8000."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("What is the file for?"),
        max_length=exports.LONGEST_REASON,
        min_length=exports.SHORTEST_REASON,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Whoever approves reads this; it stays in the audit trail."),
    )
    is_unmasked = forms.BooleanField(
        label=gettext_lazy("Personal data in clear"),
        required=False,
        widget=widgets.UnfoldBooleanSwitchWidget(),
    )


@admin.register(SegmentExport)
class SegmentExportAdmin(ReadOnlyAdmin):
    """Every request, the newest first."""

    list_display = ("segment", "who", "what", "result", "requested_at", "expires_at", "row_count")
    list_filter = ("state", "is_unmasked")
    search_fields = ("segment__slug", "segment__name", "reason")
    ordering = ("-requested_at", "-id")
    empty_template = "customers/export_empty.html"
    list_select_related = ("segment", "requested_by")

    @admin.display(description=gettext_lazy("asked for by"), ordering="requested_by")
    def who(self, export: SegmentExport) -> str:
        """Return who asked."""
        return str(export.requested_by or "–")

    @admin.display(description=gettext_lazy("personal data"))
    def what(self, export: SegmentExport) -> str:
        """Return whether the file shows people in clear."""
        return _masking(export)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def result(self, export: SegmentExport) -> str:
        """Return the state as a coloured badge."""
        tone, text = _state(export)
        return admin_pages.badge(tone, text)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the decision and of the file."""
        wrap = self.admin_site.admin_view
        own = [
            path(
                "<int:export_id>/file/",
                wrap(self.download_view),
                name="customers_segmentexport_download",
            ),
            path(
                "<int:export_id>/decide/<slug:decision>/",
                wrap(require_POST(self.decide_view)),
                name="customers_segmentexport_decide",
            ),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for an export of the segment named in the address."""
        admin_pages.require(request, exports.EXPORT)
        number = request.GET.get("segment", "")
        segment = get_object_or_404(Segment, pk=number if admin_pages.is_key(number) else 0)
        admin_pages.require(request, exports.VIEW, segment)
        form = ExportForm(request.POST or None)
        if not request.user.has_perm(exports.UNMASKED):
            del form.fields["is_unmasked"]
        if request.method == "POST" and form.is_valid():
            done = _("The export is asked for. Another person has to approve it.")
            with admin_pages.attempt(request, done):
                export = exports.request_export(
                    actor=admin_pages.actor_of(request),
                    segment=segment,
                    columns=form.cleaned_data["columns"],
                    reason=form.cleaned_data["reason"],
                    is_unmasked=form.cleaned_data.get("is_unmasked", False),
                    now=clock.now(),
                )
                return HttpResponseRedirect(object_url(export))
        return admin_pages.page(
            request,
            "customers/export_form.html",
            title=_("Export %(name)s") % {"name": segment.name},
            model_admin=self,
            segment=segment,
            form=form,
            back=object_url(segment),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a request with what this user can do about it."""
        found = SegmentExport.objects.select_related("segment", "version", "requested_by")
        export = admin_pages.row_of(found, object_id)
        admin_pages.require(request, "customers.view_segmentexport", export)
        is_mine = export.requested_by_id == request.user.pk
        tone, state = _state(export)
        return admin_pages.page(
            request,
            "customers/export.html",
            title=_("Export %(name)s") % {"name": export.segment.name},
            model_admin=self,
            export=export,
            tone=tone,
            state=state,
            masking=_masking(export),
            columns=[
                text for value, text in labels.EXPORT_COLUMNS.choices() if value in export.columns
            ],
            words=texts.words(export.version),
            segment_url=object_url(export.segment),
            is_open=export.state == ExportState.REQUESTED,
            may_decide=not is_mine and request.user.has_perm(exports.APPROVE),
            is_mine=is_mine,
            may_download=is_mine and _is_available(export),
        )

    def decide_view(self, request: HttpRequest, export_id: int, decision: str) -> HttpResponse:
        """Approve or refuse."""
        decide = _DECISIONS.get(decision)
        if decide is None:
            raise Http404
        admin_pages.require(request, exports.APPROVE)
        export = get_object_or_404(SegmentExport, pk=export_id)
        with admin_pages.attempt(request, _("Your decision is stored.")):
            decide(
                actor=admin_pages.actor_of(request),
                export_id=export_id,
                note=request.POST.get("note", ""),
                now=clock.now(),
            )
        return HttpResponseRedirect(object_url(export))

    def download_view(self, request: HttpRequest, export_id: int) -> HttpResponseBase:
        """Send the file while it is made."""
        admin_pages.require(request, exports.EXPORT)
        export = get_object_or_404(SegmentExport, pk=export_id)
        with admin_pages.attempt(request, ""):
            file = exports.download_export(
                actor=admin_pages.actor_of(request),
                export_id=export_id,
                now=clock.now(),
                today=clock.today(),
            )
            answer = StreamingHttpResponse(file.parts, content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
            answer["Cache-Control"] = "no-store"
            return answer
        return HttpResponseRedirect(object_url(export))


def _is_available(export: SegmentExport) -> bool:
    is_approved = export.state == ExportState.APPROVED and export.expires_at is not None
    return is_approved and export.expires_at is not None and export.expires_at > clock.now()


def _state(export: SegmentExport) -> tuple[str, str]:
    if export.state == ExportState.APPROVED and not _is_available(export):
        return "busy", _("Expired")
    return labels.EXPORT_STATES.tone(export.state), labels.EXPORT_STATES.label(export.state)


def _masking(export: SegmentExport) -> str:
    if not SEALED & set(export.columns):
        return _("None")
    return _("In clear") if export.is_unmasked else _("Masked")
