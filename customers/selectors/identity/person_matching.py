"""Which customers the people of a file already are: blind indexes in, customer ids out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from customers.domain.identity.match_keys import Likeness, MatchKey, is_same_person
from customers.domain.values.contact import ContactKind
from customers.models import ContactPoint, Customer, IdentityLink


@dataclass(frozen=True, slots=True)
class Probe:
    """One person to be found: ids at the source, and what the person is compared by."""

    external_ids: tuple[str, ...]
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Point:
    """A stored contact point."""

    id: int
    customer_id: int
    kind: str
    value_index: str
    is_primary: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Who a probe is.

    Attributes:
        customer_id: The customer, or None for a new person.
        key: What decided.
        rival_ids: Other customers that the probe also fits: candidates for a merge by a person.
        is_conflict: The source's id leads to a customer with another national id.
    """

    customer_id: int | None = None
    key: MatchKey | None = None
    rival_ids: tuple[int, ...] = ()
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class PersonMatches:
    """The answer for a batch of probes, with the rows that were read for it.

    `owners` names whose primary contact a (kind, index) is; `national_id_owners` likewise.
    """

    matches: list[Match]
    customers: dict[int, Customer]
    points: dict[int, list[Point]]
    owners: dict[tuple[str, str], int] = field(default_factory=dict)
    national_id_owners: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownLink:
    """A source's id that is known, and the fingerprint of the row last applied for it."""

    customer_id: int
    row_digest: str


def known_links(*, source: str, external_ids: Collection[str]) -> dict[str, KnownLink]:
    """Return the links of a source's ids; merged customers are replaced by who they became."""
    found = IdentityLink.objects.filter(source=source, external_id__any_of=external_ids)
    rows = found.values_list(
        "external_id", Coalesce("customer__merged_into_id", "customer_id"), "row_digest"
    )
    return {external: KnownLink(customer_id, digest) for external, customer_id, digest in rows}


def customers_of_one_link(*, source: str, customer_ids: Collection[int]) -> set[int]:
    """Return those of some customers to whom exactly one id of a source leads.

    Ids that lead there by way of a merged customer count as well.
    """
    # The source is compared here: asked for it, the database may read all links of the source.
    links = IdentityLink.objects.filter(customer_id__any_of=customer_ids)
    pairs = links.values_list("customer_id", "source")
    counts = Counter(customer_id for customer_id, found in pairs if found == source)
    merged = Customer.objects.filter(merged_into_id__any_of=customer_ids)
    counts.update(merged.values_list("merged_into_id", flat=True))
    return {customer_id for customer_id, count in counts.items() if count == 1}


def find_people(*, probes: Sequence[Probe], links: Mapping[str, KnownLink]) -> PersonMatches:
    """Find the customers of many people in a fixed number of queries, and lock them.

    Must run in a transaction: the customers found stay locked until it ends, so that two imports of
    the same person follow each other.

    Args:
        links: The known links of all external ids of the probes.
    """
    by_national_id = _by_national_id(probe.likeness.national_id for probe in probes)
    by_contact, owners = _by_contact(probes)
    candidates = [list(_candidates(probe, links, by_national_id, by_contact)) for probe in probes]
    ids = {customer_id for found in candidates for _, customer_id in found}
    customers = {
        customer.pk: customer
        for customer in Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    }
    points = points_of(ids)
    likenesses = {pk: _likeness(customer, points[pk]) for pk, customer in customers.items()}
    matches = [
        _decide(probe, found, likenesses) for probe, found in zip(probes, candidates, strict=True)
    ]
    return PersonMatches(matches, customers, points, owners, by_national_id)


def points_of(customer_ids: Collection[int]) -> defaultdict[int, list[Point]]:
    """Return the contact points of customers."""
    points: defaultdict[int, list[Point]] = defaultdict(list)
    rows = ContactPoint.objects.filter(customer_id__in=customer_ids).order_by("pk")
    for row in rows.values_list("pk", "customer_id", "kind", "value_index", "is_primary", "source"):
        points[row[1]].append(Point(*row))
    return points


def _by_national_id(indexes: Iterable[str]) -> dict[str, int]:
    wanted = {index for index in indexes if index}
    rows = Customer.objects.live().filter(national_id_index__any_of=wanted)
    return {str(index): pk for index, pk in rows.values_list("national_id_index", "pk")}


def _by_contact(
    probes: Sequence[Probe],
) -> tuple[dict[tuple[str, str], list[int]], dict[tuple[str, str], int]]:
    phones = {index for probe in probes for index in probe.likeness.phones}
    emails = {index for probe in probes for index in probe.likeness.emails}
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    owners: dict[tuple[str, str], int] = {}
    # With its kind, for by the value alone no index would find it.
    rows: Any = (
        ContactPoint.objects.filter(
            Q(kind=ContactKind.PHONE, value_index__any_of=phones)
            | Q(kind=ContactKind.EMAIL, value_index__any_of=emails)
        )
        .annotate(person=Coalesce(F("customer__merged_into_id"), F("customer_id")))
        .order_by("pk")
        .values_list("kind", "value_index", "person", "is_primary")
    )
    for kind, index, customer_id, is_primary in rows:
        found[kind, index].append(customer_id)
        if is_primary:
            owners[kind, index] = customer_id
    return found, owners


def _candidates(
    probe: Probe,
    links: Mapping[str, KnownLink],
    by_national_id: Mapping[str, int],
    by_contact: Mapping[tuple[str, str], list[int]],
) -> Iterable[tuple[MatchKey, int]]:
    for external_id in probe.external_ids:
        if external_id in links:
            yield MatchKey.EXTERNAL_ID, links[external_id].customer_id
    if probe.likeness.national_id in by_national_id:
        yield MatchKey.NATIONAL_ID, by_national_id[probe.likeness.national_id]
    for index in sorted(probe.likeness.phones):
        for customer_id in by_contact.get((ContactKind.PHONE, index), ()):
            yield MatchKey.PHONE, customer_id
    for index in sorted(probe.likeness.emails):
        for customer_id in by_contact.get((ContactKind.EMAIL, index), ()):
            yield MatchKey.EMAIL, customer_id


def _decide(
    probe: Probe,
    candidates: Sequence[tuple[MatchKey, int]],
    likenesses: Mapping[int, Likeness],
) -> Match:
    accepted: dict[int, MatchKey] = {}
    for key, customer_id in candidates:
        likeness = likenesses[customer_id]
        if is_same_person(probe.likeness, likeness, key):
            accepted.setdefault(customer_id, key)
        elif key is MatchKey.EXTERNAL_ID:
            return Match(is_conflict=True)
    if not accepted:
        return Match()
    # Candidates come strongest key first, so the first one accepted is the best.
    chosen, *rivals = accepted
    return Match(chosen, accepted[chosen], tuple(sorted(rivals)))


def _likeness(customer: Customer, points: Sequence[Point]) -> Likeness:
    born: date | None = customer.birth_date
    return Likeness(
        national_id=customer.national_id_index or "",
        name=customer.name_index,
        birth_date=born,
        phones=frozenset(p.value_index for p in points if p.kind == ContactKind.PHONE),
        emails=frozenset(p.value_index for p in points if p.kind == ContactKind.EMAIL),
    )
