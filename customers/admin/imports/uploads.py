"""What forms with a file have in common: one that comes back to its reader keeps the file."""

from pathlib import Path
from typing import TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.admin.imports.forms import FileForm
from customers.models import ImportBatch
from customers.services.imports import drafts, uploads
from loancrm import admin_pages
from loancrm.kernel import clock

_DISCARD = "discard"
_LIST = "admin:customers_importbatch_changelist"
_Form = TypeVar("_Form", bound=FileForm)


def file_form(request: HttpRequest, form_class: type[_Form]) -> _Form:
    """Return the form of a request, with the file that is kept for it.

    A file that is no longer kept is told, and asked for again.
    """
    form = form_class(request.POST or None, request.FILES or None)
    kept_id = request.POST.get("kept", "")
    if admin_pages.is_key(kept_id):
        with admin_pages.attempt(request, ""):
            form.use_upload(uploads.saved_upload(int(kept_id)))
    return form


def store_upload(request: HttpRequest, form: FileForm) -> None:
    """Keep the file of a form that goes back to its reader, where it is one that may be read."""
    file = form.cleaned_data.get("file") if form.is_bound else None
    if file is None or form.kept is not None:
        return
    with admin_pages.attempt(request, ""):
        form.use_upload(
            uploads.save_upload(
                actor=admin_pages.actor_of(request),
                file_name=Path(str(file.name)).name,
                blocks=file.chunks(),
                now=clock.now(),
            )
        )


def discarded(request: HttpRequest, kept: ImportBatch | None) -> HttpResponse | None:
    """Forget the kept file where the reader wants that, and lead back to the list."""
    if kept is None or request.POST.get("do") != _DISCARD:
        return None
    with admin_pages.attempt(request, _("The file was discarded.")):
        drafts.discard_draft(actor=admin_pages.actor_of(request), batch_id=kept.pk, now=clock.now())
    return HttpResponseRedirect(reverse(_LIST))
