"""The stop list: who is on it, and which addresses are, whoever has them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from campaigns.domain.receipts.stops import Stop, StopReason, outweighs
from campaigns.models import Suppression

_Key = tuple[str, str]


def append(*, stops: Sequence[Stop], now: datetime) -> int:
    """Put people and addresses on the list for a service that checks and audits itself.

    Who is on it already stays on it, for the stronger reason of the two. An address goes with the
    row of the person who said it, or gets a row of its own.

    Returns:
        How many rows are new.
    """
    people, addresses = _open_rows(stops)
    fresh: list[Stop] = []
    stronger: list[tuple[Suppression, Stop]] = []
    located: list[Suppression] = []
    for stop in stops:
        index = stop.value_index if (stop.value_index, *_about(stop)) not in addresses else ""
        known = people.get((stop.customer_id, *_about(stop))) if stop.customer_id else None
        if known is not None and outweighs(stop.reason, known.reason):
            stronger.append((known, stop))
        if stop.customer_id is not None and known is None:
            fresh.append(replace(stop, value_index=index))
            people[stop.customer_id, *_about(stop)] = _row(stop, now)
        elif index and known is not None and known.pk and not known.value_index:
            # One row of hers, so that what ends it ends all of it.
            known.value_index = index
            located.append(known)
        elif index:
            fresh.append(replace(stop, customer_id=None))
        if index:
            addresses.add((index, *_about(stop)))
    Suppression.objects.bulk_create((_row(stop, now) for stop in fresh), ignore_conflicts=True)
    _amend(located, stronger, now)
    return len(fresh)


def _amend(
    located: Iterable[Suppression], stronger: Iterable[tuple[Suppression, Stop]], now: datetime
) -> None:
    for row in located:
        try:
            with transaction.atomic():
                Suppression.objects.filter(
                    pk=row.pk, lifted_at__isnull=True, value_index=""
                ).update(value_index=row.value_index)
        except IntegrityError:
            # Somebody has stopped the address at the same time.
            continue
    for row, stop in stronger:
        Suppression.objects.filter(pk=row.pk, lifted_at__isnull=True).update(
            reason=stop.reason, source=stop.source, at=now
        )


def _about(stop: Stop) -> _Key:
    return stop.channel, stop.purpose


def _open_rows(
    stops: Iterable[Stop],
) -> tuple[dict[tuple[int, str, str], Suppression], set[tuple[str, str, str]]]:
    stops = list(stops)
    rows = Suppression.objects.filter(
        Q(customer_id__in={stop.customer_id for stop in stops if stop.customer_id is not None})
        | Q(value_index__in={stop.value_index for stop in stops if stop.value_index}),
        lifted_at__isnull=True,
    )
    people: dict[tuple[int, str, str], Suppression] = {}
    addresses: set[tuple[str, str, str]] = set()
    for row in rows:
        if row.customer_id is not None:
            people[row.customer_id, row.channel, row.purpose] = row
        if row.value_index:
            addresses.add((row.value_index, row.channel, row.purpose))
    return people, addresses


def _row(stop: Stop, now: datetime) -> Suppression:
    return Suppression(
        customer_id=stop.customer_id,
        value_index=stop.value_index,
        address_masked=stop.address_masked[:80] if stop.value_index else "",
        channel=stop.channel,
        purpose=stop.purpose,
        reason=stop.reason,
        source=stop.source,
        at=now,
    )


def lift_own(
    *,
    customer_id: int,
    channel: str,
    purpose: str,
    address_indexes: Iterable[str] = (),
    since: datetime | None = None,
    now: datetime,
) -> int:
    """End the stops that a person set by opting out, because they agree again; no other ones.

    Args:
        address_indexes: Addresses that the person has just shown to be theirs: what was said from
            there ends too.
        since: Only stops from before this time; a later refusal is stronger than the request.
    """
    return Suppression.objects.filter(
        Q(customer_id=customer_id)
        | Q(customer__isnull=True, value_index__in=[index for index in address_indexes if index]),
        channel=channel,
        purpose=purpose,
        reason=StopReason.OPTED_OUT,
        at__lte=since or now,
        lifted_at__isnull=True,
    ).update(lifted_at=now)
