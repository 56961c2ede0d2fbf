"""Small tables that an administrator keeps: attributes and loan products."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from customers import labels
from customers.admin.reference.product_form import ProductForm
from customers.models import AttributeDefinition, Product
from loancrm.admin_filters import word_filter
from loancrm.kernel.admin.read_only import ThemedAdmin


def _type_label(value: str) -> str:
    return labels.ATTRIBUTE_TYPES.label(value)


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ThemedAdmin):
    """Attributes of a customer beyond the fixed columns; usable in segments at once."""

    list_display = ("label", "code", "type", "unit", "is_protected", "is_risk_only")
    list_filter = (
        word_filter("value_type", _("value type"), _type_label),
        "is_protected",
        "is_risk_only",
    )
    search_fields = ("name", "label_zh", "label_en")

    @admin.display(description=_("name"), ordering="name")
    def label(self, attribute: AttributeDefinition) -> str:
        """Return the name in the reader's language."""
        return str(attribute)

    @admin.display(description=_("name in files"), ordering="name")
    def code(self, attribute: AttributeDefinition) -> str:
        """Return the name that files and rules use."""
        return format_html("<code>{}</code>", attribute.name)

    @admin.display(description=_("value type"), ordering="value_type")
    def type(self, attribute: AttributeDefinition) -> str:
        """Return the type in words."""
        return _type_label(attribute.value_type)

    def get_fields(self, request: HttpRequest, obj: AttributeDefinition | None = None) -> Any:
        """Show words instead of codes to those who may only look."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return ("label", "code", "type", "unit", "is_protected", "is_risk_only")

    def get_readonly_fields(
        self, request: HttpRequest, obj: AttributeDefinition | None = None
    ) -> tuple[str, ...]:
        """Name what is worked out and not stored."""
        return ("label", "code", "type") if obj else ()

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        """Offer the types that values can have instead of a free text."""
        if db_field.name == "value_type":
            return forms.ChoiceField(
                label=db_field.verbose_name,
                choices=labels.ATTRIBUTE_TYPES.choices(),
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **options)


@admin.register(Product)
class ProductAdmin(ThemedAdmin):
    """Loan products, named in campaigns and reports; every change is in the audit trail."""

    list_display = (
        "label",
        "code_in_files",
        "rate",
        "min_amount",
        "max_amount",
        "term_months",
        "is_active",
    )
    list_filter = ("is_active",)
    search_fields = ("code", "name_zh", "name_en")
    form = ProductForm

    @admin.display(description=_("name"), ordering="code")
    def label(self, product: Product) -> str:
        """Return the name in the reader's language."""
        return str(product)

    @admin.display(description=_("name in files"), ordering="code")
    def code_in_files(self, product: Product) -> str:
        """Return the code that files use."""
        return format_html("<code>{}</code>", product.code)

    @admin.display(description=_("annual rate"), ordering="annual_rate")
    def rate(self, product: Product) -> str:
        """Return the rate as people write it."""
        return "–" if product.annual_rate is None else f"{product.annual_rate * 100:.2f}%"

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        """Show words instead of codes to those who may only look."""
        if obj is None or self.has_change_permission(request, obj):
            fields: tuple[str, ...] = ProductForm.Meta.fields
            after_rate = fields.index("annual_rate") + 1
            return (*fields[:after_rate], "is_unusual_meant", *fields[after_rate:])
        shown = ("min_amount", "max_amount", "term_months", "offered_until", "is_active")
        return ("label", "code_in_files", "rate", *shown)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        """Name what is worked out and not stored."""
        if obj is None or self.has_change_permission(request, obj):
            return ()
        return ("label", "code_in_files", "rate")
