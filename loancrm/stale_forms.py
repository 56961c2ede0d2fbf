"""What a form shows to the second of two people who edited the same thing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from loancrm.kernel.database import stale
from loancrm.kernel.errors import LoanCrmError


def context(
    request: HttpRequest,
    state: Mapping[str, Any],
    *,
    error: LoanCrmError | None = None,
    differences: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return what the template `loancrm/stale.html` needs.

    A form that comes back for another reason, such as an empty field, still carries what it began
    from: only who was shown what is stored now has seen it.

    Args:
        state: What is stored now; a save that follows has seen it.
        error: Why the last save was refused.
        differences: (label, stored value) of what the form says otherwise.
    """
    is_stale = isinstance(error, stale.StaleSave)
    return {
        "seen": (not is_stale and posted(request)) or stale.digest_of(state),
        "stale_now": list(differences) if is_stale else [],
        "is_stale": is_stale,
    }


def posted(request: HttpRequest) -> str:
    """Return the digest that the form carries."""
    return request.POST.get(stale.FIELD, "")[:64]


def differences_of(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Return (label, stored value) of the fields in which a form differs from what is stored."""
    return [
        (str(form.fields[name].label or name), shown(form.fields[name], _initial(form, name)))
        for name in form.changed_data
        if not form.fields[name].widget.is_hidden
    ]


def _initial(form: forms.BaseForm, name: str) -> Any:
    return form.get_initial_for_field(form.fields[name], name)


def shown(field: forms.Field, value: Any) -> str:
    """Return a stored value as the field would show it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, forms.ChoiceField):
        key = getattr(value, "pk", value)
        choices: Any = field.choices
        return next((str(text) for choice, text in choices if str(choice) == str(key)), str(value))
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return str(field.prepare_value(value))
