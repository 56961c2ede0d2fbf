"""Moving people along a graph, page by page, as far as each gets now.

The rows of a page are locked from the look to the write, so that nobody is moved twice and no merge
comes between.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import F, QuerySet, Value

from campaigns.domain.graphs.graph import Branch, Graph, read_graph
from campaigns.domain.graphs.walking import GraphPosition, Leaving, Move, advance
from campaigns.models import Enrolment, Message, MessageGraph, Passage
from campaigns.selectors.graphs import walkers
from campaigns.selectors.graphs.walkers import Sendings
from customers.models import Customer
from loancrm.kernel.database import bulk

PAGE = 2_000
_Row = tuple[int, int, str, datetime]


def store_graph(*, graph: Graph, now: datetime) -> MessageGraph:
    """Store a graph for those who are about to walk it."""
    return MessageGraph.objects.create(definition=graph.definition, created_at=now)


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
) -> None:
    """Move those who stand at some nodes, all of them, in the caller's transaction.

    What is decided from these moves has to be decided in the same transaction: a message whose
    fate becomes known a moment later would find its person gone.

    Args:
        nodes: Where to look for people who may get further.
    """
    walked = read_graph(graph.definition)
    standing = at_nodes(graph=graph, run_number=run_number, nodes=nodes).order_by("pk")
    last = 0
    while True:
        # Locked, so that no merge hands a row to another record between the look and the write.
        page = standing.filter(pk__gt=last).select_for_update()
        rows = list(page.values_list("pk", "customer_id", "node", "entered_at")[:PAGE])
        if not rows:
            return
        last = rows[-1][0]
        _move_page(walked, rows, sendings, now)


def end_all(*, graph: MessageGraph | None, now: datetime) -> None:
    """Let everybody who still walks a graph leave it: what it belongs to is over."""
    if graph is not None:
        Enrolment.objects.filter(graph=graph, left_at__isnull=True).update(
            left_at=now, leave_reason=Leaving.OVER
        )


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
    branches = (node for node in graph.nodes.values() if isinstance(node, Branch))
    questions = {branch.question for branch in branches}
    facts = walkers.facts_of([row[1] for row in rows], sendings, questions)
    moves = {
        pk: advance(graph, GraphPosition(node, since), facts[customer_id], now)
        for pk, customer_id, node, since in rows
    }
    _write_moves({pk: made for pk, made in moves.items() if _is_change(made)}, now)


def _is_change(move: Move) -> bool:
    return bool(move.passages) or move.leaves is not None


def _write_moves(moves: dict[int, Move], now: datetime) -> None:
    bulk.update_rows(
        Enrolment,
        key="id",
        columns=("node", "entered_at", "left_at", "leave_reason"),
        rows=[
            (
                pk,
                made.position.node,
                made.position.since,
                now if made.leaves else None,
                made.leaves.value if made.leaves else "",
            )
            for pk, made in moves.items()
        ],
    )
    Passage.objects.bulk_create(
        (
            Passage(enrolment_id=pk, node=passage.node, way=passage.way, at=now)
            for pk, made in moves.items()
            for passage in made.passages
        ),
        batch_size=2_000,
    )
