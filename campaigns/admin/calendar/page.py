"""The calendar of sends by month or week: channels, people, holidays, the same people twice."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.domain.campaigns.calendar_days import CalendarSpan, CalendarView, span_of
from campaigns.domain.sending.schedule import SendingWindow
from campaigns.labels.calendar_views import CALENDAR_VIEWS
from campaigns.labels.desk import SEND_KINDS
from campaigns.selectors.campaigns.work_calendar import CompanyCalendar
from campaigns.selectors.desk import planned_sends
from campaigns.selectors.desk.planned_sends import PlannedSend
from customers import labels as customer_labels
from customers.domain.consents.consent import Purpose
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

VIEW = "campaigns.view_campaign"


def index(request: HttpRequest) -> HttpResponse:
    """Show the sends of a month or a week, of the campaigns that the reader may see."""
    admin_pages.require(request, VIEW)
    span = span_of(_view(request), _day(request))
    zone = clock.company_zone()
    since = datetime.combine(span.first, time(), tzinfo=zone)
    until = datetime.combine(span.last + timedelta(days=1), time(), tzinfo=zone)
    calendar, window = CompanyCalendar(), _window()
    sends = planned_sends.between(since, until, calendar=calendar)
    by_day: Mapping[date, list[PlannedSend]] = defaultdict(list)
    for send in sends:
        by_day[send.at.astimezone(zone).date()].append(send)
    return admin_pages.page(
        request,
        "campaigns/calendar.html",
        title=_title(span),
        span=span,
        views=[
            (_address(view, span.day), label, view == span.view)
            for view, label in ((one, CALENDAR_VIEWS.label(one)) for one in CalendarView)
        ],
        before_url=_address(span.view, span.before),
        today_url=_address(span.view, clock.today()),
        after_url=_address(span.view, span.after),
        weekdays=[date_format(day, "D") for day in span.weeks[0]],
        weeks=[[_cell(day, span, by_day[day], calendar) for day in week] for week in span.weeks],
        volumes=_volumes(sends),
        has_sends=bool(sends),
        may_write=request.user.has_perm("campaigns.author_campaign"),
        window=_("%(opens)s to %(closes)s")
        % {"opens": f"{window.opens:%H:%M}", "closes": f"{window.closes:%H:%M}"},
    )


def _cell(
    day: date, span: CalendarSpan, sends: Sequence[PlannedSend], calendar: CompanyCalendar
) -> dict[str, Any]:
    """Return one day: its sends, what kind of day it is, and how many people by channel."""
    met: Counter[int | None] = Counter(send.segment_id for send in sends if send.segment_id)
    return {
        "day": day,
        "is_today": day == clock.today(),
        "is_outside": span.view is CalendarView.MONTH and day.month != span.day.month,
        "is_holiday": calendar.is_holiday(day),
        "sends": [_row(send, is_met=met[send.segment_id] > 1) for send in sends],
        "volumes": _volumes(sends),
    }


def _row(send: PlannedSend, *, is_met: bool) -> dict[str, Any]:
    local = send.at.astimezone(clock.company_zone())
    window = _window()
    is_marketing = send.campaign.purpose == Purpose.MARKETING
    return {
        "name": send.campaign.name,
        "url": object_url(send.campaign),
        "at": local,
        "channel": _channel(send.channel_kind),
        "people": send.people,
        "is_estimate": send.is_estimate,
        "kind": SEND_KINDS.label(send.kind),
        "tone": SEND_KINDS.tone(send.kind),
        "is_quiet": is_marketing and not window.opens <= local.time() < window.closes,
        "is_met": is_met,
    }


def _window() -> SendingWindow:
    """Return the hours in which marketing goes out."""
    opens, closes = settings.LOANCRM_SENDING_WINDOW
    return SendingWindow(time(opens), time(closes))


def _volumes(sends: Iterable[PlannedSend]) -> list[tuple[str, int, bool]]:
    """Return, by channel, how many people, and whether some are only estimated."""
    counts: dict[str, int] = defaultdict(int)
    estimated: set[str] = set()
    for send in sends:
        counts[send.channel_kind] += send.people or 0
        if send.is_estimate:
            estimated.add(send.channel_kind)
    return [(_channel(kind), counts[kind], kind in estimated) for kind in sorted(counts)]


def _channel(kind: str) -> str:
    return customer_labels.CHANNELS.label(kind) if kind else _("no channel yet")


def _title(span: CalendarSpan) -> str:
    if span.view is CalendarView.MONTH:
        return date_format(span.day, "YEAR_MONTH_FORMAT")
    return _("%(first)s to %(last)s") % {
        "first": date_format(span.first, "Y-m-d"),
        "last": date_format(span.last, "Y-m-d"),
    }


def _view(request: HttpRequest) -> CalendarView:
    asked = request.GET.get("view", "")
    return CalendarView.WEEK if asked == CalendarView.WEEK else CalendarView.MONTH


def _day(request: HttpRequest) -> date:
    """Return the day that the address names; today where it names none, or one of no use."""
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return clock.today()
    # The neighbours of the first and last years are no dates.
    return day if date.min.year + 1 < day.year < date.max.year else clock.today()


def _address(view: CalendarView, day: date) -> str:
    return f"{reverse('calendar:index')}?view={view.value}&day={day.isoformat()}"
