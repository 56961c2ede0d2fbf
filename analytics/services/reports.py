"""Hand out campaign reports, and keep their figures when asked."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from analytics.domain.campaign_report import CampaignReport
from analytics.domain.campaign_worth import ReturnAssumptions
from analytics.domain.figures import Figure, Number
from analytics.models import MetricSnapshot
from analytics.selectors import campaign_report
from campaigns.models import Campaign
from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError

CAMPAIGN = "campaign"
READ = "campaigns.view_report"


class CampaignUnknown(LoanCrmError):
    """There is no campaign of this name."""

    code = "campaign_unknown"


class TimeInFuture(LoanCrmError):
    """A report cannot be as of a time that has not come."""

    code = "as_of_in_future"


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report and how many of its figures were stored anew."""

    report: CampaignReport
    stored: int


def report_campaign(
    *,
    actor: Actor,
    slug: str,
    now: datetime,
    as_of: datetime | None = None,
    assumptions: ReturnAssumptions | None = None,
) -> CampaignReport:
    """Return the report of a campaign as of a time, by default now.

    Raises:
        PermissionRefused: The actor may not read reports, neither in general nor of this campaign.
        CampaignUnknown: There is no such campaign.
        TimeInFuture: `as_of` is later than now.
    """
    campaign = Campaign.objects.filter(slug=slug).first()
    access.require(actor, READ, campaign)
    return _report(campaign, slug=slug, now=now, as_of=as_of, assumptions=assumptions)


def store_report(
    *,
    actor: Actor,
    slug: str,
    now: datetime,
    as_of: datetime | None = None,
    assumptions: ReturnAssumptions | None = None,
) -> StoredReport:
    """Return the report and keep every figure of it; figures of the same time stay as they were.

    Raises:
        As `report_campaign`.
    """
    campaign = Campaign.objects.filter(slug=slug).first()
    act = acting(actor, READ, on=campaign, now=now)
    report = _report(campaign, slug=slug, now=now, as_of=as_of, assumptions=assumptions)
    rows = [_row(slug, figure, now) for figure in report.all_figures()]
    with act:
        kept = MetricSnapshot.objects.filter(
            subject_type=CAMPAIGN, subject_id=slug, as_of=report.head.as_of
        )
        before = kept.count()
        MetricSnapshot.objects.bulk_create(rows, ignore_conflicts=True)
        stored = kept.count() - before
        act.record(
            "report.store",
            on=(Campaign, slug),
            facts={"as_of": report.head.as_of.isoformat(), "figures": stored},
        )
    return StoredReport(report=report, stored=stored)


def _report(
    campaign: Campaign | None,
    *,
    slug: str,
    now: datetime,
    as_of: datetime | None,
    assumptions: ReturnAssumptions | None,
) -> CampaignReport:
    if campaign is None:
        raise CampaignUnknown(_("There is no campaign %(slug)s.") % {"slug": slug}, slug=slug)
    moment = as_of or now
    if moment > now:
        raise TimeInFuture(_("The report's time lies in the future."), slug=slug)
    return campaign_report.load_report(campaign=campaign, as_of=moment, assumptions=assumptions)


def _row(slug: str, figure: Figure, now: datetime) -> MetricSnapshot:
    return MetricSnapshot(
        subject_type=CAMPAIGN,
        subject_id=slug,
        metric=figure.metric,
        filters=";".join(f"{name}={value}" for name, value in figure.filters),
        window_kind=figure.window.kind,
        window_length=figure.window.length or 0,
        window_unit=figure.window.unit,
        as_of=figure.as_of,
        value=_decimal(figure.value, 8),
        numerator=_decimal(figure.numerator, 4),
        denominator=_decimal(figure.denominator, 4),
        low=_decimal(figure.low, 8),
        high=_decimal(figure.high, 8),
        excluded_count=figure.excluded_count,
        note=figure.note or "",
        created_at=now,
    )


def _decimal(number: Number | None, digits: int) -> Decimal | None:
    return None if number is None else round(Decimal(str(number)), digits)
