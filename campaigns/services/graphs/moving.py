"""Moving people along a graph, page by page, as far as each gets now.

A page is one transaction. Whoever was moved by somebody else meanwhile stays where that one put
her: every write holds only where the person still stands where she was read.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet, Value

from campaigns.domain.graphs.graph import Graph, read_graph
from campaigns.domain.graphs.walking import Move, Position, advance
from campaigns.models import Enrolment, Message, MessageGraph, Passage
from campaigns.selectors.graphs import walkers
from campaigns.selectors.graphs.walkers import Sendings
from customers.models import Customer
from loancrm.kernel.database import bulk

PAGE = 2_000
_Row = tuple[int, int, str, datetime]


def store_graph(*, graph: Graph, now: datetime) -> MessageGraph:
    """Store a graph for those who are about to walk it."""
    return MessageGraph.objects.create(
        definition=graph.definition, digest=graph.digest, created_at=now
    )


def enrol(*, graph: MessageGraph, dispatch_id: int, run_number: int) -> int:
    """Let everybody in the first dispatch of a run begin at the graph's entry; return how many."""
    columns = {
        "graph": Value(graph.pk),
        "run_number": Value(run_number),
        "customer": F("customer_id"),
        "node": Value(graph.definition["entry"]),
        "entered_at": F("planned_at"),
        "leave_reason": Value(""),
    }
    rows = Message.objects.filter(dispatch_id=dispatch_id).order_by("pk")
    return bulk.insert_select(Enrolment, rows, columns)


def move(
    *,
    graph: MessageGraph,
    run_number: int,
    nodes: Collection[str],
    sendings: Sendings,
    now: datetime,
    pages: int,
) -> bool:
    """Move those who stand at some nodes; return whether all of them were looked at.

    Args:
        nodes: Where to look for people who may get further.
        pages: After so many pages the rest is left for the next call.
    """
    walked = read_graph(graph.definition)
    standing = at_nodes(graph=graph, run_number=run_number, nodes=nodes).order_by("pk")
    last = 0
    for _page in range(pages):
        rows = list(
            standing.filter(pk__gt=last).values_list("pk", "customer_id", "node", "entered_at")[
                :PAGE
            ]
        )
        if not rows:
            return True
        last = rows[-1][0]
        _move_page(walked, rows, sendings, now)
    return not standing.filter(pk__gt=last).exists()


def at_nodes(
    *, graph: MessageGraph, run_number: int, nodes: Collection[str]
) -> QuerySet[Enrolment]:
    """Return those who stand at some nodes of a graph."""
    return Enrolment.objects.filter(
        graph=graph, run_number=run_number, node__in=list(nodes), left_at__isnull=True
    )


def people_at(*, graph: MessageGraph, run_number: int, node: str) -> QuerySet[Customer]:
    """Return the customers who stand at a node, in one query."""
    standing = at_nodes(graph=graph, run_number=run_number, nodes=[node])
    return Customer.objects.live().filter(pk__in=standing.values("customer_id"))


def _move_page(graph: Graph, rows: Sequence[_Row], sendings: Sendings, now: datetime) -> None:
    facts = walkers.facts_of([row[1] for row in rows], sendings)
    moves = {
        pk: advance(graph, Position(node, since), facts[customer_id], now)
        for pk, customer_id, node, since in rows
    }
    before = {pk: node for pk, _customer_id, node, _since in rows}
    with transaction.atomic():
        for node in set(before.values()):
            moved = {pk: moves[pk] for pk in moves if before[pk] == node and _is_change(moves[pk])}
            _write_moves(node, moved, now)


def _is_change(move: Move) -> bool:
    return bool(move.passages) or move.leaves is not None


def _write_moves(node: str, moves: dict[int, Move], now: datetime) -> None:
    written = bulk.update_rows(
        Enrolment,
        key="id",
        columns=("node", "entered_at", "due_at", "left_at", "leave_reason"),
        rows=[
            (
                pk,
                move.position.node,
                move.position.since,
                move.due_at,
                now if move.leaves else None,
                move.leaves.value if move.leaves else "",
            )
            for pk, move in moves.items()
        ],
        # Somebody else may have moved them since they were read.
        where={"node": node},
    )
    Passage.objects.bulk_create(
        (
            Passage(enrolment_id=pk, node=passage.node, way=passage.way, at=now)
            for pk in written
            for passage in moves[pk].passages
        ),
        batch_size=2_000,
    )
