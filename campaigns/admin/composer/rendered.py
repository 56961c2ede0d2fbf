"""Every text of a campaign as people get it, side by side: what an approver says yes to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from campaigns.labels import content as content_labels
from campaigns.models import Campaign
from campaigns.selectors.content import approved_touchpoint
from campaigns.services.campaigns.composer import draft_previews
from loancrm import admin_pages
from loancrm.kernel import clock


@require_GET
def rendered(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the stored texts for a made-up person, as a piece of the campaign's page."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    texts = [
        {
            "preview": item.preview,
            "sender": item.current.channel.sender if item.current.channel else "",
            "stand_ins": approved_touchpoint.stand_in_senders(item.current.channel),
            "variant": item.current.variant.key,
            "step": item.current.variant.touchpoint.step,
            "language": content_labels.TEXT_LANGUAGES.label(item.current.locale),
        }
        for item in draft_previews.rendered_texts(campaign=campaign, now=clock.now())
    ]
    return render(request, "campaigns/rendered.html", {"texts": texts})
