"""The stop list, kept by hand: entries are added and ended with a reason, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.views import ChangeList

from campaigns.admin import stop_lookup
from campaigns.domain.receipts.stops import StopReason
from campaigns.labels import receipts as receipt_labels
from campaigns.models import Suppression
from campaigns.selectors.receipts import unclear_replies
from campaigns.services.consents import stop_list_keeping
from campaigns.services.consents.stop_list_keeping import StopOrder, StopRefused
from customers import labels as customer_labels
from customers.domain.consents.consent import ConsentChannel, Purpose
from loancrm import admin_lookups
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.admin.read_only import ThemedAdmin

_CHANNELS = (ConsentChannel.SMS, ConsentChannel.EMAIL, ConsentChannel.PHONE)


class StopForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """An address that must not be written to, and why."""

    address = forms.CharField(
        label=_("Telephone number or e-mail address"),
        max_length=320,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )
    channel = forms.ChoiceField(label=_("Channel"), widget=widgets.UnfoldAdminSelectWidget())
    purpose = forms.ChoiceField(label=_("Purpose"), widget=widgets.UnfoldAdminSelectWidget())
    why = forms.CharField(
        label=_("Why"), max_length=500, widget=widgets.UnfoldAdminTextInputWidget()
    )

    class Meta:
        model = Suppression
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the channels and purposes in words."""
        super().__init__(*args, **kwargs)
        channels = [(item.value, customer_labels.CHANNELS.label(item)) for item in _CHANNELS]
        purposes = [(item.value, customer_labels.PURPOSES.label(item)) for item in Purpose]
        self.fields["channel"].choices = [("", _("All channels")), *channels]  # type: ignore[attr-defined]
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

    why = forms.CharField(
        label=_("Why the stop ends"), max_length=500, widget=widgets.UnfoldAdminTextInputWidget()
    )

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
        vocabulary_filter("reason", _("reason"), StopReason, receipt_labels.STOP_REASONS.label),
        vocabulary_filter("channel", _("channel"), ConsentChannel, customer_labels.CHANNELS.label),
    )
    ordering = ("-at", "-id")
    show_full_result_count = False
    actions = None
    # What is looked for is personal data: it is posted, not put into the page's address.
    list_before_template = "campaigns/stop_search.html"
    own_parameters = (admin_lookups.FIND,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        """Read everything in one query."""
        return stop_lookup.narrowed(request, Suppression.objects.select_related("customer"))

    def get_urls(self) -> list[URLPattern]:
        """Add the address that a lookup is posted to."""
        return [stop_lookup.url(), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows the key of a lookup."""
        return admin_lookups.LookupChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with what was looked for."""
        looked_for = stop_lookup.looked_for(request)
        return super().changelist_view(request, {**(extra_context or {}), "looked_for": looked_for})

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kw: Any) -> Any:
        """Return the form that adds, or the one that ends."""
        kw["form"] = LiftForm if obj else StopForm
        return super().get_form(request, obj, *args, **kw)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form in use."""
        if obj is None:
            return ("address", "channel", "purpose", "why")
        shown: tuple[str, ...] = self.list_display
        if obj.reason == StopReason.UNDER_REVIEW and not obj.lifted_at:
            shown = (*shown, "waiting")
        return (*shown, "why") if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show an entry, all of it."""
        return (*self.list_display, "waiting") if obj else ()

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
        """Return the customer's number, or the address, masked."""
        if row.customer_id:
            return f"#{row.customer_id}"
        return row.address_masked or str(_("an address that was not kept"))

    @admin.display(description=_("channel"), ordering="channel")
    def channel_label(self, row: Suppression) -> str:
        """Return the channel in words."""
        return (
            customer_labels.CHANNELS.label(row.channel) if row.channel else str(_("all channels"))
        )

    @admin.display(description=_("purpose"), ordering="purpose")
    def purpose_label(self, row: Suppression) -> str:
        """Return the purpose in words."""
        return (
            customer_labels.PURPOSES.label(row.purpose) if row.purpose else str(_("all purposes"))
        )

    @admin.display(description=_("reason"), ordering="reason")
    def reason_label(self, row: Suppression) -> str:
        """Return the reason in words."""
        return receipt_labels.STOP_REASONS.label(row.reason)

    @admin.display(description=_("replies to be read"))
    def waiting(self, row: Suppression) -> str:
        """Return the replies that somebody has to read before the stop is ended."""
        links = [
            (
                object_url(reply),
                f"{reply.sender_masked} {date_format(localtime(reply.received_at))}",
            )
            for reply in unclear_replies.of_stop(row)
        ]
        return format_html_join(", ", '<a class="lcx-text-link" href="{}">{}</a>', links) or "–"

    @admin.display(description=_("source"), ordering="source")
    def source_label(self, row: Suppression) -> str:
        """Return where it came from: in words, or the name that an import was given."""
        return receipt_labels.stop_source(row.source)
