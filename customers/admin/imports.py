"""Imports: what came in with which result, and a form that checks or imports a file."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from customers import labels
from customers.models import ImportBatch, ImportMode
from customers.services import imports
from customers.services.imports import ImportReport
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin import ReadOnlyAdmin

REJECTED_SHOWN = 50
_TONES = {"done": "good", "failed": "bad"}
_SUFFIXES = (".csv", ".xlsx", ".txt")
_MODES = (ImportMode.UPSERT, ImportMode.INSERT, ImportMode.UPDATE)


def _mappings() -> list[tuple[str, str]]:
    return [(path.stem, path.stem) for path in sorted(imports.MAPPINGS.glob("*.json"))]


class ImportForm(forms.Form):
    """A file, how its columns are read, and whether anything is to be changed."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=widgets.UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(_SUFFIXES)}),
        help_text=gettext_lazy("CSV (UTF-8 or GB18030) or XLSX, first row with column names."),
    )
    mapping = forms.ChoiceField(
        label=gettext_lazy("Mapping"),
        choices=_mappings,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Says which column holds what."),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("Mode"),
        choices=lambda: [(mode, labels.read(labels.IMPORT_MODES, mode)) for mode in _MODES],
        initial=ImportMode.UPSERT,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    is_dry_run = forms.BooleanField(
        label=gettext_lazy("Only check, change nothing"),
        required=False,
        initial=True,
        widget=widgets.UnfoldBooleanSwitchWidget(),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse files that no reader knows."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if not str(file.name).lower().endswith(_SUFFIXES):
            raise forms.ValidationError(gettext_lazy("Choose a CSV or XLSX file."))
        return file


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Every file that was read, newest first."""

    list_display = (
        "file_name",
        "source",
        "result",
        "row_count",
        "created_count",
        "updated_count",
        "unchanged_count",
        "merged_count",
        "rejected_count",
        "created_at",
    )
    list_filter = ("source",)
    search_fields = ("file_name", "source")
    ordering = ("-created_at", "-id")
    empty_template = "customers/import_empty.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may import sees the button."""
        return bool(request.user.has_perm("customers.import_customers"))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def result(self, batch: ImportBatch) -> str:
        """Return the state as a coloured badge."""
        return format_html(
            '<span class="lcx-badge" data-tone="{}">{}</span>',
            _TONES.get(batch.state, "busy"),
            labels.read(labels.IMPORT_STATES, batch.state),
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Check or import an uploaded file."""
        admin_pages.require(request, "customers.import_customers")
        form = ImportForm(request.POST or None, request.FILES or None)
        is_ready = request.method == "POST" and form.is_valid()
        report = _attempted(request, form) if is_ready else None
        if report is not None and report.batch_id:
            return HttpResponseRedirect(object_url(ImportBatch(pk=report.batch_id)))
        return admin_pages.page(
            request,
            "customers/import_form.html",
            title=_("Import customers"),
            model_admin=self,
            form=form,
            report=report,
            numbers=_numbers(report) if report else [],
            findings=_findings(report.by_reason) if report else [],
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what one file brought."""
        batch = get_object_or_404(ImportBatch, pk=object_id)
        admin_pages.require(request, "customers.view_importbatch", batch)
        rejected = batch.rejected_rows.order_by("line").values_list("line", "code", "column")
        return admin_pages.page(
            request,
            "customers/import_batch.html",
            title=batch.file_name,
            model_admin=self,
            batch=batch,
            state=labels.read(labels.IMPORT_STATES, batch.state),
            tone=_TONES.get(batch.state, "busy"),
            mode=labels.read(labels.IMPORT_MODES, batch.mode),
            numbers=_numbers(batch),
            findings=_findings(batch.by_reason),
            quality=_quality(batch.quality),
            rejected=[
                (line, labels.finding(code), column)
                for line, code, column in rejected[:REJECTED_SHOWN]
            ],
        )


def _attempted(request: HttpRequest, form: ImportForm) -> ImportReport | None:
    """Return the import's report, or None after telling the user why there is none."""
    with admin_pages.attempt(request, ""):
        return _run(request, form)
    return None


def _run(request: HttpRequest, form: ImportForm) -> ImportReport:
    """Import the uploaded file; its copy on disk is gone afterwards, it holds personal data."""
    data = form.cleaned_data
    with _stored(data["file"]) as path:
        return imports.import_customers(
            actor=admin_pages.actor_of(request),
            order=imports.ImportOrder(
                path=path,
                mapping=imports.load_mapping(data["mapping"]),
                mode=ImportMode(data["mode"]),
                is_dry_run=data["is_dry_run"],
            ),
            now=clock.now(),
            today=clock.today(),
        )


@contextmanager
def _stored(upload: "UploadedFile[bytes]") -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=settings.LOANCRM_VAR_DIR) as folder:
        path = Path(folder) / Path(str(upload.name)).name
        with path.open("wb") as target:
            for block in upload.chunks():
                target.write(block)
        yield path


def _numbers(of: ImportReport | ImportBatch) -> list[tuple[str, int]]:
    """Return the counts that add up to the rows."""
    if isinstance(of, ImportBatch):
        counts = (
            of.row_count,
            of.created_count,
            of.updated_count,
            of.unchanged_count,
            of.merged_count,
            of.rejected_count,
        )
    else:
        counts = (of.rows, of.created, of.updated, of.unchanged, of.merged, of.rejected)
    names = (_("Rows"), _("Created"), _("Updated"), _("Unchanged"), _("Merged"), _("Rejected"))
    return list(zip(names, counts, strict=True))


def _findings(by_reason: Any) -> Sequence[tuple[str, str, int]]:
    """Return (text, code, count) of what was wrong, most frequent first."""
    rows = sorted(dict(by_reason).items(), key=lambda item: (-item[1], item[0]))
    return [(labels.finding(code), code, count) for code, count in rows]


def _quality(card: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (measure, percent, parts) of a batch's quality card."""
    shares: list[tuple[str, dict[str, Any]]] = [
        (_("Complete: %(column)s") % {"column": name}, share)
        for name, share in (card.get("completeness") or {}).items()
    ]
    shares += [
        (_("Valid: %(column)s") % {"column": name}, share)
        for name, share in (card.get("validity") or {}).items()
    ]
    for key, text in (("uniqueness", _("Unique")), ("consistency", _("Consistent"))):
        if card.get(key):
            shares.append((text, card[key]))
    return [
        (
            text,
            f"{share['rate'] * 100:.1f}%" if share.get("rate") is not None else "–",
            f"{share['numerator']:,} / {share['denominator']:,}",
        )
        for text, share in shares
    ]
