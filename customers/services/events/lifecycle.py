"""Keep the lifecycle stages of customers equal to what follows from their events and loans."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from customers.domain.events.event import EventName
from customers.domain.events.lifecycle import LifecyclePolicy, LifecycleStage
from customers.domain.events.lifecycle_history import StageStay, stage_history
from customers.models import Customer, Event, EventType, StageEntry
from customers.selectors import lifecycle_facts
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk

# Events of this source are derived from the history and rewritten with it.
STAGE_SOURCE = "lifecycle"
_CHANGE = "customers.change_customer"
_BATCH = 500
_POLICY = LifecyclePolicy()


def refresh_stages(*, customer_ids: Collection[int], now: datetime) -> int:
    """Derive stages and their history anew; return how many customers are in another stage now.

    Every stay but the first as a lead is also an event: `stage_entered` and, once it is over,
    `stage_left`, with the stage as subject. A fixed number of queries for every 500 customers.

    Runs inside the services that record events and loans, under their permission and audit entry.
    """
    ids = sorted(set(customer_ids))
    changed = 0
    for start in range(0, len(ids), _BATCH):
        with transaction.atomic():
            changed += _refresh_batch(ids[start : start + _BATCH], now)
    return changed


def refresh_due(*, actor: Actor, now: datetime) -> int:
    """Move the customers whom the passing of time makes dormant or churned; return how many.

    Raises:
        PermissionRefused: The actor may not change customers.
    """
    waits = {
        LifecycleStage.REPAID: _POLICY.dormant_days,
        LifecycleStage.DORMANT: _POLICY.churned_days - _POLICY.dormant_days,
    }
    due = Q(pk__in=[])
    for stage, days in waits.items():
        due |= Q(stage=stage, entered_at__lte=now - timedelta(days=days))
    waiting = StageEntry.objects.filter(due, left_at__isnull=True)
    ids = waiting.order_by("customer_id").values_list("customer_id", flat=True)
    return _refresh_listed(ids.iterator(chunk_size=_BATCH), "due", actor=actor, now=now)


def refresh_everybody(*, actor: Actor, now: datetime) -> int:
    """Derive every customer's stage and history anew; return how many are in another stage now.

    For data that was loaded past the services, and after a change of the rules.

    Raises:
        PermissionRefused: The actor may not change customers.
    """
    ids = Customer.objects.live().order_by("pk").values_list("pk", flat=True)
    return _refresh_listed(ids.iterator(chunk_size=_BATCH), "all", actor=actor, now=now)


def _refresh_listed(ids: Iterable[int], scope: str, *, actor: Actor, now: datetime) -> int:
    act = acting(actor, _CHANGE, now=now)
    listed = list(ids)
    changed = refresh_stages(customer_ids=listed, now=now)
    with act:
        act.record(
            "lifecycle.refresh",
            on=(Customer, scope),
            facts={"customers": len(listed), "changed": changed},
        )
    return changed


def _refresh_batch(customer_ids: Sequence[int], now: datetime) -> int:
    # Two refreshes of one person after the other: the second sees what the first one took in.
    people = list(
        Customer.objects.select_for_update(no_key=True)
        .filter(pk__in=customer_ids)
        .order_by("pk")
        .values_list("pk", "lifecycle_stage", "created_at")
    )
    facts = lifecycle_facts.load_facts(
        known_from={key: created_at for key, _stage, created_at in people},
        as_of=now,
        zone=clock.company_zone(),
    )
    histories = {key: stage_history(facts[key], as_of=now) for key, _stage, _created in people}
    rows = [
        (key, stage, now)
        for key, old, _created in people
        if (stage := histories[key][-1].stage) != old
    ]
    bulk.update_rows(Customer, key="id", columns=("lifecycle_stage", "updated_at"), rows=rows)
    _store_entries(histories)
    _store_events(histories, now)
    return len(rows)


def _store_entries(histories: dict[int, tuple[StageStay, ...]]) -> None:
    wanted = {
        (key, stay.stage.value, stay.entered_at, stay.left_at)
        for key, stays in histories.items()
        for stay in stays
    }
    stored = {
        (key, stage, entered_at, left_at): pk
        for pk, key, stage, entered_at, left_at in StageEntry.objects.filter(
            customer_id__in=histories
        ).values_list("pk", "customer_id", "stage", "entered_at", "left_at")
    }
    gone = [pk for row, pk in stored.items() if row not in wanted]
    if gone:
        StageEntry.objects.filter(pk__in=gone).delete()
    StageEntry.objects.bulk_create(
        (
            StageEntry(customer_id=key, stage=stage, entered_at=entered_at, left_at=left_at)
            for key, stage, entered_at, left_at in sorted(
                wanted - stored.keys(), key=lambda row: (row[0], row[2])
            )
        ),
        batch_size=_BATCH,
    )


def _store_events(histories: dict[int, tuple[StageStay, ...]], now: datetime) -> None:
    types = _event_types()
    wanted = {
        event.dedup_key: event
        for key, stays in histories.items()
        for event in _events(key, stays, types, now)
    }
    # Through the customers, whose index is narrow; the keys of the source are everybody's.
    stored = dict(
        Event.objects.filter(
            customer_id__in=histories, type_id__in=types.values(), source=STAGE_SOURCE
        ).values_list("dedup_key", "pk")
    )
    gone = [pk for key, pk in stored.items() if key not in wanted]
    if gone:
        Event.objects.filter(pk__in=gone).delete()
    Event.objects.bulk_create(
        (wanted[key] for key in sorted(wanted.keys() - stored.keys())), batch_size=_BATCH
    )


def _events(
    customer_id: int, stays: Sequence[StageStay], types: dict[str, int], now: datetime
) -> Iterable[Event]:
    for stay in stays:
        moments = {EventName.STAGE_ENTERED: stay.entered_at, EventName.STAGE_LEFT: stay.left_at}
        if stay.stage is LifecycleStage.LEAD and stay is stays[0]:
            del moments[EventName.STAGE_ENTERED]
        for name, at in moments.items():
            if at is not None:
                stage = stay.stage.value
                yield Event(
                    customer_id=customer_id,
                    type_id=types[name],
                    occurred_at=at,
                    received_at=now,
                    subject=stage,
                    source=STAGE_SOURCE,
                    dedup_key=f"{customer_id}:{name.value}:{stage}:{at.astimezone(UTC).isoformat()}",
                )


def _event_types() -> dict[str, int]:
    names = (EventName.STAGE_ENTERED, EventName.STAGE_LEFT)
    rows = EventType.objects.filter(name__in=names).values_list("name", "pk")
    if len(known := dict(rows)) < len(names):
        EventType.objects.bulk_create([EventType(name=n) for n in names], ignore_conflicts=True)
        known = dict(rows.all())
    return known
