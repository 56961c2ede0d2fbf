"""What the providers' logs and the database say after the faults, person by person."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from campaigns.benchmarks import received
from campaigns.chaos.gateways import Gateway
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import OPEN_STATES, MessageState
from campaigns.models import Campaign, Message
from campaigns.simulators import evidence
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import Turn

# States in which the database says that the provider has the message.
_HANDED_OVER = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED})
_NOT_LOST = _HANDED_OVER | {MessageState.FAILED, MessageState.UNKNOWN}
_SMALLEST = Decimal("0.0001")


@dataclass
class ChaosFindings:
    """What is proven of one campaign, or of all.

    Attributes:
        duplicates: Copies that a person got beyond the first, or that went out under one identity.
        lost: People of whom nobody can say anything: not taken by the provider though the database
            says so, left open, skipped without a cause, or without a row.
        written_off: People given up though the provider did not refuse them for good.
        strangers: People who got the campaign's message and are not in its audience.
        unknown_messages: Ids of messages of unknown fate.
        on_the_wire: Messages under way on connections that the provider itself broke.
        is_balanced: The states add up to the audience, none is open, and the budget is exact.
    """

    duplicates: int = 0
    lost: int = 0
    written_off: int = 0
    strangers: int = 0
    unknown_messages: list[int] = field(default_factory=list)
    on_the_wire: int = 0
    is_balanced: bool = True
    taken: int = 0
    committed_amount: Decimal = Decimal(0)
    cost_amount: Decimal = Decimal(0)
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: "ChaosFindings") -> None:
        """Add what is proven of another campaign."""
        self.duplicates += other.duplicates
        self.lost += other.lost
        self.written_off += other.written_off
        self.strangers += other.strangers
        self.unknown_messages += other.unknown_messages
        self.on_the_wire += other.on_the_wire
        self.is_balanced = self.is_balanced and other.is_balanced
        self.taken += other.taken
        self.committed_amount += other.committed_amount
        self.cost_amount += other.cost_amount
        self.states += other.states
        self.reasons += other.reasons


def prove(
    gateway: Gateway, campaign: Campaign, *, count: int, refused: frozenset[str]
) -> ChaosFindings:
    """Compare the provider's log with what the database says of everybody.

    Args:
        count: How many people there are; the gateway's plan says which of them it was for.
        refused: People whom any provider refused for good: an address that one relay says is gone
            is not written to through another.
    """
    entries = gateway.entries()
    copies = evidence.count(entries)
    numbers = gateway.plan.numbers(count)
    expected = received.people(gateway.plan.kind, numbers)
    found = ChaosFindings(
        duplicates=copies.duplicates,
        strangers=len(set(copies.by_person) - expected),
        on_the_wire=on_the_wire(gateway, entries),
        taken=copies.by_person.total(),
    )
    people: Counter[str] = Counter()
    rows = Message.objects.filter(dispatch__campaign=campaign).values_list(
        "pk", "customer__external_id", "state", "reason"
    )
    for message_id, external_id, state, reason in rows:
        digest = received.person_of(external_id, gateway.plan.kind)
        people[digest] += 1
        found.states[state] += 1
        if reason:
            found.reasons[f"{state}:{reason}"] += 1
        if (state, reason) == (MessageState.SKIPPED, SkipReason.BOUNCED) and digest in refused:
            continue
        _judge(found, message_id, MessageState(state), digest, copies)
    found.lost += len(expected - set(people))
    found.duplicates += sum(people.values()) - len(people)
    _balance(found, campaign, len(numbers))
    return found


def refused_by(gateways: Iterable[Gateway]) -> frozenset[str]:
    """Return the people whom any of the providers refused for good."""
    logs = (evidence.count(gateway.entries()) for gateway in gateways)
    return frozenset().union(*(copies.refused for copies in logs))


def _judge(
    found: ChaosFindings,
    message_id: int,
    state: MessageState,
    digest: str,
    copies: evidence.Copies,
) -> None:
    """Count what one message's end says about its person."""
    if state is MessageState.UNKNOWN:
        found.unknown_messages.append(message_id)
    elif state is MessageState.FAILED and digest not in copies.refused:
        found.written_off += 1
    elif state not in _NOT_LOST or (state in _HANDED_OVER and not copies.by_person[digest]):
        found.lost += 1


def _balance(found: ChaosFindings, campaign: Campaign, count: int) -> None:
    """Add up states and money: nobody missing, nothing open, spent what messages cost."""
    campaign.refresh_from_db()
    costs = Message.objects.filter(dispatch__campaign=campaign).aggregate(total=Sum("cost_amount"))
    # SQLite adds decimals as floating point numbers.
    found.cost_amount = (costs["total"] or Decimal(0)).quantize(_SMALLEST)
    found.committed_amount = campaign.budget.committed_amount if campaign.budget else Decimal(0)
    found.is_balanced = (
        found.states.total() == count
        and not any(found.states[state] for state in OPEN_STATES)
        and found.committed_amount == found.cost_amount
    )


def on_the_wire(gateway: Gateway, entries: list[EvidenceEntry]) -> int:
    """Return how many messages a provider's own faults can have left without an answer.

    Over HTTP all of a request that got no answer, or one that a proxy could have given: each of its
    messages is written down by itself, whatever the size of requests and sub-batches. Over SMTP one
    for each message that it broke off at; where several travel on a connection at once, all of
    those: the provider closed it, and its callers cannot know how far it had read. A provider that
    knows repeated keys leaves none, because it can be asked again.
    """
    plan = gateway.plan
    if plan.knows_keys:
        return 0
    if plan.is_by_request:
        return sum(not entry.is_answered or entry.turn is Turn.ERROR for entry in entries)
    broken = sum(
        not entry.is_answered or (entry.turn is Turn.THROTTLE and plan.window > 1)
        for entry in entries
    )
    return broken * plan.window


def as_json(found: ChaosFindings) -> dict[str, Any]:
    """Return the printed form of what was found."""
    return {
        "duplicates": found.duplicates,
        "lost": found.lost,
        "written_off": found.written_off,
        "strangers": found.strangers,
        "unknown": len(found.unknown_messages),
        "unknown_messages": sorted(found.unknown_messages),
        "balanced": found.is_balanced,
        "taken": found.taken,
        "committed_amount": found.committed_amount,
        "cost_amount": found.cost_amount,
        "states": dict(sorted(found.states.items())),
        "reasons": dict(sorted(found.reasons.items())),
    }
