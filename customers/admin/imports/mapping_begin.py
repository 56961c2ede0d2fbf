"""The way to a mapping's builder: a file, its encoding where the file does not tell it."""

from pathlib import Path
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.admin.imports.forms import FileForm
from customers.admin.imports.uploads import discarded, file_form, store_upload
from customers.models import ImportBatch
from customers.services.imports import drafts
from loancrm import admin_pages
from loancrm.kernel import clock

_PERMISSION = "customers.import_customers"


def builder_url(batch: ImportBatch) -> str:
    """Return the address of a batch's builder."""
    return reverse(f"{admin.site.name}:customers_importbatch_map", args=[batch.pk])


def begin(request: HttpRequest, *, model_admin: Any) -> HttpResponse:
    """Take a file whose columns are to be mapped."""
    admin_pages.require(request, _PERMISSION)
    return _taken(request, file_form(request, FileForm), model_admin)


def ask(request: HttpRequest, batch: ImportBatch, *, model_admin: Any) -> HttpResponse:
    """Ask how a file that is kept is to be read, and go on from there."""
    form = FileForm(request.POST or None)
    form.use_upload(batch)
    return _taken(request, form, model_admin)


def _taken(request: HttpRequest, form: FileForm, model_admin: Any) -> HttpResponse:
    """Look into the file and lead on to its columns, or ask for what is missing."""
    if (answer := discarded(request, form.kept)) is not None:
        return answer
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, ""):
            return HttpResponseRedirect(builder_url(_read(request, form)))
    elif request.method == "POST":
        store_upload(request, form)
    return admin_pages.page(
        request,
        "customers/mapping_begin.html",
        title=_("Map a new file"),
        model_admin=model_admin,
        form=form,
    )


def _read(request: HttpRequest, form: FileForm) -> ImportBatch:
    """Return the draft whose file has been looked into."""
    actor, encoding = admin_pages.actor_of(request), form.cleaned_data["encoding"]
    if form.kept is not None:
        drafts.read_draft(actor=actor, batch_id=form.kept.pk, encoding=encoding)
        return form.kept
    file = form.cleaned_data["file"]
    return drafts.begin_draft(
        actor=actor,
        file_name=Path(str(file.name)).name,
        blocks=file.chunks(),
        encoding=encoding,
        now=clock.now(),
    )
