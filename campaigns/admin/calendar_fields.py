"""The part of a campaign's form that says when it runs again, and how that reads in words."""

from collections.abc import Mapping
from typing import Any, assert_never

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets

from campaigns.domain.campaigns.given.recurrence_reading import WEEKDAYS as DAY_KEYS
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import (
    MOST_INTERVAL,
    Again,
    CatchUp,
    Every,
    HolidayPolicy,
    Recurrence,
)
from campaigns.labels.calendar import AGAIN, CATCH_UP, EVERY, HOLIDAYS


class CalendarFields(forms.Form):
    """When a campaign runs again."""

    repeat_every = forms.ChoiceField(
        label=gettext_lazy("Runs again"), required=False, widget=widgets.UnfoldAdminSelectWidget()
    )
    repeat_interval = forms.IntegerField(
        label=gettext_lazy("Every how many days, weeks, months or years"),
        required=False,
        min_value=1,
        max_value=MOST_INTERVAL,
        initial=1,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    repeat_weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these weekdays"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "lcx-days"}),
        help_text=gettext_lazy("Of a weekly one. None: the weekday of the start."),
    )
    repeat_until = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(
            attrs={"type": "date", "class": " ".join(widgets.INPUT_CLASSES)}, format="%Y-%m-%d"
        ),
        help_text=gettext_lazy("Empty: until somebody cancels it."),
    )
    repeat_holidays = forms.ChoiceField(
        label=gettext_lazy("On public holidays"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    repeat_catch_up = forms.ChoiceField(
        label=gettext_lazy("After a pause"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    repeat_again = forms.ChoiceField(
        label=gettext_lazy("Who was in an earlier run"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    repeat_again_after_days = forms.IntegerField(
        label=gettext_lazy("Again after so many days"),
        required=False,
        min_value=1,
        max_value=3650,
        initial=30,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )

    def fill_calendar(self) -> None:
        """Fill the choices, in the reader's language."""
        never = [("", _("no: it runs once"))]
        self._choices("repeat_every", never + EVERY.choices())
        days = [(key, str(WEEKDAYS[number])) for number, key in enumerate(DAY_KEYS)]
        self._choices("repeat_weekdays", days)
        self._choices("repeat_holidays", HOLIDAYS.choices())
        self._choices("repeat_catch_up", CATCH_UP.choices())
        self._choices("repeat_again", AGAIN.choices())

    def calendar_fields(self) -> list[forms.BoundField]:
        """Return the fields as they are drawn, the first one apart."""
        return [self[name] for name in CalendarFields.base_fields if name != "repeat_every"]

    def described_calendar(self) -> dict[str, Any] | None:
        """Return the calendar as a file would give it; None for a campaign that runs once."""
        data = self.cleaned_data
        if not data.get("repeat_every"):
            return None
        until = data.get("repeat_until")
        return {
            "every": data["repeat_every"],
            "interval": data.get("repeat_interval") or 1,
            "weekdays": list(data.get("repeat_weekdays") or []),
            "until": until.isoformat() if until else "",
            "holidays": data.get("repeat_holidays") or HolidayPolicy.KEEP.value,
            "catch_up": data.get("repeat_catch_up") or CatchUp.LATEST.value,
            "again": data.get("repeat_again") or Again.EVERY_RUN.value,
            "again_after_days": data.get("repeat_again_after_days") or 30,
        }

    def calendar(self) -> Recurrence | None:
        """Return the calendar that was filled in."""
        return of_stored(self.described_calendar())

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = choices


def initial_calendar(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the form's values for a stored calendar."""
    calendar = of_stored(value)
    if calendar is None:
        return {"repeat_every": ""}
    return {
        "repeat_every": calendar.every.value,
        "repeat_interval": calendar.interval,
        "repeat_weekdays": [DAY_KEYS[number] for number in calendar.weekdays],
        "repeat_until": calendar.until,
        "repeat_holidays": calendar.holidays.value,
        "repeat_catch_up": calendar.catch_up.value,
        "repeat_again": calendar.again.value,
        "repeat_again_after_days": calendar.again_after_days,
    }


def sentence(value: Mapping[str, Any] | None) -> str:
    """Return a stored calendar in words; empty for a campaign that runs once."""
    calendar = of_stored(value)
    if calendar is None:
        return ""
    parts = [_every(calendar)]
    if calendar.weekdays:
        parts.append(_(", ").join(str(WEEKDAYS[number]) for number in calendar.weekdays))
    if calendar.until:
        parts.append(_("until %(day)s") % {"day": calendar.until.isoformat()})
    if calendar.holidays is not HolidayPolicy.KEEP:
        parts.append(HOLIDAYS.label(calendar.holidays))
    parts.append(CATCH_UP.label(calendar.catch_up))
    if calendar.again is Again.NOT_WITHIN_DAYS:
        days = calendar.again_after_days
        parts.append(
            ngettext(
                "nobody twice within %(count)s day", "nobody twice within %(count)s days", days
            )
            % {"count": days}
        )
    else:
        parts.append(AGAIN.label(calendar.again))
    return " · ".join(parts)


def _every(calendar: Recurrence) -> str:
    count = calendar.interval
    if count == 1:
        return EVERY.label(calendar.every)
    match calendar.every:
        case Every.DAY:
            text = _("every %(count)s days")
        case Every.WEEK:
            text = _("every %(count)s weeks")
        case Every.MONTH:
            text = _("every %(count)s months")
        case Every.YEAR:
            text = _("every %(count)s years")
        case _:
            assert_never(calendar.every)
    return text % {"count": count}
