"""Texts of the admin's scripts: Django's own, and ours where Django has none in a language."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog

# As `SelectFilter2.js` asks for them.
_SELECTOR: Final[dict[str, Any]] = {
    'Choose %s by selecting them and then select the "Choose" arrow button.': _(
        'Choose %s by selecting them and then select the "Choose" arrow button.'
    ),
    'Remove %s by selecting them and then select the "Remove" arrow button.': _(
        'Remove %s by selecting them and then select the "Remove" arrow button.'
    ),
    "Choose all %s": _("Choose all %s"),
    "Choose selected %s": _("Choose selected %s"),
    "Remove all %s": _("Remove all %s"),
    "Remove selected %s": _("Remove selected %s"),
    "(click to clear)": _("(click to clear)"),
}


class TextsOfScripts(JavaScriptCatalog):
    """Django's catalogue for scripts with the texts that it lacks."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the catalogue of the reader's language."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        own = {source: str(text) for source, text in _SELECTOR.items()}
        context["catalog"] = {**own, **(context["catalog"] or {})}
        return context
