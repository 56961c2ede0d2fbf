"""Derive who is tied to whom, keep the risk features that follow, and show it to who may see it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from customers.domain.relationships import GRAPH_SOURCE, Neighbourhood, RiskPurpose
from customers.domain.values.attribute import AttributeType
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    Relationship,
    RelationshipRun,
    SharedKey,
    SharedTie,
)
from customers.selectors.relationships import facts
from customers.selectors.relationships import network as relationship_network
from customers.selectors.relationships.facts import Key
from customers.selectors.relationships.network import Network
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk_load

_CHANGE = "customers.change_relationship"
READ = "customers.read_relationships"
_BATCH = 500
# Transactions that began before the last run may have committed after it had read.
_OVERLAP = timedelta(minutes=15)
_PLACES = Decimal("0.000001")
# name -> (Chinese label, English label, unit)
FEATURES = {
    "graph_degree": ("关联人数", "Tied customers", ""),
    "graph_shared_devices": ("共用设备的其他人数", "Others on the same devices", ""),
    "graph_neighbour_default_rate": ("关联人违约率", "Default rate of tied customers", ""),
}


@dataclass(frozen=True, slots=True)
class Derived:
    """How many customers were looked at, and how many carry risk features of those now."""

    customer_count: int
    featured_count: int
    is_full: bool


def derive(*, actor: Actor, now: datetime, is_full: bool = False) -> Derived:
    """Bring ties, relationships and risk features up to date with the customers' data.

    The first run, one with `is_full` and one after a run that was cut short look at everybody;
    another one at the customers that changed since the run before, and at whoever is tied to them.
    Doing it twice changes nothing. A fixed number of queries for every 500 customers.

    Raises:
        PermissionRefused: The actor may not change relationships.
    """
    act = acting(actor, _CHANGE, now=now)
    last = RelationshipRun.objects.order_by("-started_at", "-pk").first()
    is_full = is_full or last is None or last.finished_at is None
    run = RelationshipRun.objects.create(started_at=now, is_full=is_full, customer_count=0)
    _ensure_features()
    touched: set[int] = set()
    if is_full or last is None:
        ids = set(Customer.objects.live().values_list("pk", flat=True))
        ids |= facts.tied_customers()
        # Also what a run that was cut short has tied and not counted.
        touched |= set(SharedKey.objects.values_list("pk", flat=True))
    else:
        ids = facts.changed_since(last.started_at - _OVERLAP)
    affected = set(ids)
    for batch in _batches(ids):
        with transaction.atomic():
            _lock(batch)
            touched |= _derive_ties(batch)
            affected |= _derive_relations(batch)
    for keys in _batches(touched):
        _count_members(keys)
        members = SharedTie.objects.filter(shared_id__any_of=keys)
        affected |= set(members.values_list("customer_id", flat=True))
    featured = 0
    for batch in _batches(affected):
        with transaction.atomic():
            _lock(batch)
            featured += _store_features(batch, now)
    with act:
        RelationshipRun.objects.filter(pk=run.pk).update(finished_at=now, customer_count=len(ids))
        act.record(
            "relationships.derive",
            on=(Customer, "all" if is_full else "changed"),
            facts={"customers": len(ids), "featured": featured},
        )
    return Derived(len(ids), featured, is_full)


def look_at(*, actor: Actor, customer_id: int, purpose: RiskPurpose, now: datetime) -> Network:
    """Return who is tied to a customer over two hops, and note who looked and what for.

    Raises:
        PermissionRefused: The actor may not look at relationships.
        Customer.DoesNotExist: There is no such customer.
    """
    customer = Customer.objects.get(pk=customer_id)
    act = acting(actor, READ, on=customer, now=now)
    network = relationship_network.network(customer)
    with act:
        people = len(network.people) - 1
        act.record("relationships.look", facts={"people": people}, reason=purpose.value)
    return network


def _batches(ids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))


def _lock(customer_ids: Sequence[int]) -> None:
    """Let two runs take turns with a customer: the second one sees what the first one wrote."""
    rows = Customer.objects.select_for_update(no_key=True).filter(pk__any_of=customer_ids)
    list(rows.order_by("pk").values_list("pk", flat=True))


def _derive_ties(customer_ids: Sequence[int]) -> set[int]:
    """Store what the customers have; return the shared things that gained or lost somebody."""
    wanted = {(tie.customer_id, tie.key): tie for tie in facts.wanted_ties(customer_ids)}
    keys = _keys_of({key for _customer_id, key in wanted})
    stored = {
        (customer_id, shared_id): pk
        for pk, customer_id, shared_id in SharedTie.objects.filter(
            customer_id__any_of=customer_ids
        ).values_list("pk", "customer_id", "shared_id")
    }
    by_id = {(customer_id, keys[key]): tie for (customer_id, key), tie in wanted.items()}
    gone = stored.keys() - by_id.keys()
    fresh = by_id.keys() - stored.keys()
    SharedTie.objects.filter(pk__any_of=[stored[pair] for pair in gone]).delete()
    bulk_load.load_rows(
        SharedTie,
        ("customer", "shared", "source", "since"),
        [(*pair, by_id[pair].source, by_id[pair].since) for pair in sorted(fresh)],
    )
    return {shared_id for _customer_id, shared_id in gone | fresh}


def _keys_of(wanted: Collection[Key]) -> dict[Key, int]:
    """Return the ids of shared things, new ones included."""
    SharedKey.objects.bulk_create(
        [SharedKey(kind=kind, value_index=value_index) for kind, value_index in sorted(wanted)],
        ignore_conflicts=True,
    )
    rows = SharedKey.objects.filter(value_index__any_of=[index for _kind, index in wanted])
    return {
        (kind, value_index): pk
        for pk, kind, value_index in rows.values_list("pk", "kind", "value_index")
    }


def _derive_relations(customer_ids: Sequence[int]) -> set[int]:
    """Store whom the customers' records name; return those who are named anew or no longer."""
    wanted = {
        (row.customer_id, row.other_id, row.kind): row
        for row in facts.wanted_relations(customer_ids)
    }
    stored = {
        (customer_id, other_id, kind): pk
        for pk, customer_id, other_id, kind in Relationship.objects.filter(
            customer_id__any_of=customer_ids
        ).values_list("pk", "customer_id", "other_id", "kind")
    }
    gone = [stored[triple] for triple in stored.keys() - wanted.keys()]
    Relationship.objects.filter(pk__any_of=gone).delete()
    bulk_load.load_rows(
        Relationship,
        ("customer", "other", "kind", "source", "since"),
        [
            (*triple, wanted[triple].source, wanted[triple].since)
            for triple in sorted(wanted.keys() - stored.keys())
        ],
    )
    return {other_id for _customer_id, other_id, _kind in wanted.keys() ^ stored.keys()}


