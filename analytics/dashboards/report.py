"""Reports: the list of campaigns with results, and the page of one of them."""

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics import labels
from analytics.dashboards import charts
from analytics.dashboards.cards import figure_tile
from analytics.domain.campaign_report import CampaignReport
from analytics.domain.figures import Note
from analytics.selectors import campaign_report, overview
from analytics.services import reports
from analytics.services.reports import CampaignUnknown
from campaigns import labels as campaign_labels
from campaigns.models import Campaign
from campaigns.selectors.campaigns import empty_channels
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, is_allowed

_TILES = {
    "conversion_rate": "target",
    "lift": "trending_up",
    "incremental_conversions": "person_add",
    "cost": "payments",
    "cac_fully_loaded": "account_balance_wallet",
    "roi": "savings",
}


def index(request: HttpRequest) -> HttpResponse:
    """List the campaigns that have something to report and that the reader may read."""
    actor = admin_pages.actor_of(request)
    rows = [
        {
            "campaign": campaign,
            "status": campaign_labels.read(campaign_labels.CAMPAIGN_STATUSES, campaign.status),
            "tone": campaign_labels.tone(campaign.status),
            "goal": customer_labels.event(campaign.goal_event),
        }
        for campaign in overview.reported_campaigns()
        if is_allowed(actor, "campaigns.view_report", campaign)
    ]
    return admin_pages.page(request, "analytics/reports.html", title=_("Reports"), rows=rows)


def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what one campaign reached and was worth, every number with its parts."""
    try:
        report = reports.report_campaign(
            actor=admin_pages.actor_of(request), slug=slug, now=clock.now()
        )
    except (CampaignUnknown, PermissionRefused) as error:
        raise Http404(error.message) from error
    reported = Campaign.objects.get(slug=slug)
    return admin_pages.page(
        request,
        "analytics/report.html",
        title=_("Report: %(name)s") % {"name": report.head.name},
        campaign_url=object_url(reported),
        merged_count=campaign_report.merged_count(reported),
        empty_channels=empty_channels.of_campaign(reported),
        **context(report),
    )


def context(report: CampaignReport) -> dict[str, Any]:
    """Return everything that the report's page shows."""
    figures = report.figures
    lift = figures["lift"]
    return {
        "report": report,
        "goal": customer_labels.event(report.head.goal_event),
        "as_of": labels.moment(report.head.as_of),
        "tiles": [figure_tile(figures[name], icon) for name, icon in _TILES.items()],
        "verdict": verdict(report),
        "verdict_tone": _tone(report),
        "lift_parts": labels.parts(lift),
        "funnel": charts.funnel(report.counts),
        "variants": charts.variant_rates(report.variants, figures.get("control_conversion_rate")),
        "channels": [
            (
                campaign_labels.read(campaign_labels.CHANNEL_KINDS, part.key),
                part.counts,
                labels.row(part.figures["conversion_rate"]),
                labels.row(part.figures["cac"]),
                labels.row(part.figures["cost_per_conversion"]),
            )
            for part in report.channels
        ],
        "costs": channel_costs(report),
        "retention": charts.heat_map(
            "retention",
            _("Retention by month since conversion"),
            {
                labels.metric("retention"): report.retention,
                labels.metric("rolling_retention"): report.rolling_retention,
            },
            axis=_("month"),
        ),
        "defaults": charts.curves(
            "defaults",
            _("Default rate by months on book"),
            {
                labels.metric(f"ever_{days}_plus"): curve
                for days, curve in report.default_rates.items()
            },
            axis=_("months on book"),
            note=_("Months that are not ripe yet stay blank; they are not zero."),
        ),
        "figures": [labels.row(figure) for figure in figures.values()],
        "allocation": [
            (
                _("Control group") if name == "holdout" else _("Variants"),
                check,
                f"{check.p_value:.4f}" if check.p_value is not None else "–",
            )
            for name, check in report.allocation.items()
        ],
    }


def channel_costs(report: CampaignReport) -> dict[str, Any]:
    """Return the cost that no channel has of its own, and all of it: the channels' add up to it."""
    total = Decimal(report.figures["cost"].numerator or 0)
    own = sum((Decimal(x.figures["cac"].numerator or 0) for x in report.channels), Decimal(0))
    return {
        "shared": labels.number("cost", total - own),
        "total": labels.number("cost", total),
        "cac": labels.value(report.figures["cac_fully_loaded"]),
        "unit": labels.value(report.figures["cost_per_conversion"]),
    }


def verdict(report: CampaignReport) -> str:
    """Return in one sentence whether the campaign made a difference."""
    lift = report.figures["lift"]
    extra = report.figures["incremental_conversions"]
    match lift.note:
        case Note.NO_HOLDOUT:
            return _("Without a control group nobody can say what would have happened anyway.")
        case Note.NOT_IDENTIFIED:
            return _(
                "The effect is not identified: the interval from %(low)s to %(high)s includes zero."
            ) % {
                "low": labels.number("lift", lift.low),
                "high": labels.number("lift", lift.high),
            }
        case Note.IMMATURE:
            return _("It is too early to say: the goal's window has not ended for anybody.")
        case None:
            return _(
                "The campaign changed conversion by %(lift)s: about %(extra)s extra conversions."
            ) % {"lift": labels.value(lift), "extra": labels.value(extra)}
        case _:
            return labels.note(lift.note)


def _tone(report: CampaignReport) -> str:
    lift = report.figures["lift"]
    if lift.note is not None or lift.value is None:
        return "warn"
    return "good" if lift.value > 0 else "bad"
