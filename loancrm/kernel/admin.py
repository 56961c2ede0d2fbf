"""Read-only admins, and the audit trail as the first of them."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from loancrm.kernel.models import AuditEntry


class ThemedAdmin(ModelAdmin):  # type: ignore[misc] # the theme ships no types
    """The theme's admin with this project's defaults."""

    list_fullwidth = True
    list_per_page = 50
    compressed_fields = True


class ReadOnlyAdmin(ThemedAdmin):
    """A list and its rows to look at; everything that changes them is a service."""

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

    list_display = ("at", "actor_label", "action", "object_type", "object_id", "reason")
    list_filter = ("action", "actor_kind", "object_type")
    search_fields = ("actor_label", "object_id", "action")
    ordering = ("-id",)
    date_hierarchy = "at"
    show_full_result_count = False
