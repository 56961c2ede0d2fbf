"""The products on offer with what they cost all in, and who charges for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from customers.domain.loans.all_in_cost import AllInCost, Fee, FeeTiming, cost_of_loan
from customers.models import ListedPartner, Product, ProductFee
from loancrm.kernel.database.shared_clock import Moment

# Where neither least nor most amount is known; fees that are shares cost the same at any.
_USUAL_AMOUNT = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class PricedProduct:
    """A product with its fees; `cost` is None where its rate or its term is not known."""

    product: Product
    fees: Sequence[ProductFee]
    cost: AllInCost | None

    @property
    def charging(self) -> tuple[ListedPartner, ...]:
        """Return the partners that take one of its fees, each once."""
        found = {fee.collector_id: fee.collector for fee in self.fees if fee.collector}
        return tuple(found.values())


def on_offer() -> QuerySet[Product]:
    """Return the products that are offered now, by the database's clock."""
    is_offered = Q(offered_until__isnull=True) | Q(offered_until__gt=Moment())
    return Product.objects.filter(is_offered, is_active=True)


def active_products() -> list[PricedProduct]:
    """Return the products on offer in the order of their codes, in two queries."""
    rows = on_offer().order_by("code")
    fees = ProductFee.objects.filter(product__in=rows).select_related("collector").order_by("pk")
    by_product: dict[int, list[ProductFee]] = {}
    for fee in fees:
        by_product.setdefault(fee.product_id, []).append(fee)
    return [
        PricedProduct(row, charged, cost_of(row, charged))
        for row in rows
        for charged in (by_product.get(row.pk, []),)
    ]


def cost_of(product: Product, fees: Sequence[ProductFee]) -> AllInCost | None:
    """Return what a product costs, for its least amount, where fixed fees weigh most."""
    if product.annual_rate is None or not product.term_months:
        return None
    charged = [Fee(FeeTiming(fee.timing), fee.amount, fee.share) for fee in fees]
    try:
        return cost_of_loan(
            principal=product.min_amount or product.max_amount or _USUAL_AMOUNT,
            annual_rate=product.annual_rate,
            months=product.term_months,
            fees=charged,
        )
    except ValueError:
        # What is kept back leaves nothing: such a product has no cost that could be told.
        return None