def _count_members(key_ids: Sequence[int]) -> None:
    counted = (
        SharedTie.objects.filter(shared=OuterRef("pk"))
        .values("shared")
        .annotate(people=Count("pk"))
        .values("people")
    )
    SharedKey.objects.filter(pk__any_of=key_ids).update(member_count=Coalesce(Subquery(counted), 0))


def _ensure_features() -> None:
    """Define the features as attributes that marketing neither sees nor uses."""
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(
                name=name,
                value_type=AttributeType.NUMBER,
                label_zh=zh,
                label_en=en,
                unit=unit,
                is_risk_only=True,
            )
            for name, (zh, en, unit) in FEATURES.items()
        ],
        ignore_conflicts=True,
    )
    # Somebody may have opened one to marketing by hand, or an attribute had the name before.
    AttributeDefinition.objects.filter(name__in=FEATURES, is_risk_only=False).update(
        is_risk_only=True
    )


def _store_features(customer_ids: Sequence[int], now: datetime) -> int:
    found = facts.neighbourhoods(customer_ids)
    definitions = dict(
        AttributeDefinition.objects.filter(name__in=FEATURES).values_list("name", "pk")
    )
    wanted = {
        (customer_id, definitions[name]): value
        for customer_id, features in found.items()
        for name, value in _values(features).items()
    }
    stored = {
        (customer_id, definition_id): (pk, number)
        for pk, customer_id, definition_id, number in AttributeValue.objects.filter(
            customer_id__any_of=customer_ids, definition_id__in=definitions.values()
        ).values_list("pk", "customer_id", "definition_id", "number")
    }
    gone = [pk for pair, (pk, number) in stored.items() if wanted.get(pair) != number]
    AttributeValue.objects.filter(pk__any_of=gone).delete()
    fresh = [
        pair for pair, value in wanted.items() if pair not in stored or stored[pair][1] != value
    ]
    bulk_load.load_rows(
        AttributeValue,
        ("customer", "definition", "number", "source", "updated_at"),
        [(*pair, wanted[pair], GRAPH_SOURCE, now) for pair in sorted(fresh)],
    )
    return len(found)


def _values(features: Neighbourhood) -> dict[str, Decimal]:
    values = {
        "graph_degree": Decimal(features.degree),
        "graph_shared_devices": Decimal(features.shared_device_count),
    }
    if features.neighbour_default_rate is not None:
        rate = Decimal(features.neighbour_default_rate).quantize(_PLACES)
        values["graph_neighbour_default_rate"] = rate
    return values
