"""Reports of campaigns that are shared with a partner."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.structs import ReportOut, report_out
from analytics.services import reports
from campaigns.selectors.campaigns import shares
from loancrm.api.views import PartnerView
from loancrm.kernel import clock


class CampaignReportView(PartnerView):
    """The report of one shared campaign."""

    required_scopes = ["reports:read"]

    @extend_schema(operation_id="read_campaign_report", responses={200: ReportOut})
    def get(self, request: Request, campaign_id: str) -> Response:
        """Read a shared campaign's report as of now; one that is not shared does not exist."""
        shares.refuse_unless_report_is_shared(request.user, campaign_id)
        report = reports.report_campaign(actor=self.actor, slug=campaign_id, now=clock.now())
        return Response(report_out(report, threshold=settings.LOANCRM_API_SMALLEST_GROUP))
