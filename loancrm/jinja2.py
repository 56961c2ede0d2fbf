"""The Jinja2 environment of our own pages (not of marketers' texts)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Return the environment: autoescaped, strict about missing names, translated."""
    options["undefined"] = StrictUndefined
    options["extensions"] = ["jinja2.ext.i18n"]
    built = Environment(**options)  # noqa: S701 - Django passes autoescape=True
    built.globals.update(static=static, url=reverse, get_language=translation.get_language)
    built.install_gettext_callables(  # type: ignore[attr-defined] # added by the i18n extension
        gettext=translation.gettext, ngettext=translation.ngettext, newstyle=True
    )
    return built
