"""Finding the one message that kills its workers, and setting it aside.

A lost claim alone says nothing about anybody. Where workers die, messages are worked one at a time
and each is written down before it is touched; only the one in hand at a death is suspected, and
waits until the others of its chunk have had their turn.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import HoldReason, MessageState
from campaigns.models import Chunk
from campaigns.services.sending import chunks, holding
from campaigns.services.sending.deciding import due
from campaigns.services.sending.lane import LeasedChunk

# So many deaths with the same message in hand set it aside.
MOST_DEATHS = 4
# Where so many people are suspected as much, it is none of them.
MANY = 3


def accuse(*, chunk: Chunk, message_ids: Sequence[int] = (), now: datetime) -> None:
    """Suspect the message that was in hand when the claim before was lost, and those given.

    Who is suspected often enough ends as a dead letter: failed, `crashed`, to be tried again by a
    person; of unknown fate where a provider may have the message already.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    with transaction.atomic():
        row = chunks.lock(chunk=chunk)
        found = list(message_ids)
        if row.in_hand_message_id is not None:
            found.append(row.in_hand_message_id)
        if not found:
            chunk.suspects = row.suspects
            return
        suspects = dict(row.suspects)
        for message_id in found:
            suspects[str(message_id)] = suspects.get(str(message_id), 0) + 1
        if sum(deaths >= MOST_DEATHS - 1 for deaths in suspects.values()) >= MANY:
            holding.hold(dispatch=chunk.dispatch, reason=HoldReason.WORK_FAILS)
            suspects = {}
        dead = [int(key) for key, deaths in suspects.items() if deaths >= MOST_DEATHS]
        rows = chunks.in_chunk(chunk).filter(pk__in=dead, state=MessageState.PLANNED)
        # Who was to be asked about again may have the message: nobody can say that it failed.
        rows.filter(reason=SkipReason.ASKED_AGAIN).update(
            state=MessageState.UNKNOWN, reason=SkipReason.CRASHED, closed_at=now
        )
        rows.update(state=MessageState.FAILED, reason=SkipReason.CRASHED, closed_at=now)
        chunk.suspects = {key: n for key, n in suspects.items() if int(key) not in dead}
        Chunk.objects.filter(pk=chunk.pk).update(suspects=chunk.suspects, in_hand_message_id=None)


def take_in_hand(*, chunk: Chunk, message_id: int) -> None:
    """Write down which message is touched next.

    Raises:
        LeaseLost: Another worker has the chunk.
    """
    with transaction.atomic():
        chunks.lock(chunk=chunk)
        Chunk.objects.filter(pk=chunk.pk).update(in_hand_message_id=message_id)


def acquit(*, chunk: Chunk, message_id: int) -> None:
    """Take back a suspicion: the worker that had the message in hand was slow, not dead."""
    with transaction.atomic():
        row = Chunk.objects.select_for_update().get(pk=chunk.pk)
        deaths = row.suspects.get(str(message_id), 0)
        if deaths:
            row.suspects[str(message_id)] = deaths - 1
            Chunk.objects.filter(pk=chunk.pk).update(suspects=row.suspects)


def in_order(*, work: LeasedChunk, now: datetime) -> list[int]:
    """Return the chunk's due messages, those suspected last."""
    suspects = work.chunk.suspects
    ids = chunks.in_chunk(work.chunk).filter(due(work, now)).values_list("pk", flat=True)
    return sorted(ids, key=lambda pk: (suspects.get(str(pk), 0), pk))
