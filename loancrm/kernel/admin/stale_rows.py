"""Forms of the admin's own pages that refuse to undo what somebody else has saved meanwhile."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from loancrm.kernel.database import stale


def seen_by(request: HttpRequest, row: Model, form: forms.BaseForm) -> str:
    """Return the state that a page carries: what it began from, or what it shows now.

    A form that comes back for another reason than being stale still carries what it began from.
    """
    began_from = request.POST.get(stale.FIELD, "")[:64]
    is_stale = getattr(form, "is_stale", False)
    return (not is_stale and began_from) or stale.digest_of(stale.state_of_row(row))


class RefusesStale(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """A change form whose page carries the state that was read."""

    request: HttpRequest
    is_stale = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep what is stored before the posted values are put into the row."""
        super().__init__(*args, **kwargs)
        # Held until the request ends: who comes second waits, and is compared with the first.
        type(self.instance)._base_manager.select_for_update().filter(pk=self.instance.pk).first()  # noqa: SLF001 - the one that leaves out no rows
        self._stored = stale.state_of_row(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse a save that began from another state, and say what is stored now."""
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            stale.refuse_stale(self.request.POST.get(stale.FIELD, ""), self._stored)
        except stale.StaleSave as refusal:
            self.is_stale = True
            raise ValidationError([refusal.message, *self._differences()]) from refusal
        return cleaned

    def _differences(self) -> list[str]:
        return [
            f"{self.fields[name].label}: {self._initial(name)}"
            for name in self.changed_data
            if name in self.initial and not self.fields[name].widget.is_hidden
        ]

    def _initial(self, name: str) -> Any:
        value = self.fields[name].prepare_value(self.initial[name])
        return "–" if value in (None, "") else value
