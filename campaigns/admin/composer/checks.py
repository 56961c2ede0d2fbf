"""The last step of writing a campaign: what its submission would refuse, each with its field."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from campaigns.admin.message_fields import field_of
from campaigns.domain.campaigns.composing_steps import ComposingStep
from campaigns.labels import composer as composer_labels
from campaigns.models import Campaign
from campaigns.services.campaigns.composer import readiness
from loancrm import admin_pages
from loancrm.kernel import clock

_FIELDS = {
    ComposingStep.AUDIENCE: "segment",
    ComposingStep.CONTENT: "test_percent",
    ComposingStep.TIME: "start_at",
    ComposingStep.GOAL: "goal_event",
    ComposingStep.CHECK: "name",
}


@require_GET
def checks(request: HttpRequest, pk: int) -> HttpResponse:
    """Return what the checks of the submission find in the stored draft, as a piece of the page."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.author_campaign", campaign)
    found = [
        {
            "step": composer_labels.COMPOSING_STEPS.label(problem.step),
            "field": field_of(problem.text) if problem.text else _FIELDS[problem.step],
            "what": problem.what,
            "is_blocking": problem.is_blocking,
        }
        for problem in readiness.problems_of(campaign, now=clock.now())
    ]
    context = {
        "campaign": campaign,
        "found": found,
        "is_ready": not any(item["is_blocking"] for item in found),
    }
    return render(request, "campaigns/checks.html", context)
