"""Small tables that an administrator keeps: attributes and loan products."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from customers import labels
from customers.models import AttributeDefinition, Product
from loancrm.kernel.admin import ThemedAdmin


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ThemedAdmin):
    """Attributes of a customer beyond the fixed columns; usable in segments at once."""

    list_display = (
        "name",
        "value_type",
        "label_zh",
        "label_en",
        "unit",
        "is_protected",
        "is_risk_only",
    )
    list_filter = ("value_type", "is_protected", "is_risk_only")
    search_fields = ("name", "label_zh", "label_en")

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        """Offer the types that values can have instead of a free text."""
        if db_field.name == "value_type":
            return forms.ChoiceField(
                label=db_field.verbose_name,
                choices=list(labels.ATTRIBUTE_TYPES.items()),
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **options)


@admin.register(Product)
class ProductAdmin(ThemedAdmin):
    """Loan products, named in campaigns and reports."""

    list_display = (
        "code",
        "name_zh",
        "name_en",
        "annual_rate",
        "min_amount",
        "max_amount",
        "term_months",
        "is_active",
    )
    list_filter = ("is_active",)
    search_fields = ("code", "name_zh", "name_en")
