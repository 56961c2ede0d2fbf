"""What is shared with a partner, object by object; roles and global permissions open nothing."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from guardian.shortcuts import get_objects_for_user

T = TypeVar("T", bound=Model)


def shared_with(user: Any, permission: str, queryset: QuerySet[T, Any]) -> QuerySet[T, Any]:
    """Return those rows on which the user itself holds the permission `app_label.codename`."""
    found: QuerySet[T, Any] = get_objects_for_user(
        user,
        permission,
        klass=queryset,
        accept_global_perms=False,
        with_superuser=False,
        use_groups=False,
    )
    return found
