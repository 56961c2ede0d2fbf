"""Working chunks: decide, write, hand over, settle, until nothing is due."""

import logging
import math
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import Error as DatabaseFault
from django.db import connection, transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from campaigns.channels.errors import ChannelMisconfigured
from campaigns.domain.sending.states import HoldReason
from campaigns.models import Channel, Chunk
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.filing import standing
from campaigns.selectors.sending import message_plan
from campaigns.services.content.text_refusals import ApprovalLapsed, RulesForbid
from campaigns.services.filing import last_use
from campaigns.services.filing.filed import FilingLapsed, unfiled
from campaigns.services.sending import (
    chunks,
    holding,
    ledger,
    own_values,
    providers,
    suspects,
)
from campaigns.services.sending.chunks import LeaseLost
from campaigns.services.sending.composing import Composer
from campaigns.services.sending.deciding import decide_and_write, due
from campaigns.services.sending.flights import HandOver
from campaigns.services.sending.lane import Clock, Lane, LeasedChunk
from campaigns.services.sending.ways import failover
from customers.domain.events.event import EventName
from customers.services.events import log
from loancrm.kernel.auditing import deployment
from loancrm.kernel.database import leases
from loancrm.kernel.database.errors import PASSING, trouble_of
from loancrm.kernel.security.keys import KeysRefused

logger = logging.getLogger(__name__)
# A worker without a chunk stays while a rate limit leaves room again within so many seconds, and
# looks so often whether one is there by now.
IDLE_SECONDS = 2.0
LOOK_SECONDS = 0.1
# Of a channel with a rate limit about this much is taken at a time, so that what is decided is sent
# at once and the worker is free for others in between.
PAGE_SECONDS = 1.0
# Failures one after the other, and nobody between them: not a person's fault.
SAME_FAULT = 3
# What is wrong with no message, so that none is looked for.
_NOBODYS = (LeaseLost, DatabaseFault, KeysRefused, FilingLapsed)


def drain(
    *,
    holder: str,
    clock: Clock,
    rng: random.Random,
    slice_seconds: float,
    should_stop: Callable[[], bool] | None = None,
    advance: Callable[[], None] | None = None,
    workers: int | None = None,
) -> Counter[str]:
    """Work due chunks until none is left, the time slice is over, or the process is to stop.

    Args:
        holder: Name of this worker in leases; unique over processes.
        clock: Tells the time; the loop runs too long for a single `now`.
        slice_seconds: After about this long the worker lets other jobs run.
        should_stop: Tells whether the process was asked to stop.
        advance: Starts what has become due; called about once a second, so that one worker alone
            keeps everything going.
        workers: How many may be at work at a time; None counts nobody.

    Returns:
        How many messages went to each state.
    """
    lane = Lane(holder=holder, clock=clock, rng=rng, ends_at=time.monotonic() + slice_seconds)
    if should_stop is not None:
        lane.should_stop = should_stop
    if advance is not None:
        lane.advance = advance
    if workers is not None and not _take_slot(lane, workers):
        return Counter()
    counts: Counter[str] = Counter()
    try:
        while not lane.is_over() and deployment.may_send():
            lane.look()
            chunk = lane.claim()
            if chunk is not None:
                counts += work_chunk(chunk=chunk, lane=lane)
            elif chunks.claimable(now=clock(), slot_seconds=IDLE_SECONDS).exists():
                lane.renew_slot()
                time.sleep(LOOK_SECONDS)
            else:
                break
    except DatabaseFault as error:
        _note_wait(error)
    finally:
        _leave_slot(lane)
    return counts


def slots(workers: int) -> list[str]:
    """Return the names of the leases that count workers at work."""
    return [f"campaigns.drain {number}" for number in range(1, workers + 1)]


def _take_slot(lane: Lane, workers: int) -> bool:
    for name in slots(workers):
        if leases.claim(name=name, holder=lane.holder, seconds=chunks.LEASE_SECONDS):
            lane.slot = name
            return True
    return False


def _leave_slot(lane: Lane) -> None:
    if not lane.slot:
        return
    try:
        leases.release(name=lane.slot, holder=lane.holder)
    except DatabaseFault as error:
        # It ends by itself.
        _note_wait(error)


def _note_wait(error: DatabaseFault) -> None:
    """Log that the database is full, away or read-only; any other failure of it is raised."""
    trouble = trouble_of(error)
    if not connection.in_atomic_block:
        connection.close()
    if trouble not in PASSING:
        raise error
    logger.warning("sending waits", extra={"reason": trouble})


