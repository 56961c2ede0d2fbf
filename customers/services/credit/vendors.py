"""What a source sold is used as its description says from the moment that this is stored."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from customers.domain.consents.consent import Purpose
from customers.domain.credit.attributes import BUREAU, MARKETING_BUREAU
from customers.domain.sources import OwnSource, SourceTerms, Standing, standing
from customers.models import AttributeValue, BureauPull, Customer, DataSource, VendorValue
from customers.services.credit.attributes import write_credit_attributes
from customers.services.sources import registry
from loancrm.kernel import clock
from loancrm.kernel.access import Actor

_BATCH = 1000


def save_vendor_source(*, actor: Actor, source: DataSource, now: datetime) -> DataSource:
    """Store a new or changed description of a source, and use what it sold by that at once.

    What was derived from its values and reports is gone with the commit that switches it off, ends
    its contract or takes a purpose away. What may take their place, as another vendor's value, is
    derived afterwards page by page; whoever dies on the way leaves that to the hourly refresh.

    Raises:
        PermissionRefused: The actor may not keep the register.
        SourceTermsRefused: The description is wrong.
    """
    today = now.astimezone(clock.company_zone()).date()
    with transaction.atomic():
        before = None
        if source.pk is not None:
            before = DataSource.objects.select_for_update().filter(pk=source.pk).first()
        names = {source.name} | ({before.name} if before else set())
        was = _use(None if before is None else before.terms, today)
        # The people first, and the trail, for which everybody waits, last.
        is_changed = was != _use(source.terms, today) or len(names) > 1
        if is_changed:
            _forget(names, now)
        saved = registry.save_source(actor=actor, source=source, now=now)
    if is_changed:
        _derive(names, now)
    return saved


def _use(terms: SourceTerms | None, today: date) -> tuple[bool, bool]:
    """Return whether a source's data is used, and for marketing too; nobody described: not."""
    if terms is None:
        return True, False
    is_used = standing(terms, today=today) is Standing.IN_FORCE
    return is_used, is_used and Purpose.MARKETING in terms.purposes


def _forget(names: Collection[str], now: datetime) -> None:
    """Remove what was derived from the values and reports of vendors."""
    sold = VendorValue.objects.filter(vendor__in=names).values("customer_id")
    asked = BureauPull.objects.filter(vendor__in=names).values("customer_id")
    held = Customer.objects.filter(Q(pk__in=sold) | Q(pk__in=asked)).order_by("pk")
    list(held.select_for_update(no_key=True).values_list("pk", flat=True))
    measures = [item.name for item in (*BUREAU, *MARKETING_BUREAU)]
    rows = AttributeValue.objects.filter(
        Q(source__in=names, definition__name__startswith="vendor_", customer_id__in=sold)
        | Q(
            source=OwnSource.CREDIT_FACTS,
            definition__name__in=measures,
            customer_id__in=asked,
        )
    )
    # Whoever follows changes of customers looks at them again.
    Customer.objects.filter(pk__in=rows.values("customer_id")).update(updated_at=now)
    rows.delete()


def _derive(names: Collection[str], now: datetime) -> None:
    last = 0
    while ids := _people_after(names, last):
        last = ids[-1]
        with transaction.atomic():
            write_credit_attributes(customer_ids=ids, now=now)


def _people_after(names: Collection[str], last: int) -> list[int]:
    found: set[int] = set()
    for rows in (VendorValue.objects.all(), BureauPull.objects.all()):
        own = rows.filter(vendor__in=names, customer_id__gt=last).order_by("customer_id")
        found.update(own.values_list("customer_id", flat=True).distinct()[:_BATCH])
    return sorted(found)[:_BATCH]
