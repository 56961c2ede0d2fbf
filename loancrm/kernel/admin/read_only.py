"""Read-only admins, and the audit trail as the first of them."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from loancrm.admin_filters import word_filter
from loancrm.kernel import access, clock
from loancrm.kernel.access import ActorKind
from loancrm.kernel.admin import stale_rows
from loancrm.kernel.admin.filters_allowed import DeclaredLookups
from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.words import audit_words


class ThemedAdmin(DeclaredLookups, ModelAdmin):  # type: ignore[misc] # the theme ships no types
    """The theme's admin with this project's defaults."""

    list_fullwidth = True
    list_per_page = 50
    compressed_fields = True
    # What an empty list says; without it, that there is nothing, and who can add something.
    nothing_yet: Any = ""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Name a list by what it lists; Django's “select … to view” is no title."""
        changelist = super().get_changelist_instance(request)
        changelist.title = capfirst(str(self.opts.verbose_name_plural))
        return changelist

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, *args: Any, **kw: Any
    ) -> Any:
        """Return the form; one that changes a row refuses to undo somebody else's save."""
        form = super().get_form(request, obj, *args, **kw)
        if obj is None or request.method != "POST":
            return form
        return type(form.__name__, (stale_rows.RefusesStale, form), {"request": request})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Have the page carry what it shows, so that a save can be compared with it."""
        obj = kw.get("obj") or context.get("original")
        if obj is not None and obj.pk:
            context["seen"] = stale_rows.seen_by(request, obj, context["adminform"].form)
        return super().render_change_form(request, context, *args, **kw)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Save and write into the audit trail which fields changed."""
        super().save_model(request, obj, form, change)
        facts = {"fields": sorted(form.changed_data)}
        self._record(request, obj, "changed" if change else "added", facts)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete and write it into the audit trail."""
        self._record(request, obj, "deleted", {"name": str(obj)})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the selected rows, each with its own audit entry."""
        for obj in queryset:
            self.delete_model(request, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to everything that the audit trail has about the object, for whoever may read it."""
        if not access.is_allowed(access.user_actor(request.user), "kernel.view_auditentry"):
            page: HttpResponse = super().history_view(request, object_id, extra_context)
            return page
        about = {"object_type__exact": audit.type_of(self.model), "q": object_id}
        address = reverse("admin:kernel_auditentry_changelist")
        return HttpResponseRedirect(f"{address}?{urlencode(about)}")

    def _record(self, request: HttpRequest, obj: Model, what: str, facts: dict[str, Any]) -> None:
        name = obj._meta.model_name or ""  # noqa: SLF001 - Django's documented way to a model's name
        audit.record(
            actor=access.user_actor(request.user),
            action=f"{name}.{what}",
            object_type=audit.type_of(obj),
            object_id=obj.pk,
            now=clock.now(),
            facts=facts,
        )


class ReadOnlyAdmin(ThemedAdmin):
    """A list and its rows to look at; everything that changes them is a service."""

    nothing_yet = gettext_lazy("There is nothing here yet; what belongs here appears by itself.")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows here."""
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what, when and why; nobody edits it here."""

    list_display = ("at", "actor", "deed", "thing", "object", "reason")
    list_filter = (
        word_filter("action", gettext_lazy("action"), audit_words.action),
        word_filter("actor_kind", gettext_lazy("actor kind"), audit_words.actor_kind),
        word_filter("object_type", gettext_lazy("object type"), audit_words.thing),
    )
    search_fields = ("actor_label", "=object_id", "action")
    ordering = ("-id",)
    date_hierarchy = "at"
    show_full_result_count = False
    fields = ("at", "actor", "kind", "deed", "thing", "object", "reason", "details")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("actor name"), ordering="actor_label")
    def actor(self, entry: AuditEntry) -> str:
        """Return who it was; the entry itself names the part of the system as operators know it."""
        if entry.actor_kind == ActorKind.SYSTEM:
            return audit_words.system(entry.actor_label)
        return entry.actor_label

    @admin.display(description=gettext_lazy("object"), ordering="object_id")
    def object(self, entry: AuditEntry) -> str:
        """Return the number or key of the thing."""
        words = audit_words.object_words(entry.object_id)
        return words or format_html("<code>{}</code>", entry.object_id)

    @admin.display(description=gettext_lazy("action"), ordering="action")
    def deed(self, entry: AuditEntry) -> str:
        """Return what was done, in words."""
        return audit_words.action(entry.action)

    @admin.display(description=gettext_lazy("object type"), ordering="object_type")
    def thing(self, entry: AuditEntry) -> str:
        """Return what kind of thing it was done to, in words."""
        return audit_words.thing(entry.object_type)

    @admin.display(description=gettext_lazy("actor kind"))
    def kind(self, entry: AuditEntry) -> str:
        """Return what kind of actor it was, in words."""
        return audit_words.actor_kind(entry.actor_kind)

    @admin.display(description=gettext_lazy("facts"))
    def details(self, entry: AuditEntry) -> str:
        """Return the entry as machines read it: its facts and its place in the chain."""
        shown = {
            "action": entry.action,
            "actor": [entry.actor_kind, entry.actor_id, entry.actor_label],
            "object": entry.object_type,
            "facts": entry.facts,
            "previous_hash": entry.previous_hash,
            "entry_hash": entry.entry_hash,
        }
        return format_html(
            "<pre>{}</pre>", json.dumps(shown, ensure_ascii=False, indent=2, default=str)
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; say so where the last look at the chain found it changed."""
        looks = AuditEntry.objects.filter(action__in=(audit.VERIFIED, audit.BROKEN))
        last = looks.order_by("-id").values_list("action", "at").first()
        if last is not None and last[0] == audit.BROKEN:
            words = _("The audit trail does not fit its anchors; found on %(day)s.")
            messages.error(request, words % {"day": date_format(localtime(last[1]))})
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page
