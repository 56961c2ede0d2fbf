"""Leaves to look at protected attributes: recorded with a reason and an end, kept for good."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold import widgets

from analytics.models import ProtectedOverride
from analytics.selectors.protected_features import overridable
from analytics.services import protected_overrides
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


def _features() -> list[tuple[str, str]]:
    language = get_language() or "en"
    return [(name, label.read(language)) for name, label in overridable().items()]


class OverrideForm(forms.ModelForm):  # type: ignore[type-arg] # not at run time
    """What, why and until when; the rules are those of the service."""

    feature = forms.ChoiceField(
        label=gettext_lazy("Protected attribute"),
        choices=_features,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy(
            "Searches for groups of similar customers may look at it. Look-alikes never."
        ),
    )

    class Meta:
        model = ProtectedOverride
        fields = ("feature", "reason", "valid_until")

    def clean_reason(self) -> str:
        """Refuse a reason that says nothing."""
        reason: str = self.cleaned_data["reason"].strip()
        if len(reason) < protected_overrides.SHORTEST_REASON:
            raise ValidationError(
                _(
                    "Say why it is lawful and needed, and who agreed, in %(count)s characters"
                    " or more."
                )
                % {"count": protected_overrides.SHORTEST_REASON}
            )
        return reason

    def clean_valid_until(self) -> Any:
        """Refuse a last day that is past or too far away."""
        day, today = self.cleaned_data["valid_until"], clock.today()
        if not timedelta(0) <= day - today <= protected_overrides.LONGEST:
            raise ValidationError(_("The last day has to lie within a year from today."))
        return day


@admin.register(ProtectedOverride)
class ProtectedOverrideAdmin(ReadOnlyAdmin):
    """Every leave there ever was; it is ended by an action."""

    form = OverrideForm
    list_display = ("feature_label", "state", "valid_until", "recorded_by", "recorded_at", "reason")
    search_fields = ("feature", "reason")
    ordering = ("-recorded_at", "-pk")
    actions = ("end_leave",)
    empty_template = "analytics/override_empty.html"

    @admin.display(description=gettext_lazy("protected attribute"), ordering="feature")
    def feature_label(self, row: ProtectedOverride) -> str:
        """Return the attribute in words."""
        label = overridable().get(row.feature)
        return label.read(get_language() or "en") if label else row.feature

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: ProtectedOverride) -> str:
        """Return whether the leave holds, as a coloured badge."""
        if row.ended_at is not None:
            return admin_pages.badge("bad", _("Ended"))
        if row.valid_until < clock.today():
            return admin_pages.badge("busy", _("Expired"))
        return admin_pages.badge("warn", _("In force"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Compliance records leave."""
        return bool(request.user.has_perm(protected_overrides.PERMISSION))

    def save_model(
        self,
        request: HttpRequest,
        obj: ProtectedOverride,  # type: ignore[override]
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        """Record the leave by its service, which writes the audit entry."""
        made = protected_overrides.record_override(
            actor=admin_pages.actor_of(request),
            feature=obj.feature,
            reason=obj.reason,
            valid_until=obj.valid_until,
            now=clock.now(),
        )
        obj.pk = made.pk

    @admin.action(description=gettext_lazy("End this leave"), permissions=["end"])
    def end_leave(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End the selected leaves."""
        with admin_pages.attempt(request, _("The leave has ended.")):
            for key in queryset.values_list("pk", flat=True):
                protected_overrides.end_override(
                    actor=admin_pages.actor_of(request), override_id=key, now=clock.now()
                )

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may end a leave."""
        return bool(request.user.has_perm(protected_overrides.PERMISSION))
