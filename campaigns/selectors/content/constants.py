"""What a text may say that is the same for everybody: facts of the lender, products on offer."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from customers.models import Product
from loancrm.kernel.texts.templates import freeze


def constants(campaign_name: str, variables: frozenset[str], *, language: str) -> dict[str, Any]:
    """Return the values that everybody who gets a text is told.

    Args:
        variables: Names that the text reads; the products are asked for only where it does.
        language: `zh-hans` or `en`; decides the products' names.
    """
    facts = {
        "brand": settings.LOANCRM_BRAND,
        "hotline": settings.LOANCRM_HOTLINE,
        "sender_address": settings.LOANCRM_POSTAL_ADDRESS,
        "campaign_name": campaign_name,
    }
    found: dict[str, Any] = {name: value for name, value in facts.items() if value}
    listed = products(language) if "products" in variables else ()
    return {**found, "products": listed} if listed else found


def products(language: str) -> tuple[Mapping[str, Any], ...]:
    """Return the lender's products on offer as plain values, what is not known left out."""
    return tuple(
        freeze(
            {
                "name": (product.name_en if language == "en" else "") or product.name_zh,
                "annual_rate": product.annual_rate,
                "min_amount": product.min_amount,
                "max_amount": product.max_amount,
                "term_months": product.term_months,
            }
        )
        for product in Product.objects.filter(is_active=True).order_by("code")
    )
