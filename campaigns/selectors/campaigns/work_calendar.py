"""Public holidays of the company's country, corrected by the installation's own days."""

from datetime import date

import holidays
from django.conf import settings

from campaigns.models import CalendarDay


class CompanyCalendar:
    """Holidays and make-up days; the installation's own days are read once."""

    def __init__(self) -> None:
        self._known = holidays.country_holidays(settings.LOANCRM_COUNTRY)
        self._own = dict(CalendarDay.objects.values_list("day", "is_workday"))

    def is_holiday(self, day: date) -> bool:
        """Return whether a day is a public holiday."""
        if day in self._own:
            return not self._own[day]
        return day in self._known

    def is_workday(self, day: date) -> bool:
        """Return whether people work on a day; weekends and make-up days are considered."""
        if day in self._own:
            return self._own[day]
        return bool(self._known.is_working_day(day))
