"""Reports that were asked of credit bureaus: about whom, for what, and by whose leave."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from customers import labels
from customers.domain.credit.bureau import PullPurpose
from customers.models import BureauPull
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


@admin.register(BureauPull)
class BureauPullAdmin(ReadOnlyAdmin):
    """Every report, the newest first; what it says of the person stays on the person's page."""

    list_display = (
        *("pulled_on", "person", "vendor", "what_for", "consent_reference"),
        *("valid_until", "cost", "account_count"),
    )
    list_filter = (
        vocabulary_filter("purpose", _("purpose"), PullPurpose, labels.PULL_PURPOSES.label),
    )
    ordering = ("-pulled_on", "-pk")
    date_hierarchy = "pulled_on"
    fields = (*list_display,)
    readonly_fields = fields
    actions = None
    nothing_yet = _(
        "No report has been taken in. Reports come in by a command line or through the API."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BureauPull]:
        """Count the accounts of each report in the same query."""
        rows: QuerySet[BureauPull] = super().get_queryset(request)
        return rows.annotate(accounts=Count("tradelines"))

    @admin.display(description=_("customer"), ordering="customer_id")
    def person(self, row: BureauPull) -> str:
        """Return the customer's number, which leads to the customer."""
        address = reverse("admin:customers_customer_change", args=[row.customer_id])
        return format_html('<a class="lcx-text-link" href="{}">#{}</a>', address, row.customer_id)

    @admin.display(description=_("purpose"), ordering="purpose")
    def what_for(self, row: BureauPull) -> str:
        """Return what the report was asked for."""
        return labels.PULL_PURPOSES.label(row.purpose)

    @admin.display(description=_("cost"), ordering="cost_amount")
    def cost(self, row: BureauPull) -> str:
        """Return what the report cost; a dash where nobody said."""
        return "–" if row.cost_amount is None else f"¥{row.cost_amount:,.2f}"

    @admin.display(description=_("accounts"), ordering="accounts")
    def account_count(self, row: BureauPull) -> int:
        """Return how many accounts the report tells of."""
        return int(getattr(row, "accounts", 0))
