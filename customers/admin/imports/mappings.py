"""Saved mappings: what goes where, every version, and what changed between two of them."""

import json
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from customers.domain.imports.mapping import ColumnTarget, parse_mapping
from customers.domain.imports.mapping_diff import differences
from customers.domain.imports.mapping_json import MappingError
from customers.labels import imports as import_labels
from customers.labels import mappings as mapping_labels
from customers.models import SavedMapping
from customers.selectors.imports.mappings import definition_of, imports_with, shipped_names
from customers.services.sources import mappings
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin

_PERMISSION = mappings.PERMISSION
_MAX_BYTES = 1 << 20


class MappingFileForm(forms.Form):
    """A mapping as a JSON file, such as another installation has exported."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=widgets.UnfoldAdminFileFieldWidget(attrs={"accept": ".json"}),
        help_text=gettext_lazy("JSON, as “Export” writes it."),
    )
    # What the file said, carried by a page that asks once more.
    text = forms.CharField(
        required=False, strip=False, max_length=_MAX_BYTES, widget=forms.HiddenInput()
    )
    is_replacing = forms.BooleanField(
        label=gettext_lazy("A mapping of this name may exist: it gets a new version"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=gettext_lazy("Imports use the new version from then on; earlier ones are kept."),
    )
    note = forms.CharField(
        label=gettext_lazy("What changed"),
        required=False,
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )

    def clean(self) -> dict[str, Any]:
        """Take the text of the file, or the one that the page carries."""
        data = super().clean() or self.cleaned_data
        if data.get("file") is not None:
            data["text"] = data["file"].read(_MAX_BYTES).decode("utf-8-sig", "replace")
        elif not data.get("text") and "file" not in self.errors:
            self.add_error("file", self.fields["file"].error_messages["required"])
        return data


@admin.register(SavedMapping)
class SavedMappingAdmin(ReadOnlyAdmin):
    """Every version of every mapping, newest first."""

    list_display = ("name", "version", "in_use", "source", "note", "author_label", "created_at")
    list_filter = ("is_current", ("archived_at", admin.EmptyFieldListFilter), "source")
    search_fields = ("name", "source")
    ordering = ("-created_at", "-id")
    empty_template = "customers/mapping_empty.html"

    @admin.display(description=gettext_lazy("state"), ordering="is_current")
    def in_use(self, saved: SavedMapping) -> str:
        """Return whether imports use this version, as a coloured badge."""
        if saved.archived_at is not None:
            return admin_pages.badge("warn", _("Archived"))
        tone, text = ("good", _("In use")) if saved.is_current else ("busy", _("Earlier"))
        return admin_pages.badge(tone, text)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may import may bring a mapping along."""
        return bool(request.user.has_perm(_PERMISSION))

    def get_urls(self) -> list[URLPattern]:
        """Add export and what can be done with a version."""
        views = {
            "export": ("export/<slug:name>.json", export),
            "act": ("<int:mapping_id>/do/<slug:name>/", act),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"customers_savedmapping_{name}")
            for name, (address, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take a mapping from a JSON file."""
        admin_pages.require(request, _PERMISSION)
        form = MappingFileForm(request.POST or None, request.FILES or None)
        carried = ""
        if request.method == "POST" and form.is_valid():
            with admin_pages.attempt(request, _("The mapping was saved.")) as outcome:
                saved = mappings.save_mapping(
                    actor=admin_pages.actor_of(request),
                    definition=mappings.parse_json(form.cleaned_data["text"]),
                    text=form.cleaned_data["text"],
                    now=clock.now(),
                    note=form.cleaned_data["note"],
                    expected_version=None if form.cleaned_data["is_replacing"] else 0,
                )
                return HttpResponseRedirect(object_url(saved))
            if isinstance(outcome.error, mappings.MappingNameTaken):
                form.add_error("is_replacing", outcome.error.message)
                carried = form.cleaned_data["text"]
        return admin_pages.page(
            request,
            "customers/mapping_upload.html",
            title=_("Import a mapping"),
            model_admin=self,
            form=form,
            carried=carried,
            shipped=shipped_names(),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one version, its history and what it changed."""
        saved = admin_pages.row_of(SavedMapping, object_id)
        admin_pages.require(request, "customers.view_savedmapping", saved)
        versions = list(SavedMapping.objects.filter(name=saved.name).order_by("-version"))
        before = next((row for row in versions if row.version == saved.version - 1), None)
        return admin_pages.page(
            request,
            "customers/mapping.html",
            title=f"{saved.name} · {_('Version')} {saved.version}",
            model_admin=self,
            saved=saved,
            columns=_columns(saved.definition),
            ignored=saved.definition.get("ignore", []),
            versions=[(object_url(row), row) for row in versions],
            before=before,
            changes=differences(before.definition, saved.definition) if before else [],
            may_change=request.user.has_perm(_PERMISSION),
            uses=imports_with(saved.name),
        )


def export(request: HttpRequest, name: str) -> HttpResponse:
    """Send the mapping in use under a name, shipped or saved, as a JSON file."""
    admin_pages.require(request, "customers.view_savedmapping")
    definition = definition_of(name)
    if definition is None:
        raise Http404
    text = json.dumps(definition, ensure_ascii=False, indent=2) + "\n"
    answer = HttpResponse(text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


def act(request: HttpRequest, mapping_id: int, name: str) -> HttpResponse:
    """Copy a mapping, put an earlier version in use again, remove it or take it out again."""
    admin_pages.require(request, _PERMISSION)
    saved = get_object_or_404(SavedMapping, pk=mapping_id)
    wishes = {
        "copy": partial(
            mappings.copy_mapping, name=saved.name, new_name=request.POST.get("new_name", "")
        ),
        "back": partial(mappings.bring_back, mapping_id=saved.pk),
    }
    if request.method != "POST":
        raise Http404
    if name == "remove":
        return _remove(request, saved)
    if name == "take-out":
        with admin_pages.attempt(request, _("The mapping can be used again.")):
            mappings.take_out(actor=admin_pages.actor_of(request), name=saved.name, now=clock.now())
        return HttpResponseRedirect(object_url(saved))
    if name not in wishes:
        raise Http404
    with admin_pages.attempt(request, _("The mapping was saved.")):
        made = wishes[name](actor=admin_pages.actor_of(request), now=clock.now())
        return HttpResponseRedirect(object_url(made))
    return HttpResponseRedirect(reverse("admin:customers_savedmapping_change", args=[saved.pk]))


def _remove(request: HttpRequest, saved: SavedMapping) -> HttpResponse:
    with admin_pages.attempt(request, ""):
        is_gone = mappings.remove_mapping(
            actor=admin_pages.actor_of(request), name=saved.name, now=clock.now()
        )
        if is_gone:
            admin_pages.show_message(request, _("The mapping was deleted."), is_good=True)
            return HttpResponseRedirect(reverse("admin:customers_savedmapping_changelist"))
        text = _("The mapping was archived, not deleted: imports have used it.")
        admin_pages.show_message(request, text, is_good=True)
    return HttpResponseRedirect(object_url(saved))


def _columns(definition: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (column, field, how it is read), the id first."""
    try:
        mapping = parse_mapping(definition)
    except MappingError as error:
        return [("", mapping_labels.fault(error), "")]
    rows = [(mapping.id_column, import_labels.target("id_column"), "")] if mapping.id_column else []
    return rows + [
        (item.column, import_labels.target(target.path), ", ".join(_how(target)))
        for item in mapping.columns
        for target in item.targets
    ]


def _how(target: ColumnTarget) -> list[str]:
    parts = []
    if target.transform != "none":
        parts.append(import_labels.TRANSFORMS.label(target.transform))
    if target.order:
        parts.append(import_labels.DATE_ORDERS.label(target.order))
    if target.dictionary:
        parts.append(_("dictionary of %(count)s words") % {"count": len(target.dictionary)})
    if target.blank != "keep":
        parts.append(_("a blank erases"))
    if target.expected:
        parts.append(_("blank cells are reported"))
    return parts
