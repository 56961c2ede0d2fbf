"""The first page of the admin: what needs attention, what is going on, what came of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboards import charts
from analytics.dashboards.cards import Tile
from analytics.dashboards.desk import today
from analytics.selectors import overview
from analytics.selectors.overview import Overview
from campaigns import labels as campaign_labels
from campaigns.selectors.campaigns import standstill
from campaigns.selectors.receipts import unclear_replies as waiting_replies
from campaigns.selectors.receipts import unknown_confirmations, unknown_messages
from campaigns.selectors.sending import channel_states
from campaigns.services.consents import unclear_replies
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.database import shared_clock
from loancrm.kernel.work import listing
from loancrm.kernel.work.kinds import visible_kinds

_FAILED_LATELY: Final = timedelta(days=7)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tiles, charts and campaigns to the context of the admin's index."""
    if not request.user.has_perm("customers.view_customer"):
        return context | {"has_overview": False}
    found = overview.load(now=clock.now())
    return context | {
        **today.context(request),
        "has_overview": True,
        "imports_url": _imports_url(request),
        "overview": found,
        "standing_still": _standing_still(),
        "idle": _idle(),
        "unknown_count": _unknown_count(request),
        "unclear_count": _unclear_count(request),
        "troubled_work": _troubled_work(request),
        "tiles": tiles(found),
        "charts": _charts(found),
        "skips": charts.bars(
            "skips",
            _("Why people got no message"),
            [(campaign_labels.message_reason(reason), count) for reason, count in found.skips],
        ),
    }


def _troubled_work(request: HttpRequest) -> Mapping[str, int]:
    """Return how much long work that the reader may see is stuck, or has failed lately."""
    kinds = visible_kinds(admin_pages.actor_of(request))
    return listing.troubled(kinds, since=clock.now() - _FAILED_LATELY)


def _charts(found: Overview) -> list[charts.Chart]:
    return [
        charts.lines_by_day(
            "sends",
            _("Messages handed over, by day"),
            found.days,
            {
                customer_labels.CHANNELS.label(kind): counts
                for kind, counts in sorted(found.sends_by_day.items())
            },
        ),
        charts.lines_by_day(
            "goals",
            _("Applications and loans, by day"),
            found.days,
            {
                customer_labels.event(name): found.goals_by_day.get(name, {})
                for name in overview.GOALS
            },
        ),
    ]


def _idle() -> list[tuple[Any, str, int]]:
    """Return what no worker sends: each name with its page, and for how many minutes."""
    now = shared_clock.now()
    return [
        (found.name, object_url(found.owner), found.minutes(now))
        for found in standstill.everywhere()
    ]


def _standing_still() -> list[dict[str, Any]]:
    """Return the channels that send nothing now, with the reason."""
    return [
        {
            "name": state.channel.name,
            "is_blocked": state.is_blocked,
            "reason": campaign_labels.account_reason(state.reason),
            "url": object_url(state.channel),
        }
        for state in channel_states.standing_still()
    ]


def _unknown_count(request: HttpRequest) -> int:
    """Return of how many messages somebody who may decide should find out what became."""
    if not request.user.has_perm("campaigns.launch_campaign"):
        return 0
    return unknown_messages.count() + unknown_confirmations.count(clock.now())


def _unclear_count(request: HttpRequest) -> int:
    """Return how many replies wait for somebody who may decide to read them."""
    if not request.user.has_perm(unclear_replies.PERMISSION):
        return 0
    return waiting_replies.count()


def tiles(found: Overview) -> list[Tile]:
    """Return the four key numbers with their days, each linked to what is behind it."""
    period = (
        _("in 30 days")
        if found.until == found.as_of
        else _("in the 30 days to %(day)s") % {"day": f"{found.days[-1]:%Y-%m-%d}"}
    )
    reachable = _("Reachable %(count)s: SMS %(sms)s · e-mail %(email)s") % {
        "count": f"{found.reachable_count:,}",
        "sms": f"{found.reachable['sms']:,}",
        "email": f"{found.reachable['email']:,}",
    }
    sent = [sum(counts.get(day, 0) for counts in found.sends_by_day.values()) for day in found.days]
    goals = {
        name: [found.goals_by_day.get(name, {}).get(day, 0) for day in found.days]
        for name in overview.GOALS
    }
    return [
        Tile(
            _("Customers"),
            f"{found.customer_count:,}",
            _("%(count)s new %(period)s")
            % {"count": f"{found.new_customer_count:,}", "period": period},
            "group",
            reverse("admin:customers_customer_changelist"),
            basis=reachable,
            trend=[found.joined_by_day.get(day, 0) for day in found.days],
        ),
        Tile(
            _("Messages"),
            f"{found.sent_count:,}",
            _("handed over %(period)s") % {"period": period},
            "send",
            reverse("admin:campaigns_campaign_changelist"),
            trend=sent,
        ),
        Tile(
            _("Applications"),
            f"{found.goal_counts['application_submitted']:,}",
            period,
            "task_alt",
            reverse("reports:index"),
            trend=goals["application_submitted"],
        ),
        Tile(
            _("Loans disbursed"),
            f"{found.goal_counts['loan_disbursed']:,}",
            period,
            "payments",
            reverse("reports:loan_book"),
            trend=goals["loan_disbursed"],
        ),
    ]


def _imports_url(request: HttpRequest) -> str:
    if not request.user.has_perm("customers.import_customers"):
        return ""
    return reverse("admin:customers_importbatch_add")
