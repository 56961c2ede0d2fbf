"""Small tables around campaigns: frequency rules, days that the calendar does not know."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.models import CalendarDay, FrequencyRule
from customers import labels as customer_labels
from loancrm.kernel.admin.read_only import ThemedAdmin


@admin.register(FrequencyRule)
class FrequencyRuleAdmin(ThemedAdmin):
    """How often one person may be contacted; every campaign keeps all active rules."""

    list_display = ("sentence", "is_active")
    list_filter = ("is_active",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Name the channel in words to those who may only look."""
        fields = list(super().get_fields(request, obj))
        if self.has_change_permission(request, obj):
            return [name for name in fields if name != "channel_in_words"]
        others = [name for name in fields if name not in {"channel", "channel_in_words"}]
        return ["channel_in_words", *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is no field of the form."""
        return (*super().get_readonly_fields(request, obj), "channel_in_words")

    @admin.display(description=_("channel"))
    def channel_in_words(self, rule: FrequencyRule) -> str:
        """Return the channel as people call it."""
        return (
            customer_labels.CHANNELS.label(rule.channel) if rule.channel else str(_("all channels"))
        )

    @admin.display(description=_("rule"))
    def sentence(self, rule: FrequencyRule) -> str:
        """Return the rule as a sentence."""
        channel = (
            customer_labels.CHANNELS.label(rule.channel) if rule.channel else _("all channels")
        )
        text = _("At most %(count)s in any %(hours)s hours, %(channel)s")
        return text % {"count": rule.max_count, "hours": rule.window_hours, "channel": channel}


@admin.register(CalendarDay)
class CalendarDayAdmin(ThemedAdmin):
    """Holidays and make-up days that differ from the ones that are known."""

    list_display = ("day", "is_workday", "name")
    list_filter = ("is_workday",)
    date_hierarchy = "day"
    nothing_yet = _(
        "No day differs from the known calendar. "
        "An administrator can add holidays and make-up days."
    )
