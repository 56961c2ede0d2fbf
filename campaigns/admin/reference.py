"""Small tables around campaigns: frequency rules and the stop list."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.models import FrequencyRule, Suppression
from customers import labels as customer_labels
from loancrm.kernel.admin import ReadOnlyAdmin, ThemedAdmin


@admin.register(FrequencyRule)
class FrequencyRuleAdmin(ThemedAdmin):
    """How often one person may be contacted; every campaign keeps all active rules."""

    list_display = ("sentence", "is_active")
    list_filter = ("is_active",)

    @admin.display(description=_("rule"))
    def sentence(self, rule: FrequencyRule) -> str:
        """Return the rule as a sentence."""
        channel = customer_labels.channel(rule.channel) if rule.channel else _("all channels")
        text = _("At most %(count)s in any %(hours)s hours, %(channel)s")
        return text % {"count": rule.max_count, "hours": rule.window_hours, "channel": channel}


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """Who must not be contacted, and why; entries come from opt-outs, bounces and complaints."""

    list_display = (
        "person",
        "channel_label",
        "purpose_label",
        "reason",
        "source",
        "at",
        "lifted_at",
    )
    list_filter = ("reason", "channel")
    ordering = ("-at", "-id")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        """Read everything in one query."""
        return Suppression.objects.select_related("customer")

    @admin.display(description=_("customer"))
    def person(self, row: Suppression) -> str:
        """Return the customer's number, or that an address is meant."""
        return f"#{row.customer_id}" if row.customer_id else str(_("an address"))

    @admin.display(description=_("channel"), ordering="channel")
    def channel_label(self, row: Suppression) -> str:
        """Return the channel in words."""
        return customer_labels.channel(row.channel) if row.channel else str(_("all channels"))

    @admin.display(description=_("purpose"), ordering="purpose")
    def purpose_label(self, row: Suppression) -> str:
        """Return the purpose in words."""
        return customer_labels.purpose(row.purpose) if row.purpose else str(_("all purposes"))
