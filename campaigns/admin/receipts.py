"""Reports of providers that wait: for their message, or for somebody to look at them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns.domain.receipts.report import OPEN_PROBLEMS
from campaigns.labels import receipts as receipt_labels
from campaigns.models import Receipt
from campaigns.services.receipts import reports
from loancrm.kernel import access, clock
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


class SettleForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """What somebody did about a report."""

    why = forms.CharField(
        label=_("What was done about it"),
        max_length=500,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )

    class Meta:
        model = Receipt
        fields = ()


class ChannelFilter(RelatedFieldListFilter):
    """Reports of one channel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name the filter in the reader's language; Django would take the column's name."""
        super().__init__(*args, **kwargs)
        self.title = str(_("channel"))


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Refusals first, oldest first; a report that was looked into leaves the list with a reason."""

    form = SettleForm
    list_display = ("received_at", "age", "channel_name", "what", "waits_because", "next_step")
    list_filter = ("is_refusal", ("channel", ChannelFilter))
    ordering = ("-is_refusal", "received_at", "id")
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        """Read what waits, in one query."""
        return Receipt.objects.filter(problem__in=OPEN_PROBLEMS).select_related("channel")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what helps to find the report at the provider."""
        return (*self.list_display, "report_id", "message_there", "occurred_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return everything that is shown, and the reason where it may be given."""
        shown = self.get_readonly_fields(request, obj)
        return (*shown, "why") if self.has_change_permission(request, obj) else shown

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who keeps the stop list may take a report off."""
        return access.is_allowed(access.user_actor(request.user), "campaigns.add_suppression")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Take the report off through the service, which writes the audit entry."""
        reports.settle_by_hand(
            actor=access.user_actor(request.user),
            receipt_ids=[obj.pk],
            reason=form.cleaned_data["why"],
            now=clock.now(),
        )

    @admin.display(description=_("age"))
    def age(self, row: Receipt) -> str:
        """Return how long it has waited."""
        return timesince(row.received_at, clock.now(), depth=1)

    @admin.display(description=_("channel"), ordering="channel__name")
    def channel_name(self, row: Receipt) -> str:
        """Return through which provider account it came."""
        return row.channel.name or row.channel.slug

    @admin.display(description=_("provider's id of the report"))
    def report_id(self, row: Receipt) -> str:
        """Return by what the provider finds its report."""
        return row.provider_event_id

    @admin.display(description=_("provider's id of the message"))
    def message_there(self, row: Receipt) -> str:
        """Return by what the provider finds the message."""
        return row.provider_message_id

    @admin.display(description=_("report"))
    def what(self, row: Receipt) -> str:
        """Return what was reported, and how a reply was read."""
        return receipt_labels.REPLY_MEANINGS.label(
            row.meaning
        ) or receipt_labels.REPORT_KINDS.label(row.kind)

    @admin.display(description=_("waits because"), ordering="problem")
    def waits_because(self, row: Receipt) -> str:
        """Return the reason in words."""
        return receipt_labels.RECEIPT_PROBLEMS.label(row.problem)

    @admin.display(description=_("next step"))
    def next_step(self, row: Receipt) -> str:
        """Return what somebody can do."""
        return receipt_labels.RECEIPT_PROBLEMS.hint(row.problem)
