"""What products cost beside their interest, and the published list of partners."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from customers import labels
from customers.models import ListedPartner, ProductFee
from loancrm.admin_filters import word_filter
from loancrm.kernel.admin.read_only import ThemedAdmin


def _timing_label(value: str) -> str:
    return labels.FEE_TIMINGS.label(value)


@admin.register(ProductFee)
class ProductFeeAdmin(ThemedAdmin):
    """Fees of products; the all-in cost that texts tell and rules judge is made of them."""

    list_display = ("label", "product", "paid", "amount", "share", "collector")
    list_filter = (word_filter("timing", _("when it is paid"), _timing_label),)
    list_select_related = ("product", "collector")
    search_fields = ("name_zh", "name_en", "product__code")

    @admin.display(description=_("name"), ordering="name_zh")
    def label(self, fee: ProductFee) -> str:
        """Return the name in the reader's language."""
        return str(fee)

    @admin.display(description=_("when it is paid"), ordering="timing")
    def paid(self, fee: ProductFee) -> str:
        """Return in words when it is paid."""
        return _timing_label(fee.timing)

    def get_fields(self, request: HttpRequest, obj: ProductFee | None = None) -> Any:
        """Show words instead of codes to those who may only look."""
        if obj is None or self.has_change_permission(request, obj):
            return ("product", "name_zh", "name_en", "timing", "amount", "share", "collector")
        return ("label", "product", "paid", "amount", "share", "collector")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ProductFee | None = None
    ) -> tuple[str, ...]:
        """Name what is worked out and not stored."""
        if obj is None or self.has_change_permission(request, obj):
            return ()
        return ("label", "paid")

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        """Offer the times at which a fee can be paid instead of a free text."""
        if db_field.name == "timing":
            return forms.ChoiceField(
                label=db_field.verbose_name,
                choices=labels.FEE_TIMINGS.choices(),
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **options)


@admin.register(ListedPartner)
class ListedPartnerAdmin(ThemedAdmin):
    """Partners with the days on which they stand on the lender's published list."""

    list_display = ("name", "listed_from", "listed_until")
    search_fields = ("name",)
