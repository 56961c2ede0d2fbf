"""The audit trail read aloud: what was done, to what and by whom, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ACTORS: Mapping[str, Any] = {
    "system": gettext_lazy("The system"),
    "user": gettext_lazy("A person"),
    "partner": gettext_lazy("A partner"),
}


# By what stands before the colon of the actor's label.
PARTS: Mapping[str, Any] = {
    "job": gettext_lazy("a scheduled job"),
    "page": gettext_lazy("a public page"),
    "command": gettext_lazy("a command"),
    "task": gettext_lazy("a scheduled job"),
    "verify_audit": gettext_lazy("a scheduled job"),
    "discovery": gettext_lazy("a discovery"),
}
OBJECTS: Mapping[str, Any] = {
    "all": gettext_lazy("all of them"),
    "batch": gettext_lazy("several at once"),
    "changed": gettext_lazy("those that changed"),
    "some": gettext_lazy("several at once"),
}


def subjects() -> Mapping[str, Any]:
    """Return what comes before the point of an action, where it is no model's name."""
    return settings.LOANCRM_MANIFESTS.audit_words.subjects


def deeds() -> Mapping[str, Any]:
    """Return what comes after it."""
    return settings.LOANCRM_MANIFESTS.audit_words.deeds


def whole() -> Mapping[str, Any]:
    """Return the actions without a point in their names."""
    return settings.LOANCRM_MANIFESTS.audit_words.whole


def action(name: str) -> str:
    """Return an action as words: `campaign.running` is «Campaign: launched»."""
    if name in whole():
        return str(whole()[name])
    subject, _point, deed = name.partition(".")
    words = {"subject": _subject(subject), "deed": deeds().get(deed) or deed.replace("_", " ")}
    return _("%(subject)s: %(deed)s") % words if deed else str(words["subject"])


def thing(object_type: str) -> str:
    """Return what kind of thing an entry is about: `campaigns.Campaign` is «campaign»."""
    try:
        return str(apps.get_model(object_type)._meta.verbose_name)  # noqa: SLF001 - Django's documented way to a model's name
    except (LookupError, ValueError):
        return _subject(object_type)


def actor_kind(kind: str) -> str:
    """Return what kind of actor it was."""
    return str(ACTORS.get(kind, kind))


def system(label: str) -> str:
    """Return which part of the system acted by itself: `job:campaigns.tick` is a scheduled job."""
    part, _colon, _name = label.partition(":")
    words = {"system": actor_kind("system"), "part": PARTS.get(part, "")}
    return _("%(system)s (%(part)s)") % words if words["part"] else str(words["system"])


def object_words(object_id: str) -> str:
    """Return the words for an object that is no single row; empty for any other."""
    return str(OBJECTS.get(object_id, ""))


def is_known(name: str) -> bool:
    """Return whether every part of an action has words."""
    if name in whole():
        return True
    subject, _point, deed = name.partition(".")
    return _has_words(subject) and deed in deeds()


def _has_words(subject: str) -> bool:
    return subject in subjects() or subject != _subject(subject)


def _subject(name: str) -> str:
    if name in subjects():
        return str(subjects()[name])
    for model in apps.get_models():
        options = model._meta  # noqa: SLF001 - as above
        if options.model_name == name:
            return str(options.verbose_name)
    return name.replace("_", " ")
