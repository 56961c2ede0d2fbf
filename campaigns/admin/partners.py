"""Partners and the leads they brought; commands make and revoke their clients and shares."""

from datetime import date

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Application

from campaigns.models import Partner, PartnerLead
from campaigns.services.partners import contracts
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import user_actor
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


@admin.register(Partner)
class PartnerAdmin(ReadOnlyAdmin):
    """Companies with access to the API."""

    list_display = ("name", "slug", "is_active", "contract_end", "lead_count", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    actions = ("switch_on", "switch_off")
    fields = (
        *("name", "slug", "is_active", "may", "requests_per_minute"),
        *("contract", "clients", "created_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        """Count the leads in the list's one query."""
        return Partner.objects.select_related("data_source").annotate(leads_total=Count("leads"))

    @admin.display(description=_("contract ends on"), ordering="data_source__valid_until")
    def contract_end(self, partner: Partner) -> date | None:
        """Return the last day of the contract; none for no end."""
        return partner.data_source.valid_until

    @admin.display(description=_("leads"), ordering="leads_total")
    def lead_count(self, partner: Partner) -> int:
        """Return how many leads the partner handed in."""
        return int(getattr(partner, "leads_total", 0))

    @admin.display(description=_("what its clients may do"))
    def may(self, partner: Partner) -> str:
        """Return what the partner's clients may do, in words."""
        words = [settings.LOANCRM_MANIFESTS.scopes.get(scope, scope) for scope in partner.scopes]
        return format_html_join("", "{}<br>", ((word,) for word in words))

    @admin.display(description=_("contract"))
    def contract(self, partner: Partner) -> str:
        """Lead to the data source with what was agreed."""
        url = object_url(partner.data_source)
        return format_html('<a class="lcx-text-link" href="{}">{}</a>', url, partner.data_source)

    @admin.display(description=_("API clients"))
    def clients(self, partner: Partner) -> str:
        """Lead to the clients through which the partner calls."""
        rows = Application.objects.filter(user=partner.user).order_by("pk")
        links = ((object_url(row), row.name or row.client_id) for row in rows)
        return format_html_join("", '<a class="lcx-text-link" href="{}">{}</a><br>', links) or "–"

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may switch partners on and off."""
        return request.user.has_perm(contracts.MANAGE)

    @admin.action(description=_("Switch on"), permissions=["manage"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[Partner]) -> None:
        """Let the chosen partners use the API."""
        _switch(request, chosen, is_active=True)

    @admin.action(description=_("Switch off at once"), permissions=["manage"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[Partner]) -> None:
        """Refuse the chosen partners' next requests."""
        _switch(request, chosen, is_active=False)


@admin.register(PartnerLead)
class PartnerLeadAdmin(ReadOnlyAdmin):
    """Who brought whom, and who gets the credit."""

    list_display = ("public_id", "partner", "reference", "standing", "campaign", "received_at")
    list_filter = ("standing", "partner")
    search_fields = ("reference", "public_id")
    list_select_related = ("partner", "campaign")
    ordering = ("-id",)
    show_full_result_count = False


def _switch(request: HttpRequest, chosen: QuerySet[Partner], *, is_active: bool) -> None:
    for partner in chosen.order_by("pk"):
        contracts.set_active(
            actor=user_actor(request.user), partner=partner, is_active=is_active, now=clock.now()
        )
