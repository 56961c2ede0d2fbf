"""Permissions read aloud: Django keeps their names in English in the database."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Model, Q
from django.utils import translation
from django.utils.translation import gettext_lazy

from loancrm.kernel.words.phrases import Phrase

_ALL = ("add", "change", "delete", "view")
# Django makes four rights for every table. Of most of them nobody asks: these are the ones that a
# page or a service does ask for, beside those that tables name themselves.
ASKED: Mapping[str, tuple[str, ...]] = {
    "customers.customer": ("add", "change", "view"),
    "customers.attributedefinition": _ALL,
    "customers.consentstate": ("change",),
    "customers.unclearconsent": ("change", "view"),
    "customers.event": ("add",),
    "customers.segment": _ALL,
    "customers.segmentexport": ("view",),
    "customers.mergedecision": ("view",),
    "customers.duplicatesearch": ("view",),
    "customers.importbatch": ("view",),
    "customers.product": _ALL,
    "customers.loan": ("add", "change"),
    "customers.savedmapping": ("view",),
    "customers.survivorshiprule": _ALL,
    "customers.privacyrequest": ("add", "change", "view"),
    "customers.relationship": ("change",),
    "customers.score": ("add",),
    "customers.datasource": ("add", "change", "view"),
    "campaigns.channel": ("change", "view"),
    "campaigns.campaign": ("view",),
    "campaigns.calendarday": _ALL,
    "campaigns.messagetemplate": ("view",),
    "campaigns.frequencyrule": _ALL,
    "campaigns.partner": ("change", "view"),
    "campaigns.partnerlead": ("view",),
    "campaigns.receipt": ("add", "view"),
    "campaigns.unclearreply": ("view",),
    "campaigns.suppression": ("add", "change", "view"),
    "analytics.discoverymodel": ("add",),
    "analytics.discoveryrun": ("view",),
    "analytics.protectedoverride": ("add", "view"),
    "auth.group": _ALL,
    "auth.user": _ALL,
    "kernel.auditentry": ("view",),
}
DEEDS: Mapping[str, Any] = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "view": gettext_lazy("view"),
}


def worth_giving() -> Q:
    """Return the permissions that pages, services and the API ask for."""
    names: dict[str, list[str]] = {}
    for table, deeds in ASKED.items():
        label, _dot, model_name = table.partition(".")
        names.setdefault(label, []).extend(f"{deed}_{model_name}" for deed in deeds)
    found = Q(pk__in=[])
    for label, codenames in names.items():
        options = [model._meta for model in apps.get_app_config(label).get_models()]  # noqa: SLF001 - Django's documented way to a model's names
        own = [codename for each in options for codename, _words in each.permissions]
        found |= Q(content_type__app_label=label, codename__in=[*codenames, *own])
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
