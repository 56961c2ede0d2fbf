"""Reserving and settling caps on numbers of messages, as budgets are: by the chunk that uses them.

A reservation is made under the chunk's lock before anything is handed over, so that workers at the
same moment never go above a cap together; settling gives back what was not sent.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from django.db.models import F, Q

from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import HANDED_OVER_STATES, MessageState
from campaigns.domain.sending.volumes import period_start, settled, stopped_by
from campaigns.models import Chunk, Message, VolumeCap, VolumeReservation, VolumeUse
from loancrm.kernel import clock

# What has used its place: handed over, on its way, or asked about again.
_USED = (
    Q(state__in=[*HANDED_OVER_STATES, MessageState.SENDING])
    | Q(state=MessageState.FAILED, sent_at__isnull=False)
    | Q(state=MessageState.PLANNED, reason=SkipReason.ASKED_AGAIN)
)


def rooms_of(caps: Collection[int], *, now: datetime) -> dict[str, int]:
    """Return how many more messages each cap leaves room for, by its period; nothing is locked."""
    rows = list(VolumeCap.objects.filter(pk__in=caps))
    zone = clock.company_zone()
    uses = VolumeUse.objects.filter(cap__in=rows).values_list("cap_id", "day", "committed")
    used = {(cap, day): count for cap, day, count in uses}
    return {
        cap.period: cap.most - used.get((cap.pk, period_start(cap.period, now, zone)), 0)
        for cap in rows
    }


def reserve(*, row: Chunk, caps: Collection[int], units: Sequence[int], now: datetime) -> list[str]:
    """Reserve places for messages in their order; return the period that stops each, if any.

    Args:
        row: The chunk's row, locked by the caller.
        units: 1 for a message that takes a place, 0 for one that has it already.
    """
    zone = clock.company_zone()
    rows = VolumeCap.objects.filter(pk__in=caps).order_by("pk")
    days = {cap.pk: period_start(cap.period, now, zone) for cap in rows}
    wanted = [VolumeUse(cap_id=cap, day=day) for cap, day in days.items()]
    VolumeUse.objects.bulk_create(wanted, ignore_conflicts=True)
    is_meant = Q(pk__in=[])
    for cap, day in days.items():
        is_meant |= Q(cap_id=cap, day=day)
    # Always in the same order: two chunks that wait for each other would wait for ever.
    uses = list(
        VolumeUse.objects.filter(is_meant)
        .order_by("pk")
        .select_for_update(of=("self",))
        .select_related("cap")
    )
    rooms = {use.cap.period: use.cap.most - use.committed for use in uses}
    found = stopped_by(units, rooms)
    taken = sum(unit for unit, period in zip(units, found, strict=True) if not period)
    if taken:
        ids = [use.pk for use in uses]
        VolumeUse.objects.filter(pk__in=ids).update(committed=F("committed") + taken)
        for pk in ids:
            VolumeReservation.objects.get_or_create(chunk=row, use_id=pk)
        VolumeReservation.objects.filter(chunk=row, use__in=ids).update(count=F("count") + taken)
    return found


def settle(*, row: Chunk) -> None:
    """Give back what a chunk has reserved and not used.

    Args:
        row: The chunk's row, locked by the caller.
    """
    reservations = VolumeReservation.objects.filter(chunk=row).select_related("use__cap")
    by_cap: dict[int, list[VolumeReservation]] = {}
    for reservation in reservations.order_by("use_id"):
        by_cap.setdefault(reservation.use.cap_id, []).append(reservation)
    if not by_cap:
        return
    messages = Message.objects.filter(
        _USED,
        dispatch_id=row.dispatch_id,
        pk__gte=row.first_message_id,
        pk__lte=row.last_message_id,
    )
    moments = list(messages.values_list("attempted_at", flat=True))
    changed = [pair for kept in by_cap.values() for pair in _settled(kept, moments)]
    # In the order in which reservations are made: two that wait for each other wait for ever.
    for one, count in sorted(changed, key=lambda pair: pair[0].use_id):
        VolumeUse.objects.filter(pk=one.use_id).update(committed=F("committed") + count - one.count)
        VolumeReservation.objects.filter(pk=one.pk).update(count=count)


def _settled(
    reservations: Sequence[VolumeReservation], moments: Sequence[datetime | None]
) -> Iterator[tuple[VolumeReservation, int]]:
    """Yield the reservations of a cap that do not stay as they are, with what stays of them."""
    zone = clock.company_zone()
    period = reservations[0].use.cap.period
    used: Counter[date] = Counter(period_start(period, at, zone) for at in moments if at)
    stays = settled({one.use.day: one.count for one in reservations}, used)
    for one in reservations:
        count = stays[one.use.day]
        if count != one.count:
            yield one, count
