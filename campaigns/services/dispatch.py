"""Working chunks: decide, write, hand over, settle, until nothing is due."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as day_time
from itertools import islice

from django.conf import settings
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat

from campaigns.channels.base import Channel as Provider
from campaigns.channels.base import SendResult
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelMisconfigured
from campaigns.domain.campaign import DispatchStatus, MessageState
from campaigns.domain.eligibility import MessagePlan, Reason, Verdict, decide
from campaigns.domain.frequency import Cap
from campaigns.domain.schedule import SendingWindow
from campaigns.models import Channel, Chunk, Dispatch, FrequencyRule, Message
from campaigns.selectors import contact_facts
from campaigns.services import chunks, ledger, providers, settling, throttling
from campaigns.services.composing import ApprovalLapsed, Composed, Composer, NotComposed
from campaigns.services.settling import Answer, Attempt, Closing
from customers.domain.consent import Purpose
from customers.domain.events import EventName
from customers.services import events
from loancrm.kernel import clock as kernel_clock

Clock = Callable[[], datetime]
RENEW_SECONDS = 3.0
SMALLEST_SUB_BATCH = 5
# With two sub-batches under way, a four-hundredth of the audience each.
UNKNOWN_SHARE = 400


@dataclass
class Lane:
    """What one worker keeps while it works on one dispatch after the other."""

    holder: str
    clock: Clock
    rng: random.Random
    composers: dict[int, Composer] = field(default_factory=dict)
    renewed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Work:
    """One leased chunk with everything that its messages share."""

    chunk: Chunk
    plan: MessagePlan
    composer: Composer
    channel: Channel
    provider: Provider
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class _Flight:
    """A sub-batch that a provider has and has not answered."""

    future: "Future[list[SendResult]]"
    batch: list[Composed]


def drain(*, holder: str, clock: Clock, rng: random.Random, slice_seconds: float) -> Counter[str]:
    """Work due chunks until none is left or the time slice is over.

    Args:
        holder: Name of this worker in leases; unique over processes.
        clock: Tells the time; the loop runs too long for a single `now`.
        slice_seconds: After about this long the worker lets other jobs run.

    Returns:
        How many messages went to each state.
    """
    lane = Lane(holder=holder, clock=clock, rng=rng)
    counts: Counter[str] = Counter()
    ends = time.monotonic() + slice_seconds
    while time.monotonic() < ends:
        chunk = chunks.claim(holder=holder, now=clock())
        if chunk is None:
            break
        counts += work_chunk(chunk=chunk, lane=lane)
    return counts


def work_chunk(*, chunk: Chunk, lane: Lane) -> Counter[str]:
    """Bring one leased chunk as far as it goes now."""
    dispatch = chunk.dispatch
    try:
        channel = providers.channel_of(dispatch)
        provider = providers.provider_of(channel)
        composer = _composer_of(dispatch, channel, lane)
    except ChannelMisconfigured:
        hold(dispatch=dispatch, reason="channel_misconfigured")
        chunks.release(chunk=chunk, now=lane.clock())
        return Counter()
    except ApprovalLapsed as error:
        hold(dispatch=dispatch, reason=error.hold_reason)
        chunks.release(chunk=chunk, now=lane.clock())
        return Counter()
    now = lane.clock()
    lane.renewed_at = time.monotonic()
    work = _Work(chunk, plan_of(dispatch), composer, channel, provider, now)
    if chunk.attempts > 1:
        chunks.recover(chunk=chunk, can_resend=provider.limits.supports_idempotency, now=now)
        chunks.settle_budget(chunk=chunk)
    composed, counts = _decide(work, lane, now)
    counts += _hand_over(work, composed, lane)
    now = lane.clock()
    chunks.settle_budget(chunk=chunk)
    _record_sent(chunk, now)
    ledger.append_entry(chunk=chunk, now=now)
    chunks.release(chunk=chunk, now=now)
    return counts


def _composer_of(dispatch: Dispatch, channel: Channel, lane: Lane) -> Composer:
    composer = lane.composers.get(dispatch.pk)
    if composer is None:
        composer = lane.composers[dispatch.pk] = Composer(dispatch, channel)
    return composer


def plan_of(dispatch: Dispatch) -> MessagePlan:
    """Return what the gates need to know about a dispatch's messages."""
    opens, closes = settings.LOANCRM_SENDING_WINDOW
    return MessagePlan(
        channel=dispatch.channel_kind,
        purpose=Purpose(dispatch.campaign.purpose),
        uses_personal_rules=dispatch.uses_personal_rules,
        window=SendingWindow(day_time(opens), day_time(closes)),
        caps=tuple(
            Cap(rule.channel, rule.window_hours, rule.max_count)
            for rule in FrequencyRule.objects.filter(is_active=True).order_by("pk")
        ),
        company_zone=kernel_clock.company_zone(),
        refusals_since=dispatch.campaign.launched_at if dispatch.step.position > 1 else None,
    )


