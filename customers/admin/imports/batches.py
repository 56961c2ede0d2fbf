"""Imports: what came in with which result, and a form that checks or imports a file."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.admin.imports.account import (
    about_the_check,
    account_of,
    no_finding,
    none_rejected,
)
from customers.admin.imports.actions import act, actions_for
from customers.admin.imports.findings import lines, lines_url
from customers.admin.imports.forms import ImportForm
from customers.admin.imports.mapping_begin import begin, builder_url
from customers.admin.imports.mapping_builder import build
from customers.admin.imports.repair import quarantine, quarantine_url, repair_row
from customers.admin.imports.uploads import discarded, file_form, store_upload
from customers.domain.imports import file_names
from customers.domain.imports.states import ImportMode, ImportState
from customers.labels import imports as import_labels
from customers.models import Customer, DataSource, ImportBatch
from customers.selectors.imports import traces
from customers.selectors.imports.quality import MEASURES, source_history, trends
from customers.services.imports import from_file, jobs
from customers.services.imports.jobs import Upload
from customers.services.sources import registry
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin
from loancrm.kernel.models import Work

REFRESH_SECONDS = "3"
REJECTED_SHOWN = 50
HISTORY_SHOWN = 20
SMALL_BYTES = 1 << 20
_PERMISSION = "customers.import_customers"


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
    list_select_related = ("work",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may import sees the button."""
        return bool(request.user.has_perm("customers.import_customers"))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def result(self, batch: ImportBatch) -> str:
        """Return the state as a coloured badge."""
        return admin_pages.badge(
            import_labels.IMPORT_STATES.tone(batch.shown_state),
            import_labels.IMPORT_STATES.label(batch.shown_state),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of what can be asked of a batch, and of building its mapping."""
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "act": ("<int:batch_id>/do/<slug:name>/", act),
            "map": ("<int:batch_id>/map/", build),
            "begin": ("map/", begin),
            "quarantine": ("<int:batch_id>/rows/", quarantine),
            "lines": ("<int:batch_id>/lines/<slug:code>/", lines),
            "repair": ("<int:batch_id>/rows/<int:row_id>/", repair_row),
        }
        own = [
            path(
                address,
                self.admin_site.admin_view(partial(view, model_admin=self)),
                name=f"customers_importbatch_{name}",
            )
            for name, (address, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Check or import an uploaded file."""
        admin_pages.require(request, "customers.import_customers")
        form = file_form(request, ImportForm)
        if (answer := discarded(request, form.kept)) is not None:
            return answer
        if request.method == "POST" and form.is_valid() and (batch := _submitted(request, form)):
            return HttpResponseRedirect(object_url(batch))
        store_upload(request, form)
        return admin_pages.page(
            request,
            "customers/import_form.html",
            title=_("Import customers"),
            model_admin=self,
            form=form,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what one file brought."""
        batch = admin_pages.row_of(ImportBatch.objects.select_related("work"), object_id)
        admin_pages.require(request, "customers.view_importbatch", batch)
        if batch.state == ImportState.DRAFT and request.user.has_perm(_PERMISSION):
            return HttpResponseRedirect(builder_url(batch))
        work = batch.work
        is_working = work is not None and work.is_open
        rejected = batch.rejected_rows.order_by("line").values_list("line", "code", "column")
        answer = admin_pages.page(
            request,
            "customers/import_batch.html",
            title=batch.file_name,
            is_name_masked=file_names.is_masked(batch.file_name),
            model_admin=self,
            batch=batch,
            state=import_labels.IMPORT_STATES.label(batch.shown_state),
            tone=import_labels.IMPORT_STATES.tone(batch.shown_state),
            mode=import_labels.IMPORT_MODES.label(batch.mode),
            encoding=import_labels.encoding(batch.encoding),
            numbers=_numbers(batch),
            is_working=is_working,
            progress=_progress(work) if work and is_working else None,
            problem=work.last_error if work and batch.state != ImportState.STOPPED else "",
            actions=actions_for(batch) if request.user.has_perm(_PERMISSION) else [],
            exceeded=_exceeded(batch),
            undone=_undone(batch) if batch.state == ImportState.UNDONE else None,
            measures=[import_labels.QUALITY_MEASURES.label(name) for name in MEASURES],
            **_history(batch.source),
            about_the_check=about_the_check(batch),
            no_finding=no_finding(batch),
            none_rejected=none_rejected(batch),
            findings=_findings(batch, has_lines=request.user.has_perm(_PERMISSION)),
            left_out=batch.mapping.get("left_out", []),
            quality=_quality(batch.quality),
            account=account_of(batch),
            quarantine=quarantine_url(batch) if request.user.has_perm(_PERMISSION) else "",
            rejected=[
                (line, import_labels.finding(code), column)
                for line, code, column in rejected[:REJECTED_SHOWN]
            ],
        )
        if is_working:
            # The browser asks again by itself until the import is over.
            answer["Refresh"] = REFRESH_SECONDS
        return answer


def _submitted(request: HttpRequest, form: ImportForm) -> ImportBatch | None:
    """Return the import that a worker takes on, or None after telling why there is none."""
    data, kept = form.cleaned_data, form.kept
    with admin_pages.attempt(request, ""):
        upload = Upload(
            file_name=kept.file_name if kept else Path(str(data["file"].name)).name,
            blocks=() if kept else data["file"].chunks(),
            mapping=from_file.load_mapping(data["mapping"]),
            mode=ImportMode(data["mode"]),
            is_dry_run=data["is_dry_run"],
            limits=data["limits"],
            encoding=data["encoding"],
            kept_id=kept.pk if kept else None,
        )
        actor = admin_pages.actor_of(request)
        batch = jobs.submit(actor=actor, upload=upload, now=clock.now())
        if notice := registry.notice_of(name=batch.source, today=clock.today()):
            messages.warning(request, notice)
        return batch
    return None


def _numbers(batch: ImportBatch) -> list[tuple[str, int]]:
    """Return the counts that add up to the rows."""
    counts = (
        batch.row_count,
        batch.created_count,
        batch.updated_count,
        batch.unchanged_count,
        batch.merged_count,
        batch.rejected_count,
    )
    # What was only checked was not written.
    created, updated = (
        (_("Would be created"), _("Would be updated"))
        if batch.is_dry_run
        else (_("Created"), _("Updated"))
    )
    names = (_("Rows"), created, updated, _("Unchanged"), _("Merged"), _("Rejected"))
    return list(zip(names, counts, strict=True))


def _progress(work: Work) -> tuple[int, int]:
    """Return (rows done, rows in all) of the step at hand."""
    return work.done_count, max(work.total_count, work.done_count, 1)


def _exceeded(batch: ImportBatch) -> list[tuple[str, int, int, str, str]]:
    """Return (text, rows with it, rows, share, limit) of the limits that a file is over."""
    return [
        (
            import_labels.finding(item["code"]),
            item["count"],
            item["rows"],
            f"{item['count'] / item['rows'] * 100:.2f}%",
            f"{item['limit'] * 100:g}%",
        )
        for item in batch.exceeded
    ]


def _undone(batch: ImportBatch) -> list[tuple[str, int, str]]:
    """Return (address, customer, what) of what an undo left as it is."""
    changes = traces.surviving_changes(batch_id=batch.pk, limit=REJECTED_SHOWN)
    people = traces.surviving_customers(batch_id=batch.pk, limit=REJECTED_SHOWN)
    kept = [(customer_id, name) for customer_id, _kind, name in changes]
    kept += [(customer_id, _("created by this import")) for _line, customer_id in people]
    return [(object_url(Customer(pk=pk)), pk, what) for pk, what in kept]


def _history(source: str) -> dict[str, Any]:
    """Return the source's latest files with their measures, how they move, and who cares."""
    cards = source_history(source=source, limit=HISTORY_SHOWN)
    rows = [
        (
            card.file_name,
            card.created_at,
            [(f"{n / d * 100:.1f}%" if d else "–", f"{n:,} / {d:,}") for n, d in card.shares],
        )
        for card in cards
    ]
    described = DataSource.objects.filter(name=source).select_related("quality_owner").first()
    moves = [
        (import_labels.TRENDS.label(found), import_labels.TRENDS.tone(found))
        for found in trends(cards)
    ]
    return {
        "history": rows,
        "moves": moves,
        "quality_owner": described.quality_owner if described else None,
    }


def _findings(batch: ImportBatch, *, has_lines: bool) -> Sequence[tuple[str, int, str]]:
    """Return (text, count, address of the lines) of what was wrong, most frequent first."""
    rows = sorted(dict(batch.by_reason).items(), key=lambda item: (-item[1], item[0]))
    return [
        (import_labels.finding(code), count, lines_url(batch, code) if has_lines else "")
        for code, count in rows
    ]


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
    for key, text in (
        ("uniqueness", _("Unique")),
        ("consistency", _("Consistent")),
        ("timeliness", _("Timely")),
    ):
        if (card.get(key) or {}).get("denominator"):
            shares.append((text, card[key]))
    return [
        (
            text,
            f"{share['rate'] * 100:.1f}%" if share.get("rate") is not None else "–",
            f"{share['numerator']:,} / {share['denominator']:,}",
        )
        for text, share in shares
    ]
