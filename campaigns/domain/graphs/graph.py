"""The graph that people walk from message to message: its nodes, as data.

A graph is written once and never changes under those who walk it. It is checked when it is read:
every way leads to a node that is there, every node can be reached, and nobody walks in a circle
without waiting.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never


class Question(StrEnum):
    """What a branch asks about one person."""

    # The message of a node could not be sent to her, or did not arrive.
    MISSED = "missed"
    # She has followed no link of any message that the graph has sent her so far.
    NOT_CLICKED = "not_clicked"
    # She has not done what it is all for since she began.
    GOAL_NOT_REACHED = "goal_not_reached"


@dataclass(frozen=True, slots=True)
class Send:
    """A touchpoint's message."""

    touchpoint: int
    then: str


@dataclass(frozen=True, slots=True)
class Wait:
    """So many seconds, from the end of an earlier node's sending or from the arrival here."""

    seconds: int
    then: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Two ways, by what is true of the person when she arrives."""

    question: Question
    about: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class End:
    """Nothing comes after."""


Node = Send | Wait | Branch | End


class GraphFaulty(ValueError):
    """A graph that nobody could walk; `fault` and `node` say why."""

    def __init__(self, fault: str, node: str) -> None:
        """Keep what is wrong, and where."""
        super().__init__(f"{fault}: {node}")
        self.fault, self.node = fault, node


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by their keys, and where everybody begins.

    Raises:
        GraphFaulty: It leads nowhere, in a circle without a wait, or has a node out of reach.
    """

    entry: str
    nodes: Mapping[str, Node]

    def __post_init__(self) -> None:
        """Check that it can be walked."""
        for key, node in [("", Wait(0, self.entry)), *self.nodes.items()]:
            for target in ways(node):
                if target not in self.nodes:
                    raise GraphFaulty("leads_nowhere", key or target)
            for other in _asked(node):
                if not isinstance(self.nodes.get(other), Send):
                    raise GraphFaulty("asks_about_no_message", key)
        reached = set(_reached(self.nodes, self.entry))
        if lost := sorted(set(self.nodes) - reached):
            raise GraphFaulty("out_of_reach", lost[0])
        self._refuse_circles()

    def _refuse_circles(self) -> None:
        """Refuse a circle in which nobody would ever wait."""
        done: set[str] = set()

        def walk(key: str, path: tuple[str, ...]) -> None:
            if key in path:
                raise GraphFaulty("circle_without_wait", key)
            if key in done or isinstance(self.nodes[key], Wait):
                return
            for target in ways(self.nodes[key]):
                walk(target, (*path, key))
            done.add(key)

        for key in self.nodes:
            walk(key, ())

    @property
    def definition(self) -> dict[str, Any]:
        """Return it as plain values, to be stored."""
        return {
            "entry": self.entry,
            "nodes": {key: _plain(node) for key, node in self.nodes.items()},
        }


def read_graph(definition: Mapping[str, Any]) -> Graph:
    """Return a graph from its stored definition.

    Raises:
        GraphFaulty: Nobody could walk it.
    """
    nodes: dict[str, Node] = {}
    for key, value in definition["nodes"].items():
        facts = dict(value)
        match facts.pop("kind", None):
            case "send":
                nodes[key] = Send(**facts)
            case "wait":
                nodes[key] = Wait(**facts)
            case "branch":
                nodes[key] = Branch(**{**facts, "question": Question(facts["question"])})
            case "end":
                nodes[key] = End()
            case _:
                raise GraphFaulty("unknown_kind", key)
    return Graph(definition["entry"], nodes)


def ways(node: Node) -> tuple[str, ...]:
    """Return where a node leads."""
    match node:
        case Send(then=then) | Wait(then=then):
            return (then,)
        case Branch(yes=yes, no=no):
            return (yes, no)
        case End():
            return ()
        case _:
            assert_never(node)


def _asked(node: Node) -> tuple[str, ...]:
    match node:
        case Branch(about=about):
            return (about,)
        case Wait(after=after) if after:
            return (after,)
        case _:
            return ()


def _reached(nodes: Mapping[str, Node], entry: str) -> Iterator[str]:
    seen: set[str] = set()
    left = [entry]
    while left:
        key = left.pop()
        if key in seen:
            continue
        seen.add(key)
        yield key
        left.extend(ways(nodes[key]))


def _plain(node: Node) -> dict[str, Any]:
    match node:
        case Send(touchpoint, then):
            return {"kind": "send", "touchpoint": touchpoint, "then": then}
        case Wait(seconds, then, after):
            return {"kind": "wait", "seconds": seconds, "then": then, "after": after}
        case Branch(question, about, yes, no):
            return {
                "kind": "branch",
                "question": question.value,
                "about": about,
                "yes": yes,
                "no": no,
            }
        case End():
            return {"kind": "end"}
        case _:
            assert_never(node)
