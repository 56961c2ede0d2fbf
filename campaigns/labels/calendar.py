"""How the calendar of a campaign that runs again is read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.campaigns.recurrence import Again, CatchUp, Every, HolidayPolicy
from loancrm.kernel.words.vocabulary import Vocabulary

EVERY = Vocabulary(
    Every,
    {
        Every.DAY: _("every day"),
        Every.WEEK: _("every week"),
        Every.MONTH: _("every month"),
        Every.YEAR: _("every year"),
    },
)
HOLIDAYS = Vocabulary(
    HolidayPolicy,
    {
        HolidayPolicy.KEEP: _("on public holidays too"),
        HolidayPolicy.SKIP: _("not on public holidays"),
        HolidayPolicy.NEXT_WORKDAY: _("on a day off: on the next workday"),
    },
)
CATCH_UP = Vocabulary(
    CatchUp,
    {
        CatchUp.LATEST: _("what was missed is run once"),
        CatchUp.ALL: _("everything that was missed is run, one after the other"),
        CatchUp.SKIP: _("what was missed is left out"),
    },
)
AGAIN = Vocabulary(
    Again,
    {
        Again.EVERY_RUN: _("everybody in every run"),
        Again.NOT_WITHIN_DAYS: _("nobody twice within so many days"),
        Again.NEVER_TWICE: _("nobody twice"),
    },
)
