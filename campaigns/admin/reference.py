"""Small tables around campaigns: frequency rules."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from campaigns.models import FrequencyRule
from customers import labels as customer_labels
from loancrm.kernel.admin import ThemedAdmin


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
