"""From which values ties follow, and what the ties say about risk, many customers at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.db.models import Case, Count, F, IntegerField, Max, Sum, Value, When

from customers.domain.relationships import (
    ATTRIBUTE_RELATIONS,
    ATTRIBUTE_TIES,
    CONTACT_TIES,
    HUB_SIZE,
    Neighbourhood,
    SharedKind,
    neighbourhood,
    normal_form,
)
from customers.models import (
    AttributeValue,
    ContactPoint,
    Customer,
    IdentityLink,
    Loan,
    Relationship,
    SharedKey,
    SharedTie,
)
from customers.selectors.loan_books import IS_BAD, NOT_BOOKED
from loancrm.kernel.security import crypto

Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class WantedTie:
    """A customer has something, known by kind and blind index."""

    customer_id: int
    key: Key
    source: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WantedRelation:
    """A customer's record names another customer."""

    customer_id: int
    other_id: int
    kind: str
    source: str
    since: datetime


def changed_since(moment: datetime) -> set[int]:
    """Return the customers whose ties may differ from those at a moment (5 queries).

    Those who share a phone number with a changed customer count, because a number of one person
    alone is no tie, and those who name a changed customer.
    """
    found = set(Customer.objects.filter(updated_at__gte=moment).values_list("pk", flat=True))
    points = ContactPoint.objects.filter(kind__in=CONTACT_TIES)
    found |= set(points.filter(created_at__gte=moment).values_list("customer_id", flat=True))
    names = (*ATTRIBUTE_TIES, *ATTRIBUTE_RELATIONS)
    values = AttributeValue.objects.filter(definition__name__in=names, updated_at__gte=moment)
    found |= set(values.values_list("customer_id", flat=True))
    mine = points.filter(customer_id__any_of=found)
    sharing = points.filter(value_index__in=mine.values("value_index"))
    naming = Relationship.objects.filter(other_id__any_of=found)
    found |= set(sharing.values_list("customer_id", flat=True))
    return found | set(naming.values_list("customer_id", flat=True))


def wanted_ties(customer_ids: Sequence[int]) -> list[WantedTie]:
    """Return what living customers have that others may have too (3 queries).

    Of contact points only those that another customer has as well: they are found by their own
    index, so that one person's number needs no row here.
    """
    found: dict[tuple[int, Key], WantedTie] = {}
    points = ContactPoint.objects.filter(
        customer_id__any_of=customer_ids,
        customer__merged_into__isnull=True,
        kind__in=CONTACT_TIES,
    ).values_list("customer_id", "kind", "value_index", "source", "created_at")
    listed = list(points)
    shared = set(
        ContactPoint.objects.filter(
            value_index__any_of=[row[2] for row in listed], customer__merged_into__isnull=True
        )
        .values_list("kind", "value_index")
        .annotate(people=Count("customer", distinct=True))
        .filter(people__gt=1)
        .values_list("kind", "value_index")
    )
    for customer_id, kind, value_index, source, created_at in listed:
        if (kind, value_index) in shared:
            key = (CONTACT_TIES[kind].value, value_index)
            found[customer_id, key] = WantedTie(customer_id, key, source, created_at)
    for customer_id, key, source, at in _attribute_keys(customer_ids):
        found.setdefault((customer_id, key), WantedTie(customer_id, key, source, at))
    return list(found.values())


def _attribute_keys(customer_ids: Sequence[int]) -> list[tuple[int, Key, str, datetime]]:
    vault = crypto.vault()
    rows = AttributeValue.objects.filter(
        customer_id__any_of=customer_ids,
        customer__merged_into__isnull=True,
        definition__name__in=list(ATTRIBUTE_TIES),
        text__isnull=False,
    ).values_list("customer_id", "definition__name", "text", "source", "updated_at")
    found = []
    for customer_id, name, text, source, at in rows:
        if plain := normal_form(text or ""):
            kind = ATTRIBUTE_TIES[name].value
            value_index = vault.blind_index(SharedKey.VALUE_COLUMN, f"{kind}:{plain}")
            found.append((customer_id, (kind, value_index), source, at))
    return found


