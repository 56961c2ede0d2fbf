"""Refused rows in the admin: the list of a file's quarantine, and one row to correct."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from customers.admin.imports.account import account_of
from customers.domain.imports.cell_masks import masked
from customers.domain.imports.column_guess import Kind
from customers.domain.imports.states import ImportState
from customers.labels import imports as import_labels
from customers.models import ImportBatch, RejectedRow
from customers.selectors.imports.mappings import mapping_names
from customers.services.imports import repair as imports_repair
from customers.services.imports.repair import OpenedRow, Repair, RepairReport
from customers.services.sources import mappings
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

_PERMISSION = mappings.PERMISSION
ROWS_A_PAGE = 50
# What one request can read again; the rest waits for the next press of the button.
MOST_AT_ONCE = 5_000


def quarantine(request: HttpRequest, batch_id: int, *, model_admin: Any) -> HttpResponse:
    """List the refused rows of a file; run all of them again on POST."""
    admin_pages.require(request, _PERMISSION)
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if request.method == "POST":
        return _run_all(request, batch)
    rows = RejectedRow.objects.filter(batch=batch).order_by("line")
    page = Paginator(rows.defer("cells_sealed"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return admin_pages.page(
        request,
        "customers/quarantine.html",
        title=_("Rejected rows: %(file)s") % {"file": batch.file_name},
        model_admin=model_admin,
        batch=batch,
        account=account_of(batch),
        page=page,
        rows=[
            (row.line, import_labels.finding(row.code), row.column, row_url(row))
            for row in page.object_list
        ],
        can_repair=batch.state == ImportState.DONE,
        mappings=mapping_names(),
        back=object_url(batch),
    )


@never_cache
def repair_row(
    request: HttpRequest, batch_id: int, row_id: int, *, model_admin: Any
) -> HttpResponse:
    """Show what is wrong with one refused row; correct it and run it again on POST."""
    admin_pages.require(request, _PERMISSION)
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    actor, now, today = admin_pages.actor_of(request), clock.now(), clock.today()
    with admin_pages.attempt(request, ""):
        if request.method == "POST":
            opened = imports_repair.reread_row(actor=actor, row_id=row_id, today=today)
            corrections = {opened.line: _corrections(request, opened)}
            repair = Repair(batch_id, lines=[opened.line], corrections=corrections)
            report = imports_repair.run_again(actor=actor, repair=repair, now=now, today=today)
            _show_report(request, report)
            return HttpResponseRedirect(_next_url(batch, report, row_id))
        opened = imports_repair.open_row(actor=actor, row_id=row_id, now=now, today=today)
        return _page(request, batch, opened, model_admin)
    return HttpResponseRedirect(quarantine_url(batch))


def quarantine_url(batch: ImportBatch) -> str:
    """Return the address of a file's refused rows."""
    return reverse("admin:customers_importbatch_quarantine", args=[batch.pk])


def row_url(row: RejectedRow) -> str:
    """Return the address of one refused row."""
    return reverse("admin:customers_importbatch_repair", args=[row.batch_id, row.pk])


def _page(
    request: HttpRequest, batch: ImportBatch, opened: OpenedRow, model_admin: Any
) -> HttpResponse:
    findings: dict[str, list[str]] = {}
    for finding in opened.findings:
        findings.setdefault(finding.column, []).append(import_labels.finding(finding.code))
    cells = [
        {
            "number": number,
            "name": import_labels.target(name) if name == target else name,
            "field": import_labels.target(target) if target and name != target else "",
            "is_shown": name in opened.shown,
            "value": opened.cells.get(name, ""),
            "masked": masked(opened.cells.get(name, ""), kind=Kind.NAME, target=target),
            "findings": findings.get(name, []),
        }
        for number, (name, target) in enumerate(opened.targets.items())
    ]
    return admin_pages.page(
        request,
        "customers/repair.html",
        title=_("Line %(line)s of %(file)s") % {"line": opened.line, "file": batch.file_name},
        model_admin=model_admin,
        reasons=findings.get("", []),
        cells=sorted(cells, key=lambda cell: (not cell["is_shown"], cell["number"])),
        can_repair=batch.state == ImportState.DONE,
        back=quarantine_url(batch),
    )


def _corrections(request: HttpRequest, opened: OpenedRow) -> dict[str, str]:
    """Return the cells that were changed: of a cell that was not shown, only a new value counts."""
    found = {}
    for number, name in enumerate(opened.targets):
        text = request.POST.get(f"cell{number}")
        is_shown = name in opened.shown
        if text is not None and (is_shown or text.strip()):
            found[name] = text
    return {name: text for name, text in found.items() if text != opened.cells.get(name, "")}


def _run_all(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    name = request.POST.get("mapping", "")
    with admin_pages.attempt(request, ""):
        repair = Repair(
            batch.pk,
            mapping=mappings.load_mapping(name) if name in mapping_names() else None,
            limit=MOST_AT_ONCE,
        )
        report = imports_repair.run_again(
            actor=admin_pages.actor_of(request),
            repair=repair,
            now=clock.now(),
            today=clock.today(),
        )
        _show_report(request, report)
    return HttpResponseRedirect(quarantine_url(batch))


def _show_report(request: HttpRequest, report: RepairReport) -> None:
    text = ngettext(
        "%(tried)s row run again: %(accepted)s accepted, %(still)s still rejected.",
        "%(tried)s rows run again: %(accepted)s accepted, %(still)s still rejected.",
        report.tried,
    ) % {"tried": report.tried, "accepted": report.accepted, "still": report.still_rejected}
    admin_pages.show_message(request, text, is_good=not report.still_rejected)


def _next_url(batch: ImportBatch, report: RepairReport, row_id: int) -> str:
    """Return the same row while it is wrong, then the list."""
    if report.still_rejected:
        return reverse("admin:customers_importbatch_repair", args=[batch.pk, row_id])
    return quarantine_url(batch)
