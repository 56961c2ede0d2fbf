"""The page of a dry run: its waterfall, and the list as a file."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campaigns import labels
from campaigns.admin.audience import exclusion_fields, waterfall
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign
from campaigns.services.campaigns.rehearsal import dry_runs
from campaigns.services.campaigns.rehearsal.dry_runs import DryRun, DryRunLine
from customers.domain.exports import csv_lines
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.errors import LoanCrmError

LINES_SHOWN = 100


@require_GET
def dry_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a launch would write now; `?list=csv` gives all of it, by customer number.

    Whom debts, age or stop lists keep out is told to who may see customers; the whole list goes to
    who may take customers out of the system, with an entry.
    """
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    title = _("Dry run: %(name)s") % {"name": campaign.name}
    context: dict[str, Any] = {
        "campaign": campaign,
        "campaign_url": object_url(campaign),
        "exclusions": exclusion_fields.sentences(campaign),
    }
    actor, now = admin_pages.actor_of(request), clock.now()
    is_file = request.GET.get("list") == "csv"
    if is_file:
        admin_pages.require(request, dry_runs.LISTS)
    try:
        run = dry_runs.list_dry_run if is_file else dry_runs.dry_run_campaign
        found = run(campaign=campaign, actor=actor, now=now)
    except LoanCrmError as error:
        return admin_pages.page(
            request, "campaigns/dry_run.html", title=title, **context, error=error.message
        )
    if is_file:
        return _file(campaign, found)
    may_see = access.is_allowed(actor, "customers.view_customer")
    context |= {
        "found": found,
        "held_because": labels.HOLD_REASONS.label(found.hold_reason) if found.hold_reason else "",
        "sums": found.to_json(),
        "lines": waterfall.of_dry_run(found),
        "people": [
            (line, _fate(line), labels.message_reason(line.reason))
            for line in (found.lines[:LINES_SHOWN] if may_see else ())
        ],
        "may_list": access.is_allowed(actor, dry_runs.LISTS),
        "is_cut": len(found.lines) > LINES_SHOWN,
    }
    return admin_pages.page(request, "campaigns/dry_run.html", title=title, **context)


def _fate(line: DryRunLine) -> str:
    # Nothing was sent: the words of a message that was would tell of a receipt to come.
    if line.state == MessageState.SENT:
        return _("Would be sent")
    if line.state == MessageState.PLANNED:
        return _("Would wait")
    return labels.MESSAGE_STATES.label(line.state)


def _file(campaign: Campaign, found: DryRun) -> HttpResponse:
    rows = [
        ["customer", "state", "reason", "variant", "parts", "cost", "fate", "why"],
        *(
            [*map(str, line), _fate(line), labels.message_reason(line.reason)]
            for line in found.lines
        ),
    ]
    # The mark at the beginning tells spreadsheet programs how it is written.
    answer = HttpResponse("\ufeff" + csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="dry-run-{campaign.slug}.csv"'
    return answer
