"""In which lines of a file a finding was made, and whom the line became."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from customers.admin.imports.repair import row_url
from customers.domain.values.quality import REASONS
from customers.labels import imports as import_labels
from customers.models import Customer, ImportBatch, ImportFinding, ImportRow, RejectedRow
from loancrm import admin_pages
from loancrm.admin_site import object_url

_PERMISSION = "customers.import_customers"
LINES_A_PAGE = 50


def lines_url(batch: ImportBatch, code: str) -> str:
    """Return the address of the lines with a finding."""
    return reverse(f"{admin.site.name}:customers_importbatch_lines", args=[batch.pk, code])


def lines(request: HttpRequest, batch_id: int, code: str, *, model_admin: Any) -> HttpResponse:
    """List the lines of a file with a finding, masked, with whom they became."""
    admin_pages.require(request, _PERMISSION)
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    if code not in set(REASONS):
        raise Http404
    found = ImportFinding.objects.filter(batch=batch, code=code).order_by("line", "column")
    page = Paginator(found, LINES_A_PAGE).get_page(request.GET.get("page"))
    kept, counted = page.paginator.count, int(dict(batch.by_reason).get(code, 0))
    return admin_pages.page(
        request,
        "customers/import_lines.html",
        title=f"{import_labels.finding(code)}: {batch.file_name}",
        model_admin=model_admin,
        batch=batch,
        page=page,
        rows=_with_whom(batch, list(page.object_list)),
        kept=kept,
        counted=counted,
        is_cut=counted > kept,
        back=object_url(batch),
    )


def _with_whom(
    batch: ImportBatch, found: list[ImportFinding]
) -> list[tuple[ImportFinding, str, int | None, str]]:
    """Return each line with the address and number of its customer, or of the refused row."""
    numbers = [item.line for item in found]
    staged = ImportRow.objects.filter(batch=batch, line__in=numbers, customer__isnull=False)
    people = dict(staged.values_list("line", "customer_id"))
    refused = RejectedRow.objects.filter(batch=batch, line__in=numbers).defer("cells_sealed")
    repairs = {row.line: row_url(row) for row in refused}
    return [
        (
            item,
            object_url(Customer(pk=people[item.line])) if item.line in people else "",
            people.get(item.line),
            repairs.get(item.line, ""),
        )
        for item in found
    ]
