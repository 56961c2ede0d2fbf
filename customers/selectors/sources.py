"""Which sources may be used, and which people depend on one that may not."""

from collections.abc import Collection
from datetime import date

from django.db.models import Exists, OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast

from customers.domain.consents.consent import Purpose
from customers.domain.sources import SourceTerms, Standing, allows, standing
from customers.models import DataSource, IdentityLink

_COLUMNS = ("name", "kind", "purposes", "is_active", "contract", "valid_from", "valid_until")


def terms_of(name: str) -> SourceTerms | None:
    """Return what was agreed about a source, or None when nobody registered it."""
    row = DataSource.objects.filter(name=name).first()
    return row.terms if row else None


def names() -> dict[str, str]:
    """Return {code: title} of all sources that somebody has given one (1 query)."""
    rows = DataSource.objects.exclude(title="")
    return dict(rows.values_list("name", "title"))


def title(column: str = "source") -> Subquery:
    """Return the title of a row's source, to annotate a query with; empty or none without one."""
    rows = DataSource.objects.filter(name=OuterRef(column))
    return Subquery(rows.values("title")[:1])


def is_open(name: str, *, today: date) -> bool:
    """Return whether a source may hand in data; one that nobody registered may."""
    terms = terms_of(name)
    return terms is None or standing(terms, today=today) is Standing.IN_FORCE


def barred(purpose: Purpose, *, today: date) -> frozenset[str]:
    """Return the names of the registered sources whose data may not serve a purpose (1 query)."""
    rows = DataSource.objects.only(*_COLUMNS)
    return frozenset(row.name for row in rows if not allows(row.terms, purpose, today=today))


def is_barred(purpose: Purpose, *, today: date) -> Exists:
    """Return the condition that a row's `source` is among `barred`, to annotate a query with."""
    agreed = DataSource.objects.annotate(words=Cast("purposes", TextField()))
    ended = Q(is_active=False) | Q(valid_until__lt=today) | Q(valid_from__gt=today)
    unfit = ended | ~Q(words__contains=f'"{purpose.value}"')
    return Exists(agreed.filter(unfit, name=OuterRef("source")))


def vouched_for(customer_ids: Collection[int], *, barred: Collection[str]) -> set[int]:
    """Return the customers whom a source that may be used has handed in too (1 query)."""
    if not customer_ids:
        return set()
    links = IdentityLink.objects.filter(customer_id__any_of=list(customer_ids))
    return set(links.exclude(source__in=barred).values_list("customer_id", flat=True))
