"""The list of campaigns: tabs by status, and what can be done with a line."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.admin.starts import trigger_fields
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Campaign, CampaignTag
from campaigns.services.desk import filing
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

_STEPS = {CampaignStatus.RUNNING: "pause", CampaignStatus.PAUSED: "resume"}


def status_tabs(rows: QuerySet[Campaign], changelist: Any) -> list[dict[str, Any]]:
    """Return the tabs of the list: each status that there is, how many, and its address."""
    counts = dict(rows.order_by().values_list("status").annotate(count=Count("pk", distinct=True)))
    current = changelist.params.get("status", "")
    everything = {
        "label": _("All"),
        "count": sum(counts.values()),
        "url": changelist.get_query_string(remove=["status", "p"]),
        "is_current": not current,
    }
    return [everything] + [
        {
            "label": labels.CAMPAIGN_STATUSES.label(status),
            "count": counts[status],
            "url": changelist.get_query_string({"status": status.value}, remove=["p"]),
            "is_current": current == status,
        }
        for status in CampaignStatus
        if status in counts
    ]


def waits_for(campaign: Campaign) -> str:
    """Return what a campaign that is not over waits for; empty where it has a time of its own."""
    is_over = campaign.status in {CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}
    return "" if is_over else trigger_fields.short(campaign.trigger)


def menu_of(campaign: Campaign, request: HttpRequest, *, has_run: bool) -> list[dict[str, str]]:
    """Return what can be done with a campaign from its line; a `step` is a button."""
    user = request.user
    found = [{"text": _("Look at it"), "icon": "open_in_new", "url": object_url(campaign)}]
    if has_run and user.has_perm("campaigns.view_report"):
        try:
            address = reverse("reports:campaign", args=[campaign.slug])
            found.append({"text": _("Report"), "icon": "monitoring", "url": address})
        except NoReverseMatch:
            pass
    step = _STEPS.get(CampaignStatus(campaign.status))
    if step and user.has_perm("campaigns.launch_campaign"):
        found.append(
            {
                "text": _("Pause") if step == "pause" else _("Go on"),
                "icon": "pause" if step == "pause" else "play_arrow",
                "step": reverse("admin:campaigns_campaign_step", args=[campaign.pk, step]),
                "next": reverse("admin:campaigns_campaign_changelist"),
            }
        )
    if user.has_perm("campaigns.author_campaign"):
        if campaign.status == CampaignStatus.DRAFT:
            edit = reverse("admin:campaigns_campaign_edit", args=[campaign.pk])
            found.append({"text": _("Edit"), "icon": "edit", "url": edit})
        copy = f"{reverse('admin:campaigns_campaign_add')}?copy={campaign.pk}"
        found.append({"text": _("Copy"), "icon": "content_copy", "url": copy})
        put = reverse("admin:campaigns_campaign_filing", args=[campaign.pk])
        found.append({"text": _("Folder and tags"), "icon": "folder", "url": put})
    return found


def file_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a campaign a folder and tags."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.author_campaign", campaign)
    tags: Sequence[str] = list(
        CampaignTag.objects.filter(campaign=campaign)
        .order_by("name")
        .values_list("name", flat=True)
    )
    folder = campaign.folder
    if request.method == "POST":
        folder = request.POST.get("folder", "")
        tags = request.POST.get("tags", "").replace("，", ",").split(",")
        with admin_pages.attempt(request, _("Put away.")) as outcome:
            filing.file_campaign(
                campaign=campaign,
                folder=folder,
                tags=tags,
                actor=admin_pages.actor_of(request),
                now=clock.now(),
            )
        if outcome.is_done:
            return HttpResponseRedirect(reverse("admin:campaigns_campaign_changelist"))
    return admin_pages.page(
        request,
        "campaigns/folder_and_tags.html",
        title=_("Folder and tags of %(name)s") % {"name": campaign.name},
        campaign=campaign,
        folder=folder,
        tags=", ".join(tag.strip() for tag in tags if tag.strip()),
        folders=sorted(set(Campaign.objects.exclude(folder="").values_list("folder", flat=True))),
        list_url=reverse("admin:campaigns_campaign_changelist"),
    )
