"""Permissions read aloud: Django keeps their names in English in the database."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Model, Q
from django.utils import translation
from django.utils.translation import gettext_lazy

from loancrm.kernel.words.phrases import Phrase

DEEDS: Mapping[str, Any] = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "view": gettext_lazy("view"),
}


def worth_giving() -> Q:
    """Return the permissions that pages, services and the API ask for, as manifests declare them.

    Django makes four for every table; of most of them nobody asks.
    """
    return among(settings.LOANCRM_MANIFESTS.rights)


def among(names: Iterable[str]) -> Q:
    """Return the permissions of these names, `app_label.codename`."""
    by_app: dict[str, list[str]] = {}
    for name in names:
        app_label, _dot, codename = name.partition(".")
        by_app.setdefault(app_label, []).append(codename)
    found = Q(pk__in=[])
    for app_label, codenames in by_app.items():
        found |= Q(content_type__app_label=app_label, codename__in=codenames)
    return found


def read(permission: Permission) -> str:
    """Return a permission as words: app, table and what may be done."""
    kind = permission.content_type
    model = kind.model_class()
    if model is None:
        return str(permission.codename)
    return _words(model, permission.codename)


def named(permission: str) -> str:
    """Return `app_label.codename` as words, without asking the database."""
    label, _dot, codename = permission.partition(".")
    models = apps.get_app_config(label).get_models() if label in apps.app_configs else ()
    for model in models:
        options = model._meta  # noqa: SLF001 - Django's documented way to a model's name
        deed, _line, name = codename.partition("_")
        is_usual = deed in DEEDS and name == options.model_name
        if is_usual or codename in dict(options.permissions):
            texts = {}
            for code, _name in settings.LANGUAGES:
                with translation.override(code):
                    texts[code] = _words(model, codename)
            return Phrase.of(texts)
    return permission


def _words(model: type[Model], codename: str) -> str:
    options = model._meta  # noqa: SLF001 - Django's documented way to a model's name
    own = dict(options.permissions)
    deed, _line, _rest = codename.partition("_")
    what = own.get(codename) or DEEDS.get(deed) or codename
    app = apps.get_app_config(options.app_label).verbose_name
    return f"{app} · {options.verbose_name} · {what}"
