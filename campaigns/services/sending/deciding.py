"""Passing people through the gates and writing what may go out."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from campaigns.domain.sending.eligibility import Decision, MessagePlan, SkipReason, Verdict, decide
from campaigns.domain.sending.states import MessageState
from campaigns.selectors.sending import contact_facts
from campaigns.selectors.sending.contact_facts import Recipient
from campaigns.services.sending import chunks, outcomes, settling
from campaigns.services.sending.composing import Composed, Composer, NotComposed
from campaigns.services.sending.lane import Lane, LeasedChunk
from campaigns.services.sending.outcomes import Closing
from campaigns.services.sending.ways import failover
from loancrm.kernel.database import bulk


def decide_and_write(
    work: LeasedChunk, lane: Lane, *, ids: Sequence[int] | None, now: datetime
) -> tuple[list[Composed], Counter[str]]:
    """Decide about due messages of a chunk; return what may go out and the other states' counts.

    Args:
        ids: Which messages; None for all that are due.

    Raises:
        LeaseLost: Another worker has the chunk; nothing was stored.
    """
    composed: list[Composed] = []
    closings: list[Closing] = []
    with bulk.by_key():
        recipients = contact_facts.load_recipients(
            messages=due(work, now) if ids is None else due(work, now) & Q(pk__in=ids),
            plan=work.plan,
            now=now,
            attribute_names=work.composer.attribute_names,
            has_variables=bool(work.chunk.dispatch.variables),
        )
    for recipient in recipients:
        # Deciding may take longer than a lease: a slow database, a long text.
        lane.renew(work.chunk)
        if lane.is_stopping():
            break
        found = decide_about(recipient, plan=work.plan, composer=work.composer, now=now)
        if isinstance(found, Closing):
            closings.append(found)
        else:
            composed.append(found)
    # What is asked about again has its place, and its money, already.
    units = [0 if item.recipient.is_doubtful else 1 for item in composed]
    stops = chunks.reserve_volume(chunk=work.chunk, units=units, now=now)
    pairs = list(zip(composed, stops, strict=True))
    closings += [
        outcomes.over_volume(item.recipient, period=period, now=now)
        for item, period in pairs
        if period
    ]
    composed = [item for item, period in pairs if not period]
    costs = [Decimal(0) if item.recipient.is_doubtful else item.cost for item in composed]
    allowed = chunks.reserve_budget(chunk=work.chunk, costs=costs)
    closings += [
        outcomes.not_sent(item.recipient, SkipReason.BUDGET) for item in composed[allowed:]
    ]
    settling.close(closings, chunk=work.chunk, now=now)
    return composed[:allowed], Counter(closing.state.value for closing in closings)


def due(work: LeasedChunk, now: datetime) -> Q:
    """Return the condition of the chunk's messages that are due, and may go this way.

    What the dispatch's own channel may have taken is never sent by another.
    """
    may_go = Q() if work.is_own_channel else ~Q(reason=SkipReason.ASKED_AGAIN)
    return may_go & Q(
        Q(due_at__isnull=True) | Q(due_at__lte=now),
        dispatch_id=work.chunk.dispatch_id,
        pk__gte=work.chunk.first_message_id,
        pk__lte=work.chunk.last_message_id,
        state=MessageState.PLANNED,
    )


def decide_about(
    recipient: Recipient, *, plan: MessagePlan, composer: Composer, now: datetime
) -> Composed | Closing:
    """Return what may go out to one person, or what becomes of her message instead.

    Reads and writes nothing: a dry run asks the same.
    """
    decision = decide(recipient.facts, plan, now)
    match decision.verdict:
        case Verdict.PASS:
            result = composer.compose(recipient, now=now)
            if not isinstance(result, NotComposed):
                return result
            if composer.is_stand_in and result.reason is SkipReason.TEMPLATE_MISMATCH:
                # Templates of another provider are no reason to skip anybody: the own one may take
                # the text when it is back.
                later = Decision(Verdict.DEFER, result.reason, now + failover.ASK_AGAIN)
                return outcomes.put_off(recipient, later)
            return outcomes.not_sent(recipient, result.reason)
        case Verdict.HOLD_OUT:
            return outcomes.held_out(recipient, decision)
        case Verdict.DEFER:
            return outcomes.put_off(recipient, decision)
        case Verdict.SKIP:
            return outcomes.not_sent(recipient, decision.reason or "")
