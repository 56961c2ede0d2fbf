"""Permissions read aloud: Django keeps their names in English in the database."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils.translation import gettext_lazy

_APPS = ("customers", "campaigns", "analytics")
_OTHERS = ("user", "group", "auditentry")
DEEDS: Mapping[str, Any] = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "view": gettext_lazy("view"),
}


def worth_giving() -> Q:
    """Return the permissions that pages, services and the API ask for."""
    return Q(content_type__app_label__in=_APPS) | Q(
        content_type__app_label__in=("auth", "kernel"), content_type__model__in=_OTHERS
    )


def read(permission: Permission) -> str:
    """Return a permission as words: app, table and what may be done."""
    kind = permission.content_type
    model = kind.model_class()
    if model is None:
        return str(permission.codename)
    options = model._meta  # noqa: SLF001 - Django's documented way to a model's name
    own = dict(options.permissions)
    deed, _line, _rest = permission.codename.partition("_")
    what = own.get(permission.codename) or DEEDS.get(deed) or permission.codename
    app = apps.get_app_config(options.app_label).verbose_name
    return f"{app} · {options.verbose_name} · {what}"
