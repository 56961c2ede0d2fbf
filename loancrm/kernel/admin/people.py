"""What other packages' admins lack: an entry in the audit trail for every change of rights.

Users, roles, permissions and API clients are edited on pages of Django and the OAuth package. This
mixin goes before their classes.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from loancrm import admin_pages
from loancrm.kernel import access, clock
from loancrm.kernel.admin.filters_allowed import DeclaredLookups
from loancrm.kernel.auditing import audit
from loancrm.kernel.sign_in import service
from loancrm.kernel.words import permission_words

# What these say is no personal data, and what they were is what an auditor asks for.
_FLAGS = ("is_active", "is_staff", "is_superuser")


class AuditedAdmin(DeclaredLookups):
    """Writes every addition, change and deletion made on an admin page into the trail."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note a new row."""
        _record(request, obj, "added", _rights(obj))
        return super().log_addition(request, obj, message)  # type: ignore[misc] # of ModelAdmin

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note a change: which fields, and what the rights were and are."""
        before: dict[str, Any] = getattr(request, "rights_before", {})
        after = _rights(obj)
        facts: dict[str, Any] = {"fields": _fields_of(message)}
        for name, value in after.items():
            if before and before[name] != value:
                facts[name] = {"from": before[name], "to": value}
        _record(request, obj, "changed", facts)
        return super().log_change(request, obj, message)  # type: ignore[misc] # of ModelAdmin

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Note every row that is about to be deleted."""
        for obj in queryset:
            _record(request, obj, "deleted", _rights(obj))
        return super().log_deletions(request, queryset)  # type: ignore[misc] # of ModelAdmin

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        """Offer permissions in the reader's words, without those that nothing asks for.

        One that is held all the same is shown: only so can it be taken back.
        """
        field = super().formfield_for_manytomany(db_field, request, **options)  # type: ignore[misc] # of ModelAdmin
        if db_field.related_model is Permission and field is not None:
            held = Q(pk__in=getattr(request, "permissions_held", ()))
            field.queryset = field.queryset.filter(permission_words.worth_giving() | held)
            field.label_from_instance = permission_words.read
        return field

    def get_deleted_objects(self, objs: Sequence[Model], request: HttpRequest) -> Any:
        """Name what is deleted, not the rows that only tie it to others."""
        _nested, counts, missing, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc] # of ModelAdmin
        named = [f"{obj._meta.verbose_name}: {obj}" for obj in objs]  # noqa: SLF001 - Django's documented way to a model's name
        kept = {name: count for name, count in counts.items() if "-" not in str(name)}
        return named, kept, missing, protected

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the row of a page, and keep what its rights are before the page changes them."""
        found = super().get_object(request, object_id, from_field)  # type: ignore[misc] # of ModelAdmin
        if found is not None:
            request.rights_before = _rights(found)  # type: ignore[attr-defined] # kept for log_change
            request.permissions_held = _permissions(found)  # type: ignore[attr-defined] # for the form
        return found


class ReleasingAdmin(AuditedAdmin):
    """Users: an operator ends the pause that wrong passwords have brought an account."""

    actions = ("release_sign_in",)

    @admin.action(description=_("Let sign in again"), permissions=["change"])
    def release_sign_in(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Release the selected users."""
        for user in queryset:
            done = _("%(name)s can sign in again.") % {"name": user.get_username()}
            with admin_pages.attempt(request, done):
                service.release(actor=admin_pages.actor_of(request), user=user, now=clock.now())


def _record(request: HttpRequest, obj: Model, what: str, facts: dict[str, Any]) -> None:
    name = obj._meta.model_name or ""  # noqa: SLF001 - Django's documented way to a model's name
    audit.record(
        actor=access.user_actor(request.user),
        action=f"{name}.{what}",
        object_type=audit.type_of(obj),
        object_id=obj.pk,
        now=clock.now(),
        facts=facts,
    )


def _fields_of(message: Any) -> list[str]:
    """Return the names of the fields that Django says have changed."""
    parts: Sequence[Any] = message if isinstance(message, list) else []
    names = {
        str(field)
        for part in parts
        if isinstance(part, dict)
        for field in part.get("changed", {}).get("fields", [])
    }
    return sorted(names)


def _permissions(obj: Model) -> list[int]:
    """Return the permissions that a user or a role holds itself."""
    if isinstance(obj, User):
        return list(obj.user_permissions.values_list("pk", flat=True))
    return list(obj.permissions.values_list("pk", flat=True)) if isinstance(obj, Group) else []


def _rights(obj: Model) -> dict[str, Any]:
    """Return what a user or a role may do; empty for other rows."""
    if not isinstance(obj, User | Group):
        return {}
    permissions: QuerySet[Permission] = (
        obj.user_permissions.all() if isinstance(obj, User) else obj.permissions.all()
    )
    found: dict[str, Any] = {
        "permissions": sorted(
            f"{app}.{codename}"
            for app, codename in permissions.order_by().values_list(
                "content_type__app_label", "codename"
            )
        )
    }
    if isinstance(obj, User):
        found |= {name: bool(getattr(obj, name)) for name in _FLAGS}
        found["roles"] = sorted(obj.groups.values_list("name", flat=True))
    return found
