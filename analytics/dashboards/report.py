"""Reports: the list of campaigns with results, and the page of one of them."""

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from analytics import labels
from analytics.dashboards import charts, experiment
from analytics.dashboards.cards import figure_tile
from analytics.domain.campaign_report import CampaignReport
from analytics.domain.figures import Metric, Note
from analytics.selectors import campaign_report, experiments, overview
from analytics.services import reports
from analytics.services.reports import CampaignUnknown
from campaigns import labels as campaign_labels
from campaigns.models import Campaign
from campaigns.selectors.campaigns import empty_channels, sent_goals
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, is_allowed

_TILES = (
    Metric.CONVERSION_RATE,
    Metric.LIFT,
    Metric.INCREMENTAL_CONVERSIONS,
    Metric.COST,
    Metric.CAC_FULLY_LOADED,
    Metric.ROI,
)


def index(request: HttpRequest) -> HttpResponse:
    """List the campaigns that have something to report and that the reader may read."""
    actor = admin_pages.actor_of(request)
    reported = overview.reported_campaigns()
    goals = sent_goals.goals_of(reported)
    rows = [
        {
            "campaign": campaign,
            "status": campaign_labels.CAMPAIGN_STATUSES.label(campaign.status),
            "tone": campaign_labels.CAMPAIGN_STATUSES.tone(campaign.status),
            "goal": customer_labels.event(goals[campaign.pk].event),
        }
        for campaign in reported
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
        experiment=experiment.context(experiments.load(reported, as_of=report.head.as_of)),
        **context(report),
    )


@require_GET
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell a list, in words, how many people converted and by how much more than the control group.

    The numbers are those of the report.
    """
    found = Campaign.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    admin_pages.require(request, "campaigns.view_report", found)
    counts, lift = campaign_report.load_brief(campaign=found, as_of=clock.now())
    told = labels.note(lift.note) or f"{labels.value(lift)}\n{labels.bounds(lift)}".strip()
    return JsonResponse({"converted": f"{counts.converted:,}", "lift": told})


def context(report: CampaignReport) -> dict[str, Any]:
    """Return everything that the report's page shows."""
    figures = report.figures
    lift = figures["lift"]
    return {
        "report": report,
        "goal": customer_labels.event(report.head.goal_event),
        "as_of": labels.moment(report.head.as_of),
        "tiles": [figure_tile(figures[metric], labels.METRICS[metric].icon) for metric in _TILES],
        "verdict": verdict(report),
        "verdict_tone": _tone(report),
        "lift_parts": labels.parts(lift),
        "funnel": charts.funnel(report.counts),
        "variants": charts.variant_rates(report.variants, figures.get("control_conversion_rate")),
        "channels": [
            (
                customer_labels.CHANNELS.label(part.key),
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
        "defaults": default_curves(report),
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


def default_curves(report: CampaignReport) -> charts.Chart:
    """Return the default rates by months on book, by count and by the amount lent."""
    kinds = (("", report.default_rates), ("_amount", report.default_amount_rates))
    return charts.curves(
        "defaults",
        _("Default rate by months on book"),
        {
            labels.metric(f"ever_{days}_plus{suffix}"): curve
            for suffix, curves in kinds
            for days, curve in curves.items()
        },
        axis=_("months on book"),
        note=_("Months that are not ripe yet stay blank; they are not zero."),
    )


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
