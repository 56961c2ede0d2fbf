"""The stop list, kept by hand: entries are added and ended with a reason, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns import labels
from campaigns.domain.stops import StopReason
from campaigns.models import Suppression
from campaigns.services import stop_list_keeping
from campaigns.services.stop_list_keeping import StopOrder, StopRefused
from customers import labels as customer_labels
from customers.domain.consent import ConsentChannel, Purpose
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import access, clock
from loancrm.kernel.admin import ThemedAdmin

_CHANNELS = (ConsentChannel.SMS, ConsentChannel.EMAIL, ConsentChannel.PHONE)


class StopForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """An address that must not be written to, and why."""

    address = forms.CharField(label=_("telephone number or e-mail address"), max_length=320)
    channel = forms.ChoiceField(label=_("channel"))
    purpose = forms.ChoiceField(label=_("purpose"))
    why = forms.CharField(label=_("why"), max_length=500)

    class Meta:
        model = Suppression
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the channels and purposes in words."""
        super().__init__(*args, **kwargs)
        channels = [(item.value, customer_labels.channel(item)) for item in _CHANNELS]
        purposes = [(item.value, customer_labels.purpose(item)) for item in Purpose]
        self.fields["channel"].choices = [("", _("all channels")), *channels]  # type: ignore[attr-defined]
        self.fields["channel"].required = False
        self.fields["purpose"].choices = purposes  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse what names nobody, beside the field."""
        content = dict(super().clean() or {})
        if content.get("address"):
            try:
                stop_list_keeping.check(self.order(content))
            except StopRefused as refusal:
                self.add_error("address", ValidationError(str(refusal.message)))
        return content

    @staticmethod
    def order(content: dict[str, Any]) -> StopOrder:
        """Return what the form asks for."""
        return StopOrder(
            channel=content.get("channel", ""),
            address=content["address"],
            purpose=content.get("purpose", ""),
        )


class LiftForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """Why a stop ends."""

    why = forms.CharField(label=_("why the stop ends"), max_length=500)

    class Meta:
        model = Suppression
        fields = ()


@admin.register(Suppression)
class SuppressionAdmin(ThemedAdmin):
    """Who must not be contacted, and why; entries come from opt-outs, complaints and by hand."""

    list_display = (
        "person",
        "channel_label",
        "purpose_label",
        "reason_label",
        "source_label",
        "at",
        "lifted_at",
    )
    list_filter = (
        vocabulary_filter(
            "reason", _("reason"), StopReason, lambda value: str(labels.STOP_REASONS[value])
        ),
        vocabulary_filter("channel", _("channel"), ConsentChannel, customer_labels.channel),
    )
    ordering = ("-at", "-id")
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        """Read everything in one query."""
        return Suppression.objects.select_related("customer")

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kw: Any) -> Any:
        """Return the form that adds, or the one that ends."""
        kw["form"] = LiftForm if obj else StopForm
        return super().get_form(request, obj, *args, **kw)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form in use."""
        if obj is None:
            return ("address", "channel", "purpose", "why")
        shown = self.get_readonly_fields(request, obj)
        return (*shown, "why") if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show an entry, all of it."""
        return self.list_display if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who keeps the list may end what is in force."""
        return super().has_change_permission(request, obj) and not getattr(obj, "lifted_at", None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes: that somebody refused stays provable."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Add or end through the service, which writes the audit entry."""
        actor = access.user_actor(request.user)
        why = form.cleaned_data["why"]
        if change:
            stop_list_keeping.lift(actor=actor, ids=[obj.pk], reason=why, now=clock.now())
            return
        row = stop_list_keeping.add_by_hand(
            actor=actor, order=StopForm.order(form.cleaned_data), reason=why, now=clock.now()
        )
        obj.__dict__.update(row.__dict__)

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

    @admin.display(description=_("reason"), ordering="reason")
    def reason_label(self, row: Suppression) -> str:
        """Return the reason in words."""
        return str(labels.STOP_REASONS.get(row.reason, _("another reason")))

    @admin.display(description=_("source"), ordering="source")
    def source_label(self, row: Suppression) -> str:
        """Return where it came from: in words, or the name that an import was given."""
        return str(labels.STOP_SOURCES.get(row.source, row.source))