def wanted_relations(customer_ids: Sequence[int]) -> list[WantedRelation]:
    """Return whom the records of living customers name, found by the ids of the same source.

    Where the source of the value knows no such id, another source's id counts if it is the only
    one (2 queries).
    """
    named = list(
        AttributeValue.objects.filter(
            customer_id__any_of=customer_ids,
            customer__merged_into__isnull=True,
            definition__name__in=list(ATTRIBUTE_RELATIONS),
            text__isnull=False,
        ).values_list("customer_id", "definition__name", "text", "source", "updated_at")
    )
    owners: dict[str, dict[str, int]] = defaultdict(dict)
    links = IdentityLink.objects.filter(
        external_id__any_of=list({row[2] for row in named}), customer__merged_into__isnull=True
    )
    for source, external_id, customer_id in links.values_list(
        "source", "external_id", "customer_id"
    ):
        owners[external_id][source] = customer_id
    found = []
    for customer_id, name, text, source, at in named:
        of_sources = owners.get(text or "", {})
        only = set(of_sources.values())
        other = of_sources.get(source) or (only.pop() if len(only) == 1 else None)
        if other is not None and other != customer_id:
            kind = ATTRIBUTE_RELATIONS[name].value
            found.append(WantedRelation(customer_id, other, kind, source, at))
    return found


def tied_customers() -> set[int]:
    """Return everybody who has a tie or a relationship, merged ones included."""
    found = set(SharedTie.objects.values_list("customer_id", flat=True).distinct())
    found |= set(Relationship.objects.values_list("customer_id", flat=True))
    return found | set(Relationship.objects.values_list("other_id", flat=True))


def neighbours_of(customer_ids: Collection[int]) -> dict[int, set[int]]:
    """Return {customer: whom they are tied to}, hubs not followed (3 queries)."""
    found: dict[int, set[int]] = defaultdict(set)
    pairs = SharedTie.objects.filter(
        customer_id__any_of=list(customer_ids),
        shared__member_count__gt=1,
        shared__member_count__lte=HUB_SIZE,
    ).values_list("customer_id", "shared__ties__customer_id")
    for one, other in pairs.iterator(chunk_size=5_000):
        if other != one:
            found[one].add(other)
    for mine, theirs in (("customer_id", "other_id"), ("other_id", "customer_id")):
        named = Relationship.objects.filter(**{f"{mine}__any_of": list(customer_ids)})
        for one, other in named.values_list(mine, theirs):
            found[one].add(other)
    return found


def defaults_of(customer_ids: Collection[int]) -> dict[int, bool]:
    """Return {customer: whether a loan of theirs ever went bad} of those who had one (1 query)."""
    is_bad = Case(When(IS_BAD, then=Value(1)), default=Value(0), output_field=IntegerField())
    rows = (
        Loan.objects.exclude(status__in=NOT_BOOKED)
        .filter(customer_id__any_of=list(customer_ids))
        .values_list("customer_id")
        .annotate(bad=Max(is_bad))
    )
    return {customer_id: bool(bad) for customer_id, bad in rows}


def neighbourhoods(customer_ids: Sequence[int]) -> Mapping[int, Neighbourhood]:
    """Return the features of the customers who are tied to anybody (5 queries)."""
    tied = neighbours_of(customer_ids)
    defaulted = defaults_of({other for others in tied.values() for other in others})
    devices = dict(
        SharedTie.objects.filter(
            customer_id__any_of=customer_ids,
            shared__kind=SharedKind.DEVICE,
            shared__member_count__gt=1,
        )
        .values_list("customer_id")
        .annotate(others=Sum(F("shared__member_count") - 1))
    )
    return {
        customer_id: neighbourhood(
            sorted(tied.get(customer_id, ())),
            defaulted,
            shared_device_count=devices.get(customer_id, 0),
        )
        for customer_id in sorted(tied.keys() | devices.keys())
    }