def _step_back(chunk: Chunk, lane: Lane, error: DatabaseFault) -> None:
    """Give the chunk back with the reason, which is nobody's fault, and end this drain.

    Where the database does not even take that, the lease ends by itself.
    """
    lane.ends_at = time.monotonic()
    try:
        chunks.release(chunk=chunk, now=lane.clock(), is_complete=False)
        if (trouble := trouble_of(error)) is not None:
            holding.note_waiting(dispatch=chunk.dispatch, reason=HoldReason(trouble))
    except LeaseLost:
        return
    except DatabaseFault as further:
        _note_wait(further)


def work_chunk(*, chunk: Chunk, lane: Lane) -> Counter[str]:
    """Bring one leased chunk as far as it goes now."""
    try:
        return _work_chunk(chunk, lane)
    except LeaseLost:
        # Whoever has it goes on with it.
        return Counter()
    except DatabaseFault as error:
        _note_wait(error)
        _step_back(chunk, lane, error)
        return Counter()
    except KeysRefused as error:
        # Another worker may have them; who is to restart this one has to be told now.
        _log(error, chunk)
        holding.hold(dispatch=chunk.dispatch, reason=HoldReason(error.code))
        chunks.release(chunk=chunk, now=lane.clock(), is_complete=False)
        return Counter()
    except FilingLapsed:
        holding.hold(dispatch=chunk.dispatch, reason=HoldReason.TEMPLATE_NOT_FILED)
        chunks.release(chunk=chunk, now=lane.clock(), is_complete=False)
        return Counter()
    except Exception as error:  # noqa: BLE001 - counted, logged, and after three rounds held
        _log(error, chunk)
        holding.note_fault(dispatch=chunk.dispatch)
        chunks.release(chunk=chunk, now=lane.clock(), is_complete=False)
        return Counter()


def _work_chunk(chunk: Chunk, lane: Lane) -> Counter[str]:
    lane.renewed_at = time.monotonic()
    work = _prepare(chunk, lane)
    if work is None:
        chunks.release(chunk=chunk, now=lane.clock())
        return Counter()
    now = lane.clock()
    can_resend = work.can_resend or (not work.is_own_channel and failover.knows_keys(chunk))
    if chunks.recover(chunk=chunk, can_resend=can_resend, now=now) or chunk.attempts > 1:
        chunks.settle_budget(chunk=chunk)
        suspects.accuse(chunk=chunk, now=now)
    counts: Counter[str] = Counter()
    is_complete = _work_page(work, lane, counts)
    _finish(work, lane, is_complete=is_complete)
    return counts


def _prepare(chunk: Chunk, lane: Lane) -> LeasedChunk | None:
    """Return what the chunk's messages share; None, and the dispatch held, where that is wrong."""
    dispatch = chunk.dispatch
    try:
        channel = failover.channel_for(dispatch=dispatch, now=lane.clock())
        provider = providers.provider_of(channel)
        # A corrected plan has other texts: a composer of the plan before would write the old ones.
        written_by = (dispatch.pk, dispatch.revision, channel.pk)
        composer = lane.composers.get(written_by)
        if composer is None:
            composer = lane.composers[written_by] = Composer(
                dispatch, channel, rules=rules_at(lane.clock())
            )
    except ChannelMisconfigured as error:
        holding.hold(dispatch=dispatch, reason=HoldReason(error.code))
        return None
    except ApprovalLapsed as error:
        holding.hold(dispatch=dispatch, reason=error.hold_reason)
        return None
    except RulesForbid:
        holding.hold(dispatch=dispatch, reason=HoldReason.RULES_FORBID)
        return None
    composer.filed = standing.filed_now(channel, now=lane.clock())
    if reason := unfiled(composer.filed):
        holding.hold(dispatch=dispatch, reason=reason)
        return None
    is_careful = chunk.attempts >= chunks.CAREFUL_ATTEMPT
    plan = message_plan.plan_of(dispatch, now=lane.clock())
    return LeasedChunk(
        chunk,
        plan,
        composer,
        channel,
        provider,
        is_careful,
    )


def _work_page(work: LeasedChunk, lane: Lane, counts: Counter[str]) -> bool:
    """Work what is due, or about a second's worth of it; return whether nothing due is left."""
    if work.is_careful:
        return _work_singly(work, lane, counts)
    ids, is_last = _page(work, lane.clock())
    try:
        is_complete = _send(work, lane, counts, ids)
    except _NOBODYS:
        raise
    except Exception as error:  # noqa: BLE001 - found out who it is, one by one
        _log(error, work.chunk)
        return _work_singly(replace(work, is_careful=True), lane, counts)
    return is_complete and is_last


