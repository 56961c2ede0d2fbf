"""Reports of providers that wait: for their message, or for somebody to look at them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from campaigns import labels
from campaigns.domain.receipts import OPEN_PROBLEMS
from campaigns.models import Receipt
from campaigns.services import receipts
from loancrm.kernel import access, clock
from loancrm.kernel.admin import ReadOnlyAdmin


class SettleForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """What somebody did about a report."""

    why = forms.CharField(label=_("what was done about it"), max_length=500)

    class Meta:
        model = Receipt
        fields = ()


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Refusals first, oldest first; a report that was looked into leaves the list with a reason."""

    form = SettleForm
    list_display = ("received_at", "age", "channel", "what", "waits_because", "next_step")
    list_filter = ("is_refusal", "channel")
    ordering = ("-is_refusal", "received_at", "id")
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        """Read what waits, in one query."""
        return Receipt.objects.filter(problem__in=OPEN_PROBLEMS).select_related("channel")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what helps to find the report at the provider."""
        return (*self.list_display, "provider_event_id", "provider_message_id", "occurred_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return everything that is shown, and the reason where it may be given."""
        shown = self.get_readonly_fields(request, obj)
        return (*shown, "why") if self.has_change_permission(request, obj) else shown

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who keeps the stop list may take a report off."""
        return access.is_allowed(access.user_actor(request.user), "campaigns.add_suppression")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Take the report off through the service, which writes the audit entry."""
        receipts.settle_by_hand(
            actor=access.user_actor(request.user),
            receipt_ids=[obj.pk],
            reason=form.cleaned_data["why"],
            now=clock.now(),
        )

    @admin.display(description=_("age"))
    def age(self, row: Receipt) -> str:
        """Return how long it has waited."""
        return timesince(row.received_at, clock.now(), depth=1)

    @admin.display(description=_("report"))
    def what(self, row: Receipt) -> str:
        """Return what was reported, and how a reply was read."""
        return str(labels.REPLY_MEANINGS.get(row.meaning) or labels.REPORT_KINDS[row.kind])

    @admin.display(description=_("waits because"), ordering="problem")
    def waits_because(self, row: Receipt) -> str:
        """Return the reason in words."""
        return str(labels.RECEIPT_PROBLEMS[row.problem])

    @admin.display(description=_("next step"))
    def next_step(self, row: Receipt) -> str:
        """Return what somebody can do."""
        return str(labels.NEXT_STEPS[row.problem])
