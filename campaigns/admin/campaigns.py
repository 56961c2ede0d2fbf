"""Campaigns: the list with live counts, the form, and the page where a campaign is run."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import labels
from campaigns.admin import campaign_page, campaign_views, fairness_page, sending
from campaigns.admin import rules as rules_page
from campaigns.admin.composer import checks, live, rendered
from campaigns.admin.composer import pages as composer_pages
from campaigns.admin.contactable_view import customer_contact
from campaigns.admin.listing import filters, lines
from campaigns.admin.notices import pages as notice_pages
from campaigns.admin.unknown import confirmations as unknown_confirmations
from campaigns.admin.unknown import messages as unknown_messages
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.models import Campaign
from campaigns.selectors.desk import list_facts
from campaigns.selectors.desk.list_facts import ListFacts
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.components import component
from loancrm.kernel import clock
from loancrm.kernel.admin.sharing import SharedRowsAdmin
from loancrm.kernel.security import grants


@admin.register(Campaign)
class CampaignAdmin(SharedRowsAdmin):
    """Every button calls the service that the commands call."""

    list_display = (
        *("title", "state", "audience_of", "progress", "delivered"),
        *("converted", "lift", "cost", "menu"),
    )
    list_display_links = ("title",)
    list_per_page = 25
    list_before_template = "campaigns/list_tabs.html"
    list_filter = (
        vocabulary_filter(
            "status",
            gettext_lazy("status"),
            CampaignStatus,
            labels.CAMPAIGN_STATUSES.label,
        ),
        *filters.ALL,
    )
    search_fields = ("name", "slug", "description", "folder", "tags__name", "segment__name")
    ordering = ("-updated_at", "-id")
    show_full_result_count = False
    empty_template = "campaigns/empty.html"

    class Media:
        js = ("loancrm/awaited.js",)

    shareable = {
        "campaigns.view_campaign": gettext_lazy("see it"),
        "campaigns.view_report": gettext_lazy("read its report"),
    }

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Authors write campaigns, in our own form."""
        return bool(request.user.has_perm("campaigns.author_campaign"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """Read the segments with the campaigns that the reader may see."""
        return self.visible(request, Campaign.objects.select_related("segment"))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read what the list says of the shown campaigns in a fixed number of queries."""
        changelist = super().get_changelist_instance(request)
        shown: Sequence[Campaign] = list(changelist.result_list)
        facts = list_facts.facts_of(shown, now=clock.now())
        for campaign in shown:
            known = facts[campaign.pk]
            campaign.facts = known  # type: ignore[attr-defined] # for the columns
            campaign.row_menu = lines.menu_of(  # type: ignore[attr-defined]
                campaign, request, has_run=bool(known.total)
            )
            campaign.has_worth = bool(known.total) and request.user.has_perm(  # type: ignore[attr-defined]
                "campaigns.view_report"
            )
        changelist.result_list = shown
        changelist.status_tabs = lines.status_tabs(self.get_queryset(request), changelist)
        return changelist

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, campaign: Campaign) -> str:
        """Return the campaign's name, that it is a template, and where it is put away."""
        name = f"{campaign.name} · {_('Template')}" if campaign.is_template else campaign.name
        filed = " · ".join(filter(None, (campaign.folder, *_facts(campaign).tags)))
        return format_html('{}<small class="lcx-filed">{}</small>', name, filed) if filed else name

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, campaign: Campaign) -> str:
        """Return the status as a coloured badge, and what comes next or is waited for."""
        badge = admin_pages.badge(
            labels.CAMPAIGN_STATUSES.tone(campaign.status),
            labels.CAMPAIGN_STATUSES.label(campaign.status),
        )
        told = lines.waits_for(campaign)
        if not told and (due_at := _facts(campaign).next_at) is not None:
            shown = date_format(timezone.localtime(due_at), "m-d H:i")
            told = _("next %(time)s") % {"time": shown}
        return format_html('{}<small class="lcx-filed">{}</small>', badge, told) if told else badge

    @admin.display(description=gettext_lazy("people done"))
    def progress(self, campaign: Campaign) -> str:
        """Return how many of the people are done with, as a bar with its numbers."""
        facts = _facts(campaign)
        if not facts.total:
            return "–"
        return component(
            "meter", done=facts.done, total=facts.total, is_counted=True, label=campaign.name
        )

    @admin.display(description=gettext_lazy("segment"), ordering="segment__name")
    def audience_of(self, campaign: Campaign) -> str:
        """Return the segment's name."""
        return campaign.segment.name if campaign.segment else "–"

    @admin.display(description=gettext_lazy("delivered"))
    def delivered(self, campaign: Campaign) -> str:
        """Return to how many people something was delivered."""
        facts = _facts(campaign)
        return f"{facts.delivered:,}" if facts.total else "–"

    @admin.display(description=gettext_lazy("converted"))
    def converted(self, campaign: Campaign) -> str:
        """Return where the report's number of people who converted is put once it is counted."""
        return _worth(campaign, "converted")

    @admin.display(description=gettext_lazy("lift [95 %]"))
    def lift(self, campaign: Campaign) -> str:
        """Return where the report's lift over the control group, with its interval, is put."""
        return _worth(campaign, "lift")

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, campaign: Campaign) -> str:
        """Return what it cost so far, in CNY."""
        facts = _facts(campaign)
        return f"¥{facts.cost_amount:,.2f}" if facts.total or facts.cost_amount else "–"

    @admin.display(description="")
    def menu(self, campaign: Campaign) -> str:
        """Return what can be done with it from here."""
        items = getattr(campaign, "row_menu", ())
        return component("row_menu", label=campaign.name, items=items)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages and endpoints around one campaign."""
        wrap = self.admin_site.admin_view
        own = [
            path("rules/", wrap(rules_page.rules), name="campaigns_rules"),
            path("unknown/", wrap(unknown_messages.unknown), name="campaigns_unknown"),
            path("unknown/export/", wrap(unknown_messages.export), name="campaigns_unknown_export"),
            path(
                "unknown/confirmations/",
                wrap(unknown_confirmations.decide),
                name="campaigns_unknown_confirmations",
            ),
            path("<int:pk>/filing/", wrap(lines.file_view), name="campaigns_campaign_filing"),
            path("live/", wrap(live.live), name="campaigns_campaign_live"),
            path("<int:pk>/checks/", wrap(checks.checks), name="campaigns_campaign_checks"),
            path("<int:pk>/rendered/", wrap(rendered.rendered), name="campaigns_campaign_rendered"),
            path("<int:pk>/edit/", wrap(self.edit_view), name="campaigns_campaign_edit"),
            path(
                "<int:pk>/step/<slug:name>/",
                wrap(campaign_views.step),
                name="campaigns_campaign_step",
            ),
            path(
                "<int:pk>/progress/",
                wrap(campaign_views.progress),
                name="campaigns_campaign_progress",
            ),
            path(
                "<int:pk>/preview/", wrap(campaign_views.preview), name="campaigns_campaign_preview"
            ),
            path(
                "<int:pk>/forecast/",
                wrap(campaign_views.forecast),
                name="campaigns_campaign_forecast",
            ),
            path("<int:pk>/test/", wrap(campaign_views.test_send), name="campaigns_campaign_test"),
            path("sending/", wrap(sending.confirmation), name="campaigns_sending"),
            path("notices/", wrap(notice_pages.index), name="campaigns_notices"),
            path("notices/mark/", wrap(notice_pages.mark), name="campaigns_notices_mark"),
            path("notices/choose/", wrap(notice_pages.choose), name="campaigns_notices_choose"),
            path(
                "messages-of/<int:customer_id>/",
                wrap(campaign_views.customer_messages),
                name="campaigns_customer_messages",
            ),
            path(
                "contact-with/<int:customer_id>/",
                wrap(customer_contact),
                name="campaigns_customer_contact",
            ),
        ]
        return [*own, *fairness_page.addresses(wrap), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Write a new campaign, or a copy of one that exists."""
        return composer_pages.add(request, self)

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change a draft."""
        return composer_pages.edit(request, self, pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the page where a campaign is checked, approved, launched and watched."""
        campaign = admin_pages.row_of(
            Campaign.objects.select_related("segment", "author"), object_id
        )
        admin_pages.require(request, "campaigns.view_campaign", campaign)
        context = campaign_page.context(campaign, admin_pages.actor_of(request))
        return admin_pages.page(
            request,
            "campaigns/page.html",
            title=campaign.name,
            model_admin=self,
            **context,
            sharing_url=object_url(campaign, "sharing")
            if request.user.has_perm(grants.SHARE)
            else "",
        )


def _facts(campaign: Campaign) -> ListFacts:
    facts: ListFacts = campaign.facts  # type: ignore[attr-defined] # read with the list
    return facts


def _worth(campaign: Campaign, name: str) -> str:
    """Return the place of a number of the report, which a script asks for after the list."""
    if not getattr(campaign, "has_worth", False):
        return "–"
    return component("awaited", url=reverse("reports:brief", args=[campaign.pk]), part=name)
