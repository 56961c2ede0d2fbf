"""What became of the messages of people in a graph, in a fixed number of queries a page."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.domain.graphs.graph import Question
from campaigns.domain.graphs.walking import Facts, MessageFact
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Dispatch, LinkVisit, Message
from campaigns.selectors.sending import past_messages, refusals
from customers.domain.consents.consent import Purpose
from customers.domain.values.person import MarketingStatus
from customers.models import Customer, Event


@dataclass(frozen=True, slots=True)
class Sendings:
    """The dispatches of a graph's nodes in one run.

    Attributes:
        of_node: Each node that has sent, with its dispatch.
        purpose: What the messages are for.
        begun_at: Whoever refused since then hears no more.
        goal_event: What it is all for.
        goal_since: Since when that counts.
    """

    of_node: Mapping[str, Dispatch]
    purpose: Purpose
    begun_at: datetime
    goal_event: str = ""
    goal_since: datetime | None = None


def facts_of(
    customer_ids: Sequence[int], sendings: Sendings, questions: Collection[Question] = ()
) -> dict[int, Facts]:
    """Return the facts of each person; three queries, whatever their number.

    Args:
        questions: What branches ask; each about behaviour is another query, and one for records
            that were merged into these people's.
    """
    node_of = {dispatch.pk: node for node, dispatch in sendings.of_node.items()}
    settled_at = {
        node: dispatch.completed_at
        for node, dispatch in sendings.of_node.items()
        if dispatch.status == DispatchStatus.COMPLETED and dispatch.completed_at is not None
    }
    messages: dict[int, dict[str, MessageFact]] = defaultdict(dict)
    rows = Message.objects.filter(dispatch__in=list(node_of), customer_id__any_of=customer_ids)
    for customer_id, dispatch_id, state, reason, is_control in rows.values_list(
        "customer_id", "dispatch_id", "state", "reason", "is_control"
    ):
        fact = MessageFact(MessageState(state), reason, is_control)
        messages[customer_id][node_of[dispatch_id]] = fact
    wanted = _wanted(customer_ids, sendings)
    clicked, at_goal = _behaved(customer_ids, sendings, questions)
    return {
        customer_id: Facts(
            messages[customer_id],
            settled_at,
            customer_id in wanted,
            has_clicked=customer_id in clicked,
            is_at_goal=customer_id in at_goal,
        )
        for customer_id in customer_ids
    }


def _behaved(
    customer_ids: Sequence[int], sendings: Sendings, questions: Collection[Question]
) -> tuple[set[int], set[int]]:
    """Return who has followed a link, and who is at the goal, by whichever record of theirs."""
    if not {Question.NOT_CLICKED, Question.GOAL_NOT_REACHED} & set(questions):
        return set(), set()
    records = past_messages.records_of(customer_ids)
    ids = [*customer_ids, *records]
    clicked: set[int] = set()
    if Question.NOT_CLICKED in questions:
        visits = LinkVisit.objects.filter(
            message__dispatch__in=[run.pk for run in sendings.of_node.values()],
            message__customer_id__any_of=ids,
            is_bot=False,
        )
        found = visits.values_list("message__customer_id", flat=True)
        clicked = {records.get(pk, pk) for pk in found}
    at_goal: set[int] = set()
    if Question.GOAL_NOT_REACHED in questions and sendings.goal_since is not None:
        events = Event.objects.filter(
            customer_id__any_of=ids,
            type__name=sendings.goal_event,
            occurred_at__gte=sendings.goal_since,
        )
        at_goal = {records.get(pk, pk) for pk in events.values_list("customer_id", flat=True)}
    return clicked, at_goal


def _wanted(customer_ids: Sequence[int], sendings: Sendings) -> set[int]:
    """Return who may be written to: live records, open to it, without a refusal since it began."""
    live = Customer.objects.live().filter(pk__any_of=customer_ids)
    if sendings.purpose is Purpose.MARKETING:
        live = live.filter(marketing_status=MarketingStatus.OPEN)
    refused = refusals.of_people(purpose=sendings.purpose, since=sendings.begun_at)
    no = refused.filter(customer_id__any_of=customer_ids).values_list("customer_id", flat=True)
    return set(live.values_list("pk", flat=True)) - set(no)
