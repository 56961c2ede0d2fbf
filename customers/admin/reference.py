"""Small tables that an administrator keeps: attributes and loan products."""

from django.contrib import admin

from customers.models import AttributeDefinition, Product
from loancrm.kernel.admin import ThemedAdmin


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ThemedAdmin):
    """Attributes of a customer beyond the fixed columns; usable in segments at once."""

    list_display = ("name", "value_type", "label_zh", "label_en", "unit", "is_protected")
    list_filter = ("value_type", "is_protected")
    search_fields = ("name", "label_zh", "label_en")


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
