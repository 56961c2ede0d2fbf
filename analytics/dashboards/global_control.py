"""The page that holds everybody else against the global control group, period by period."""

from statistics import NormalDist
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards.credit.book_charts import UNKNOWN, percent
from analytics.domain import rates
from analytics.selectors.global_control import ControlGroup, PeriodResult, load_results
from campaigns.domain.experiments import arms
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "campaigns.view_report"
_Z = NormalDist().inv_cdf(0.975)


def page(request: HttpRequest) -> HttpResponse:
    """Show conversion and value of both groups for each period, with 95 % intervals."""
    admin_pages.require(request, VIEW)
    today = clock.today()
    return admin_pages.page(
        request,
        "analytics/global_control.html",
        title=_("All marketing against the global control group"),
        choose_url=reverse("admin:campaigns_globalcontrolchoice_add")
        if request.user.has_perm("campaigns.add_globalcontrolchoice")
        else "",
        periods=[_period(each, is_running=each.period.ends_on > today) for each in
                 load_results(today=today)],
    )  # fmt: skip


def _period(found: PeriodResult, *, is_running: bool) -> dict[str, Any]:
    contact, control = found.contact, found.control
    difference = rates.newcombe_difference(
        (contact.borrowers, contact.drawn.people), (control.borrowers, control.drawn.people)
    )
    return {
        "starts_on": found.period.starts_on,
        "ends_on": found.period.ends_on,
        "last_day": found.last_day,
        "is_running": is_running,
        "share": f"{found.period.share * 100:.1f} %",
        "rows": [
            [_("Everybody else"), *_group(contact)],
            [_("Global control group"), *_group(control)],
        ],
        "difference": _points(difference),
        "is_identified": difference.is_identified,
        "value": _value_difference(contact, control),
    }


def _group(group: ControlGroup) -> list[str]:
    share = rates.wilson(group.borrowers, group.drawn.people)
    rate = UNKNOWN
    if share.rate is not None:
        rate = f"{percent(share.rate)} ({percent(share.low)} – {percent(share.high)})"
    value = f"¥{group.drawn.mean:,.2f}" if group.drawn.people else UNKNOWN
    return [f"{group.drawn.people:,}", f"{group.borrowers:,}", rate, value]


def _points(found: rates.RateDifference) -> str:
    if found.value is None or found.low is None or found.high is None:
        return UNKNOWN
    low, high = found.low * 100, found.high * 100
    return _("%(value)s percentage points (%(low)s to %(high)s)") % {
        "value": f"{found.value * 100:+.2f}",
        "low": f"{low:+.2f}",
        "high": f"{high:+.2f}",
    }


def _value_difference(contact: ControlGroup, control: ControlGroup) -> str:
    effect = arms.difference(control.drawn, contact.drawn)
    if effect is None or not effect.error:
        return UNKNOWN
    half = _Z * effect.error
    low, high = effect.value - half, effect.value + half
    return f"{_money(effect.value)} ({_money(low)} – {_money(high)})"


def _money(value: float) -> str:
    return f"{'-' if value < 0 else '+'}¥{abs(value):,.2f}"
