"""One person's next move in a graph: from where she stands and what is true of her."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from campaigns.domain.graphs.graph import Branch, End, Graph, Node, Question, Send, Wait
from campaigns.domain.sending.eligibility import SkipReason
from campaigns.domain.sending.states import MessageState

# Why somebody was not sent a message that another channel may still bring her.
MISSED_REASONS = (
    SkipReason.UNREACHABLE,
    SkipReason.BOUNCED,
    SkipReason.NO_CONSENT,
    SkipReason.MISSING_VARIABLE,
    SkipReason.NO_CONTENT,
    SkipReason.CHANNEL_REFUSED,
    SkipReason.RETRIES_EXHAUSTED,
)


class Leaving(StrEnum):
    """Why somebody is no longer in a graph."""

    ENDED = "ended"
    # She refused, got into difficulties, or her record was merged into another.
    UNWANTED = "unwanted"
    # What it belongs to ended while she stood in it.
    OVER = "over"


@dataclass(frozen=True, slots=True)
class GraphPosition:
    """Where somebody stands, and since when."""

    node: str
    since: datetime


@dataclass(frozen=True, slots=True)
class MessageFact:
    """What has become of the message of one node."""

    state: MessageState
    reason: str = ""
    is_control: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of one person at the moment of moving.

    Attributes:
        messages: What became of the message of each node that sent her one.
        settled_at: When each node's sending ended, for all who stood there.
        has_clicked: A link of one of these messages; known only where a branch asks.
        is_at_goal: She has done what it is for since she began; likewise.
        is_wanted: She may be written to: a live record, no refusal since she began.
    """

    messages: Mapping[str, MessageFact] = field(default_factory=dict)
    settled_at: Mapping[str, datetime] = field(default_factory=dict)
    is_wanted: bool = True
    has_clicked: bool = False
    is_at_goal: bool = False


@dataclass(frozen=True, slots=True)
class GraphPassage:
    """A node that somebody left, and by which way."""

    node: str
    way: str


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to somebody now.

    Attributes:
        position: Where she stands afterwards; at a `Send` without a message she waits to be sent
            one.
        due_at: When to look again; None when something else has to happen first.
        passages: The nodes that she left on the way.
        leaves: Why she leaves the graph; empty while she stays in it.
    """

    position: GraphPosition
    due_at: datetime | None = None
    passages: tuple[GraphPassage, ...] = ()
    leaves: Leaving | None = None


def advance(graph: Graph, position: GraphPosition, facts: Facts, now: datetime) -> Move:
    """Return how far somebody gets now: to a message to be sent, a wait that is not over, or out.

    Pure: the same arguments give the same move, so that a move made twice is made once.
    """
    passages: list[GraphPassage] = []
    while True:
        found = _look(graph.nodes[position.node], position, facts, now)
        if isinstance(found, Move):
            return replace(found, passages=tuple(passages))
        passages.append(GraphPassage(position.node, found.node))
        position = found


def _look(node: Node, position: GraphPosition, facts: Facts, now: datetime) -> GraphPosition | Move:
    """Return where somebody gets from one node, or the move that ends there for now."""
    match node:
        case End():
            return Move(position, leaves=Leaving.ENDED)
        case Send():
            return _after_send(node, position, facts)
        case Wait():
            return _after_wait(node, position, facts, now)
        case Branch():
            return GraphPosition(node.yes if _is_true(node, facts) else node.no, position.since)
        case _:
            assert_never(node)


def _after_send(node: Send, position: GraphPosition, facts: Facts) -> GraphPosition | Move:
    if position.node not in facts.messages:
        return Move(position, leaves=None if facts.is_wanted else Leaving.UNWANTED)
    settled_at = facts.settled_at.get(position.node)
    return Move(position) if settled_at is None else GraphPosition(node.then, settled_at)


def _after_wait(
    node: Wait, position: GraphPosition, facts: Facts, now: datetime
) -> GraphPosition | Move:
    begins = facts.settled_at.get(node.after) if node.after else position.since
    if begins is None:
        return Move(position)
    ends = begins + timedelta(seconds=node.seconds)
    return Move(position, due_at=ends) if now < ends else GraphPosition(node.then, ends)


def _is_true(branch: Branch, facts: Facts) -> bool:
    match branch.question:
        case Question.MISSED:
            message = facts.messages.get(branch.about)
            return message is not None and is_missed(message)
        case Question.NOT_CLICKED:
            return not facts.has_clicked
        case Question.GOAL_NOT_REACHED:
            return not facts.is_at_goal
        case _:
            assert_never(branch.question)


def is_missed(message: MessageFact) -> bool:
    """Return whether a message did not reach its person; nobody misses one for the experiment."""
    if message.is_control:
        return False
    match message.state:
        case MessageState.FAILED | MessageState.BOUNCED:
            return True
        case MessageState.SKIPPED:
            return message.reason in MISSED_REASONS
        case _:
            return False