def hold(*, dispatch: Dispatch, reason: str) -> None:
    """Stop a dispatch until a person resumes it."""
    Dispatch.objects.filter(pk=dispatch.pk, status=DispatchStatus.RUNNING).update(
        status=DispatchStatus.HELD, hold_reason=reason
    )


def _decide(work: _Work, lane: Lane, now: datetime) -> tuple[list[Composed], Counter[str]]:
    """Pass the chunk's due people through the gates and write what may go out."""
    composed: list[Composed] = []
    closings: list[Closing] = []
    for recipient in contact_facts.load_recipients(
        messages=Q(
            Q(due_at__isnull=True) | Q(due_at__lte=now),
            dispatch_id=work.chunk.dispatch_id,
            pk__gte=work.chunk.first_message_id,
            pk__lte=work.chunk.last_message_id,
            state=MessageState.PLANNED,
        ),
        plan=work.plan,
        now=now,
        attribute_names=work.composer.attribute_names,
    ):
        if work.chunk.attempts >= chunks.CAREFUL_ATTEMPT and not _try_carefully(
            recipient.message_id, recipient.attempts, closings
        ):
            continue
        decision = decide(recipient.facts, work.plan, now)
        match decision.verdict:
            case Verdict.PASS:
                result = work.composer.compose(recipient, now=now)
                if isinstance(result, NotComposed):
                    closings.append(_skipped(recipient.message_id, result.reason))
                else:
                    composed.append(result)
            case Verdict.HOLD_OUT:
                closings.append(
                    Closing(recipient.message_id, MessageState.HELD_OUT, Reason.HOLDOUT)
                )
            case Verdict.DEFER:
                closings.append(
                    Closing(
                        recipient.message_id,
                        MessageState.PLANNED,
                        decision.reason or "",
                        decision.retry_at,
                    )
                )
            case Verdict.SKIP:
                closings.append(_skipped(recipient.message_id, decision.reason or ""))
    allowed = chunks.reserve_budget(chunk=work.chunk, costs=[item.cost for item in composed])
    closings += [_skipped(item.recipient.message_id, Reason.BUDGET) for item in composed[allowed:]]
    settling.close(closings, now=now)
    return composed[:allowed], Counter(closing.state.value for closing in closings)


def _skipped(message_id: int, reason: str) -> Closing:
    return Closing(message_id, MessageState.SKIPPED, reason)


def _try_carefully(message_id: int, attempts: int, closings: list[Closing]) -> bool:
    """Count a try before touching a message of a chunk whose workers died; False gives it up."""
    if attempts >= settling.MAX_ATTEMPTS:
        closings.append(Closing(message_id, MessageState.FAILED, Reason.CRASHED))
        return False
    Message.objects.filter(pk=message_id).update(attempts=F("attempts") + 1)
    return True


def _hand_over(work: _Work, composed: Sequence[Composed], lane: Lane) -> Counter[str]:
    """Send in sub-batches, one on its way while another is settled; more for a slow provider."""
    counts: Counter[str] = Counter()
    careful = work.chunk.attempts >= chunks.CAREFUL_ATTEMPT
    flights = 1 if careful else work.provider.limits.flights
    size = 1 if careful else throttling.burst(work.channel, _sub_batch_size(work))
    waiting = deque(_batches(composed, size))
    under_way: deque[_Flight] = deque()
    while waiting or under_way:
        # What has been answered is settled before a wait for the rate limit.
        is_answered = bool(under_way) and under_way[0].future.done()
        if waiting and len(under_way) < flights and not is_answered:
            _settled, marked = _step(work, None, waiting, lane)
            _take_off(work, marked, under_way)
            continue
        flight = under_way.popleft()
        try:
            results = _wait(flight.future, work.chunk, lane)
        except ChannelError as error:
            _give_back(work, flight.batch, error, lane.clock())
            waiting.clear()
            continue
        answer = Answer(flight.batch, results, lane.rng.random())
        if throttling.pause_after(channel=work.channel, results=results):
            waiting.clear()
        # One commit for what came back and what goes out next; a wait for the rate limit must not
        # hold it open.
        is_unlimited = work.channel.rate_per_second is None
        settled, marked = _step(work, answer, waiting if is_unlimited else deque(), lane)
        counts += settled
        _take_off(work, marked, under_way)
    return counts