def page_size(channel: Channel) -> int | None:
    """Return how many messages of a channel are worked at once; None for all that are due."""
    rate = channel.rate_per_second
    return None if rate is None else max(1, math.floor(rate * PAGE_SECONDS))


def _page(work: LeasedChunk, now: datetime) -> tuple[list[int] | None, bool]:
    """Return the messages to work at once, None for all that are due, and whether they are all."""
    most = page_size(work.channel)
    if most is None:
        return None, True
    rows = chunks.in_chunk(work.chunk).filter(due(work, now)).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[: most + 1])
    return ids[:most], len(ids) <= most


def _work_singly(work: LeasedChunk, lane: Lane, counts: Counter[str]) -> bool:
    """Work one message at a time, each written down before it is touched."""
    chunk = work.chunk
    failed: list[int] = []
    has_passed = False
    for message_id in suspects.in_order(work=work, now=lane.clock()):
        if lane.is_over():
            suspects.accuse(chunk=chunk, message_ids=failed, now=lane.clock())
            return False
        try:
            is_complete = _send_in_hand(work, lane, counts, message_id)
        except _NOBODYS:
            raise
        except Exception as error:
            failed.append(message_id)
            if not has_passed and len(failed) >= SAME_FAULT:
                raise
            _log(error, chunk)
            continue
        has_passed = True
        if not is_complete:
            break
    else:
        is_complete = not failed
    chunks.put_down(chunk=chunk)
    suspects.accuse(chunk=chunk, message_ids=failed, now=lane.clock())
    return is_complete


def _send_in_hand(work: LeasedChunk, lane: Lane, counts: Counter[str], message_id: int) -> bool:
    """Send one message that is written down before it is touched; return whether it went through.

    Raises:
        LeaseLost: The worker was too slow, for which the message is not to blame.
    """
    chunk = work.chunk
    suspects.take_in_hand(chunk=chunk, message_id=message_id)
    try:
        is_complete = _send(work, lane, counts, [message_id])
        if not is_complete:
            chunks.put_down(chunk=chunk)
    except LeaseLost:
        suspects.acquit(chunk=chunk, message_id=message_id)
        raise
    return is_complete


def _send(work: LeasedChunk, lane: Lane, counts: Counter[str], ids: list[int] | None) -> bool:
    """Decide about messages and hand over what may go; return whether none was left."""
    now = lane.clock()
    composed, decided = decide_and_write(work, lane, ids=ids, now=now)
    counts += decided
    hand_over = HandOver(work, lane, now)
    counts += hand_over.run(composed)
    return hand_over.is_complete and not lane.is_stopping()


def _finish(work: LeasedChunk, lane: Lane, *, is_complete: bool) -> None:
    """Settle the chunk's money, add its events and its ledger entry, and give it back.

    Raises:
        LeaseLost: Another worker has the chunk, and will do all that.
    """
    now = lane.clock()
    with transaction.atomic():
        row = chunks.lock(chunk=work.chunk)
        chunks.settle_budget(chunk=work.chunk)
        _record_sent(work.chunk, now)
        if not work.is_own_channel:
            failover.put_off_own(chunk=work.chunk, now=now)
        last_use.note(chunk=work.chunk, filed=work.composer.filed, now=now)
        # Once a working session: of a slow channel, that is once all of the chunk has had its turn.
        if is_complete:
            ledger.append_entry(chunk=work.chunk, now=now)
        own_values.forget_closed(chunk=work.chunk)
        chunks.write_release(row=row, now=now, is_complete=is_complete)
    if is_complete:
        holding.forget_faults(dispatch=work.chunk.dispatch)
    if work.chunk.dispatch.hold_reason:
        holding.forget_waiting(dispatch=work.chunk.dispatch)


def _log(error: Exception, chunk: Chunk) -> None:
    """Log where a fault came up; its words may hold personal data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "sending failed",
        extra={
            "error": type(error).__name__,
            "at": f"{frame.filename.rpartition('/')[2]}:{frame.lineno}",
            "chunk": chunk.pk,
        },
    )


def _record_sent(chunk: Chunk, now: datetime) -> None:
    """Add the chunk's sent messages to the event log; those already there stay as they are."""
    dispatch = chunk.dispatch
    sent = chunks.in_chunk(chunk).filter(sent_at__isnull=False)
    log.append_selected(
        name=EventName.MESSAGE_SENT,
        source="campaigns",
        rows=sent.order_by("pk"),
        customer=F("customer_id"),
        occurred_at=F("sent_at"),
        dedup_key=Concat(Value("sent:"), Cast("pk", CharField()), output_field=CharField()),
        channel=dispatch.channel_kind,
        subject=dispatch.subject,
        now=now,
    )
