"""Who is tied to one customer over two hops, masked, in a fixed number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from customers.domain import relationships
from customers.domain.relationships import HUB_SIZE, MOST_FIRST, DiagramPosition, Link
from customers.models import Customer, Relationship, SharedTie
from customers.selectors.profile.person import masked_name
from customers.selectors.relationships import facts

# Of one query; a person may have several shared things of up to HUB_SIZE people each.
_MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class TiedPerson:
    """Somebody in the picture; `has_defaulted` is None for who never had a loan."""

    place: DiagramPosition
    masked_name: str
    has_defaulted: bool | None


@dataclass(frozen=True, slots=True)
class Tie:
    """What the customer in the middle has or names: one row of the list beside the picture.

    Attributes:
        people: How many have the same thing, the customer included; 2 for a relationship.
        is_hub: Too many to follow.
        other_id: Whom a relationship is with.
        is_named: The customer's own record names the other, rather than the other way round.
    """

    kind: str
    people: int
    is_hub: bool
    source: str
    since: datetime
    other_id: int | None = None
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """The picture of two hops; `first_count` counts everybody on the first, drawn or not."""

    people: Sequence[TiedPerson]
    links: Sequence[Link]
    ties: Sequence[Tie]
    first_count: int


def network(customer: Customer) -> Network:
    """Return the two hops around a customer (8 queries, however large a hub is).

    At most `MOST_FIRST` direct neighbours are drawn, those with most ties first.
    """
    ties = _own_ties(customer.pk)
    links = relationships.joined(_tied_pairs([customer.pk]))
    direct = relationships.neighbours(customer.pk, links)
    first = direct[:MOST_FIRST]
    known = {customer.pk, *first}
    near = [link for link in links if link.one in known and link.other in known]
    wider = relationships.joined(_tied_pairs(first))
    places = relationships.places(customer.pk, first, wider)
    drawn = {place.customer_id for place in places}
    shown = {
        (link.one, link.other): link
        for link in (*wider, *near)
        if link.one in drawn and link.other in drawn
    }
    return Network(
        people=_people(places),
        links=[shown[pair] for pair in sorted(shown)],
        ties=ties,
        first_count=len(direct),
    )


def _own_ties(customer_id: int) -> list[Tie]:
    shared = (
        SharedTie.objects.filter(customer_id=customer_id, shared__member_count__gt=1)
        .select_related("shared")
        .order_by("shared__kind", "-shared__member_count", "pk")
    )
    found = [
        Tie(
            row.shared.kind,
            row.shared.member_count,
            row.shared.member_count > HUB_SIZE,
            row.source,
            row.since,
        )
        for row in shared
    ]
    named = Relationship.objects.filter(Q(customer_id=customer_id) | Q(other_id=customer_id))
    for relation in named.order_by("kind", "pk")[:HUB_SIZE]:
        is_named = relation.customer_id == customer_id
        other = relation.other_id if is_named else relation.customer_id
        found.append(
            Tie(relation.kind, 2, False, relation.source, relation.since, other, is_named)  # noqa: FBT003
        )
    return found


def _tied_pairs(customer_ids: Collection[int]) -> list[tuple[int, int, str]]:
    """Return (one, other, kind) of everybody tied to any of the customers (2 queries)."""
    ids = list(customer_ids)
    shared = SharedTie.objects.filter(
        customer_id__any_of=ids,
        shared__member_count__gt=1,
        shared__member_count__lte=HUB_SIZE,
        shared__ties__customer__merged_into__isnull=True,
    ).values_list("customer_id", "shared__ties__customer_id", "shared__kind")
    named = Relationship.objects.filter(
        Q(customer_id__any_of=ids) | Q(other_id__any_of=ids),
        customer__merged_into__isnull=True,
        other__merged_into__isnull=True,
    ).values_list("customer_id", "other_id", "kind")
    return [
        *shared.order_by("customer_id", "shared_id", "shared__ties__customer_id")[:_MOST_ROWS],
        *named.order_by("pk")[:_MOST_ROWS],
    ]


def _people(places: Sequence[DiagramPosition]) -> list[TiedPerson]:
    ids = [place.customer_id for place in places]
    rows = Customer.objects.filter(pk__in=ids).only("public_id", "name_sealed").in_bulk()
    defaulted = facts.defaults_of(ids)
    return [
        TiedPerson(
            place, masked_name(rows[place.customer_id]) or "–", defaulted.get(place.customer_id)
        )
        for place in places
    ]