def _sub_batch_size(work: _Work) -> int:
    """Return how many messages go out together.

    What is under way when a worker is killed becomes unknown unless the provider knows repeated
    keys, so a small audience goes out in small steps: about half a percent a worker.
    """
    limits = work.provider.limits
    if limits.supports_idempotency:
        return limits.batch_size
    share = work.chunk.dispatch.audience_count // UNKNOWN_SHARE
    return min(limits.batch_size, max(SMALLEST_SUB_BATCH, share))


def _take_off(work: _Work, batch: list[Composed], under_way: "deque[_Flight]") -> None:
    if batch:
        future = work.provider.submit([item.outbound for item in batch])
        under_way.append(_Flight(future, batch))


def _step(
    work: _Work, answer: Answer | None, waiting: "deque[list[Composed]]", lane: Lane
) -> tuple[Counter[str], list[Composed]]:
    """Settle an answer and mark the next sub-batch that waits, as soon as the rate limit allows.

    A lost lease or a paused campaign empties what waits.
    """
    attempt = None
    if waiting:
        batch = waiting.popleft()
        if _keep(work, len(batch), lane):
            attempt = Attempt(batch, work.plan, work.decided_at)
        else:
            waiting.clear()
    counts, marked = settling.step(
        chunk=work.chunk, answer=answer, attempt=attempt, now=lane.clock()
    )
    if marked is None:
        waiting.clear()
    return counts, marked or []


def _keep(work: _Work, count: int, lane: Lane) -> bool:
    """Wait for the rate limit and keep the lease; False when it is lost."""
    wait = throttling.reserve(channel=work.channel, count=count, now=lane.clock())
    while True:
        if time.monotonic() - lane.renewed_at >= RENEW_SECONDS:
            if not chunks.renew(chunk=work.chunk):
                return False
            lane.renewed_at = time.monotonic()
        if wait <= 0:
            return True
        time.sleep(min(wait, RENEW_SECONDS))
        wait -= RENEW_SECONDS


def _wait(future: "Future[list[SendResult]]", chunk: Chunk, lane: Lane) -> list[SendResult]:
    """Wait for a batch; keep the lease alive meanwhile."""
    while True:
        try:
            return future.result(timeout=RENEW_SECONDS)
        except NotYetError:
            if future.done():
                raise
            chunks.renew(chunk=chunk)
            lane.renewed_at = time.monotonic()


def _give_back(work: _Work, batch: Sequence[Composed], error: ChannelError, now: datetime) -> None:
    """Return a batch of which nothing was handed over."""
    if isinstance(error, ChannelBlocked):
        throttling.block(channel=work.channel, error=error)
        hold(dispatch=work.chunk.dispatch, reason=error.code)
    elif isinstance(error, ChannelMisconfigured):
        hold(dispatch=work.chunk.dispatch, reason=error.code)
    else:
        throttling.pause_for(channel=work.channel, error=error)
    settling.put_back(batch=batch, due_at=now)


def _record_sent(chunk: Chunk, now: datetime) -> None:
    """Add the chunk's sent messages to the event log; those already there stay as they are."""
    dispatch = chunk.dispatch
    sent = chunks.in_chunk(chunk).filter(sent_at__isnull=False)
    events.append_selected(
        name=EventName.MESSAGE_SENT,
        source="campaigns",
        rows=sent.order_by("pk"),
        customer=F("customer_id"),
        occurred_at=F("sent_at"),
        dedup_key=Concat(Value("sent:"), Cast("pk", CharField()), output_field=CharField()),
        channel=dispatch.channel_kind,
        subject=dispatch.campaign.slug,
        now=now,
    )


def _batches(items: Iterable[Composed], size: int) -> Iterable[list[Composed]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
