"""What a text may say that is the same for everybody: facts of the lender, products on offer."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from campaigns.domain.compliance.offers import ListedProduct
from customers.domain.loans.all_in_cost import FeeTiming
from customers.domain.loans.cost_texts import cost_text
from customers.models import Product, ProductFee
from customers.selectors import product_costs
from customers.selectors.product_costs import PricedProduct
from loancrm.kernel.texts.templates import freeze

# A hundredth of a percent, as costs are told.
_HUNDREDTH = Decimal("0.0001")


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
        freeze({**_plain(priced, language), **_cost(priced, language)})
        for priced in product_costs.active_products()
    )


def _plain(priced: PricedProduct, language: str) -> dict[str, Any]:
    product = priced.product
    return {
        "name": _name(product, language),
        "annual_rate": product.annual_rate,
        "min_amount": product.min_amount,
        "max_amount": product.max_amount,
        "term_months": product.term_months,
    }


def _cost(priced: PricedProduct, language: str) -> dict[str, Any]:
    if priced.cost is None:
        return {}
    contingent = [fee for fee in priced.fees if fee.timing == FeeTiming.CONTINGENT]
    return {
        "all_in_cost": priced.cost.nominal.quantize(_HUNDREDTH),
        "cost_text": cost_text(
            priced.cost.nominal,
            language=language,
            included=[_name(fee, language) for fee in priced.fees if fee not in contingent],
            contingent=[_name(fee, language) for fee in contingent],
        ),
    }


def offers_end() -> list[datetime]:
    """Return when the products on offer end, the earliest first; those without an end left out."""
    ends = product_costs.on_offer().exclude(offered_until=None).order_by("offered_until")
    return [at for at in ends.values_list("offered_until", flat=True) if at is not None]


def offered_products(language: str) -> list[ListedProduct]:
    """Return the products on offer as the rules look at them."""
    return [
        ListedProduct(
            name=_name(priced.product, language),
            cost=priced.cost.nominal if priced.cost else None,
            partners=tuple(
                (partner.name, partner.listed_from, partner.listed_until)
                for partner in priced.charging
            ),
        )
        for priced in product_costs.active_products()
    ]


def _name(row: Product | ProductFee, language: str) -> str:
    return (row.name_en if language == "en" else "") or row.name_zh
