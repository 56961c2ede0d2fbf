"""Who a source's own id belongs to."""

from collections.abc import Collection

from django.db.models import Count
from django.db.models.functions import Coalesce

from customers.models import Customer, IdentityLink


def customer_ids(*, source: str, external_ids: Collection[str]) -> dict[str, int]:
    """Return {external id: customer id} of the known ones; merged records lead to one person."""
    return dict(
        IdentityLink.objects.filter(source=source, external_id__in=external_ids).values_list(
            "external_id", Coalesce("customer__merged_into_id", "customer_id")
        )
    )


def survivors(customer_ids: Collection[int]) -> dict[int, int]:
    """Return {customer id: id of who it became} of those that were merged into another."""
    merged = Customer.objects.filter(pk__in=customer_ids, merged_into__isnull=False)
    return dict(merged.values_list("pk", "merged_into_id"))


def best_source(external_ids: Collection[str]) -> str:
    """Return the source that knows most of these ids, or "" when none knows any.

    Equally good sources are decided by name, so the answer does not change between runs.
    """
    best = (
        IdentityLink.objects.filter(external_id__in=external_ids)
        .values("source")
        .annotate(known=Count("pk"))
        .order_by("-known", "source")
        .first()
    )
    return best["source"] if best else ""
