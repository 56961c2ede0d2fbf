"""Small tables around campaigns: frequency rules, days, the global control group."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns.domain.experiments.global_control import LARGEST_SHARE, PeriodLength
from campaigns.labels.experiments import PERIOD_LENGTHS
from campaigns.models import CalendarDay, FrequencyRule, GlobalControlChoice
from campaigns.services.experiments import global_control
from customers import labels as customer_labels
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin, ThemedAdmin


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


class ControlChoiceForm(forms.ModelForm):  # type: ignore[type-arg] # not at run time
    """How many, for how long and why; the rules are those of the service."""

    share_percent = forms.DecimalField(
        label=_("Share of all people in percent"),
        min_value=0,
        max_value=LARGEST_SHARE * 100,
        decimal_places=1,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("They get no marketing at all. 0 ends the group with the period that runs."),
    )
    period_length = forms.ChoiceField(
        label=_("New group every"),
        choices=PERIOD_LENGTHS.choices,
        initial=PeriodLength.QUARTER.value,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("A choice holds from the next period on; the one that runs stays as it is."),
    )

    class Meta:
        model = GlobalControlChoice
        fields = ("share_percent", "period_length", "reason")

    def clean_reason(self) -> str:
        """Refuse a reason that says nothing."""
        reason: str = self.cleaned_data["reason"].strip()
        if len(reason) < global_control.SHORTEST_REASON:
            raise ValidationError(
                _("Say why, and who agreed, in %(count)s characters or more.")
                % {"count": global_control.SHORTEST_REASON}
            )
        return reason


@admin.register(GlobalControlChoice)
class GlobalControlAdmin(ReadOnlyAdmin):
    """Every choice there ever was; a new one holds from the next period on."""

    form = ControlChoiceForm
    list_display = (
        "share_in_words",
        "length",
        "valid_from",
        "recorded_by",
        "recorded_at",
        "reason",
    )
    fields = ("share_in_words", "length", "valid_from", "reason", "recorded_by", "recorded_at")
    readonly_fields = ("share_in_words", "length")
    ordering = ("-pk",)
    empty_template = "campaigns/global_control_empty.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what is chosen, and show what followed from it."""
        return super().get_fields(request, obj) if obj else ControlChoiceForm.Meta.fields

    @admin.display(description=_("share"), ordering="share")
    def share_in_words(self, row: GlobalControlChoice) -> str:
        """Return the share in percent."""
        return f"{row.share * 100:.1f} %"

    @admin.display(description=_("new group every"))
    def length(self, row: GlobalControlChoice) -> str:
        """Return the length of the periods in words."""
        return PERIOD_LENGTHS.label(row.period_length)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those choose who may."""
        return bool(request.user.has_perm(global_control.PERMISSION))

    def save_model(
        self,
        request: HttpRequest,
        obj: GlobalControlChoice,  # type: ignore[override]
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Record the choice by its service, which writes the audit entry."""
        made = global_control.choose(
            actor=admin_pages.actor_of(request),
            share=form.cleaned_data["share_percent"] / Decimal(100),
            length=PeriodLength(form.cleaned_data["period_length"]),
            reason=obj.reason,
            now=clock.now(),
        )
        obj.pk = made.pk
