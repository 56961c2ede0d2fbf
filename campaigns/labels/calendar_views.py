"""How the views of the calendar of sends are called."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.calendar_days import CalendarView
from loancrm.kernel.words.vocabulary import Vocabulary

CALENDAR_VIEWS = Vocabulary(
    CalendarView, {CalendarView.MONTH: _("Month"), CalendarView.WEEK: _("Week")}
)
