"""What a person can ask of an import: pause, resume, cancel, release, undo; asked back first."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.domain.imports.states import ImportState
from customers.jobs import IMPORT
from customers.models import ImportBatch
from customers.services.imports import checked, jobs
from customers.services.imports.files import has_file
from customers.services.imports.undo import UNDOABLE
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.manifest import WorkAction
from loancrm.kernel.models import Work
from loancrm.kernel.work import service as works
from loancrm.kernel.work.kinds import kind_of

_PERMISSION = "customers.import_customers"
_NAMES = {
    WorkAction.PAUSE: "pause",
    WorkAction.RESUME: "resume",
    WorkAction.RETRY: "resume",
    WorkAction.CANCEL: "cancel",
}
# Action -> (button, what it means; empty texts need no question back).
ACTIONS: dict[str, tuple[Promise, Promise | str]] = {
    "pause": (_("Pause"), ""),
    "resume": (_("Go on"), ""),
    "cancel": (_("Cancel import"), kind_of(IMPORT).cancel_question),
    "release": (
        _("Import in spite of the limits"),
        _("The file is worse than its limits allow. It will be imported all the same."),
    ),
    "import": (
        _("Import now"),
        _("The file that was checked is imported by the same mapping, as it was checked."),
    ),
    "undo": (
        _("Undo import"),
        _(
            "Values that this import changed go back to what they were, and customers that it "
            "created are removed. What was edited since is kept and listed. Refusals of consent "
            "stay."
        ),
    ),
}


def actions_for(batch: ImportBatch) -> list[tuple[str, Promise, str, bool]]:
    """Return (name, button, address, asks back) of what can be asked of a batch now."""
    names: list[str] = []
    if batch.is_dry_run and batch.state == ImportState.DONE and has_file(batch):
        names.append("import")
    if batch.work is not None:
        names += [_NAMES[action] for action in works.available_actions(batch.work)]
        if batch.state == ImportState.STOPPED and _is_at_rest(batch.work):
            names.append("release")
        if batch.state in UNDOABLE and not batch.is_dry_run and not batch.work.is_open:
            names.append("undo")
    return [
        (name, ACTIONS[name][0], _address(batch, name), bool(ACTIONS[name][1])) for name in names
    ]


def _is_at_rest(work: Work) -> bool:
    """Return whether a worker may go on with it; a command does its own work."""
    return work.is_background and not work.is_open


def act(request: HttpRequest, batch_id: int, name: str, *, model_admin: Any) -> HttpResponse:
    """Ask back on GET where that is due; do it on POST and show the import."""
    if name not in ACTIONS:
        raise Http404
    admin_pages.require(request, _PERMISSION)
    batch = get_object_or_404(ImportBatch, pk=batch_id)
    button, meaning = ACTIONS[name]
    if request.method == "POST":
        reason = request.POST.get("reason", "")
        with admin_pages.attempt(request, ""):
            made = _SERVICES[name](admin_pages.actor_of(request), batch_id, reason)
            return HttpResponseRedirect(object_url(made or batch))
        return HttpResponseRedirect(object_url(batch))
    return admin_pages.page(
        request,
        "customers/import_confirm.html",
        title=f"{button}: {batch.file_name}",
        model_admin=model_admin,
        batch=batch,
        button=button,
        meaning=meaning,
        needs_reason=name in {"release", "undo"},
        back=object_url(batch),
    )


def _address(batch: ImportBatch, name: str) -> str:
    return reverse(f"{admin.site.name}:customers_importbatch_act", args=[batch.pk, name])


def _pause(actor: Actor, batch_id: int, _reason: str) -> None:
    jobs.pause(actor=actor, batch_id=batch_id, now=clock.now())


def _resume(actor: Actor, batch_id: int, _reason: str) -> None:
    jobs.resume(actor=actor, batch_id=batch_id, now=clock.now())


def _cancel(actor: Actor, batch_id: int, _reason: str) -> None:
    jobs.cancel(actor=actor, batch_id=batch_id, now=clock.now(), today=clock.today())


def _release(actor: Actor, batch_id: int, reason: str) -> None:
    jobs.release(actor=actor, batch_id=batch_id, reason=reason, now=clock.now())


def _undo(actor: Actor, batch_id: int, reason: str) -> None:
    jobs.undo(actor=actor, batch_id=batch_id, reason=reason, now=clock.now())


def _import(actor: Actor, batch_id: int, _reason: str) -> ImportBatch:
    return checked.import_checked(actor=actor, batch_id=batch_id, now=clock.now())


_SERVICES: dict[str, Callable[[Actor, int, str], ImportBatch | None]] = {
    "import": _import,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "release": _release,
    "undo": _undo,
}
