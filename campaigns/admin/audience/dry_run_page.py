"""The page of a dry run: its waterfall, and the list as a file."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campaigns import labels
from campaigns.admin.audience import exclusion_fields, waterfall
from campaigns.models import Campaign
from campaigns.services.campaigns.rehearsal import dry_runs
from campaigns.services.campaigns.rehearsal.dry_runs import DryRun
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError

LINES_SHOWN = 100
_HEADINGS = "customer,state,reason,variant,parts,cost\n"


@require_GET
def dry_run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show what a launch would write now; `?list=csv` gives all of it, by customer number."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    title = _("Dry run: %(name)s") % {"name": campaign.name}
    context: dict[str, Any] = {
        "campaign": campaign,
        "campaign_url": object_url(campaign),
        "exclusions": exclusion_fields.sentences(campaign),
    }
    try:
        found = dry_runs.dry_run_campaign(
            campaign=campaign, actor=admin_pages.actor_of(request), now=clock.now()
        )
    except LoanCrmError as error:
        return admin_pages.page(
            request, "campaigns/dry_run.html", title=title, **context, error=error.message
        )
    if request.GET.get("list") == "csv":
        return _file(campaign, found)
    context |= {
        "found": found,
        "held_because": labels.HOLD_REASONS.label(found.hold_reason) if found.hold_reason else "",
        "sums": found.to_json(),
        "lines": waterfall.of_dry_run(found),
        "people": [
            (line, labels.MESSAGE_STATES.label(line.state), labels.message_reason(line.reason))
            for line in found.lines[:LINES_SHOWN]
        ],
        "is_cut": len(found.lines) > LINES_SHOWN,
    }
    return admin_pages.page(request, "campaigns/dry_run.html", title=title, **context)


def _file(campaign: Campaign, found: DryRun) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        yield _HEADINGS
        for line in found.lines:
            yield ",".join(map(str, line)) + "\n"

    answer = StreamingHttpResponse(rows(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="dry-run-{campaign.slug}.csv"'
    return answer
