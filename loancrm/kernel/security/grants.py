"""Rights on single objects: the one place that gives and takes them, for operators only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting

# The permission to write the very rows that this service writes; no role holds it.
SHARE = "guardian.change_userobjectpermission"
_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Grant:
    """One right that a person or a role holds on an object."""

    holder: User | Group
    permission: Permission


def give(
    *, actor: Actor, to: User | Group, permissions: Collection[str], obj: Model, now: datetime
) -> None:
    """Let a person or a role do something with one object.

    Args:
        permissions: `app_label.codename` each.

    Raises:
        PermissionRefused: The actor is no operator.
    """
    with acting(actor, SHARE, now=now) as act:
        for permission in permissions:
            assign_perm(permission, to, obj)
        act.record("share_added", on=obj, facts=_facts(to, permissions))


def take(
    *, actor: Actor, of: User | Group, permissions: Collection[str], obj: Model, now: datetime
) -> None:
    """Take such a right back; nothing happens where it was not held.

    Raises:
        PermissionRefused: The actor is no operator.
    """
    with acting(actor, SHARE, now=now) as act:
        for permission in permissions:
            remove_perm(permission, of, obj)
        act.record("share_removed", on=obj, facts=_facts(of, permissions))


def on(obj: Model) -> list[Grant]:
    """Return who holds which right on an object."""
    found = {
        "content_type": ContentType.objects.get_for_model(obj),
        "object_pk": str(obj.pk),
    }
    users = UserObjectPermission.objects.filter(**found).select_related("user", "permission")
    groups = GroupObjectPermission.objects.filter(**found).select_related("group", "permission")
    return [
        *(Grant(row.user, row.permission) for row in users.order_by("user__username", "pk")),
        *(Grant(row.group, row.permission) for row in groups.order_by("group__name", "pk")),
    ]


def visible(user: Any, permission: str, rows: QuerySet[_Row]) -> QuerySet[_Row]:
    """Return the rows that a member of staff may see: all by role, else those granted singly."""
    if user.has_perm(permission):
        return rows
    found: QuerySet[_Row] = get_objects_for_user(
        user, permission, klass=rows, accept_global_perms=False, with_superuser=False
    )
    return found


def holds_any(user: Any, permission: str) -> bool:
    """Return whether somebody holds a right by role, or on any single object."""
    if not user.is_active or user.has_perm(permission):
        return bool(user.is_active)
    app_label, codename = permission.split(".")
    wanted = {
        "permission__codename": codename,
        "permission__content_type__app_label": app_label,
    }
    return (
        UserObjectPermission.objects.filter(user=user, **wanted).exists()
        or GroupObjectPermission.objects.filter(group__user=user, **wanted).exists()
    )


def _facts(holder: User | Group, permissions: Collection[str]) -> dict[str, object]:
    return {
        "holder": holder._meta.model_name,  # noqa: SLF001 - Django's documented way to a name
        "holder_id": holder.pk,
        "permissions": sorted(permissions),
    }
