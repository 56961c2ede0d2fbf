"""What became of the messages of people in a graph, in a fixed number of queries a page."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.domain.graphs.walking import Facts, MessageFact
from campaigns.domain.sending.states import DispatchStatus, MessageState
from campaigns.models import Dispatch, Message
from campaigns.selectors.sending import refusals
from customers.domain.consents.consent import Purpose
from customers.domain.values.person import MarketingStatus
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Sendings:
    """The dispatches of a graph's nodes in one run.

    Attributes:
        of_node: Each node that has sent, with its dispatch.
        purpose: What the messages are for.
        begun_at: Whoever refused since then hears no more.
    """

    of_node: Mapping[str, Dispatch]
    purpose: Purpose
    begun_at: datetime


def facts_of(customer_ids: Sequence[int], sendings: Sendings) -> dict[int, Facts]:
    """Return the facts of each person; three queries, whatever their number."""
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
    return {
        customer_id: Facts(messages[customer_id], settled_at, customer_id in wanted)
        for customer_id in customer_ids
    }


def _wanted(customer_ids: Sequence[int], sendings: Sendings) -> set[int]:
    """Return who may be written to: live records, open to it, without a refusal since it began."""
    live = Customer.objects.live().filter(pk__any_of=customer_ids)
    if sendings.purpose is Purpose.MARKETING:
        live = live.filter(marketing_status=MarketingStatus.OPEN)
    refused = refusals.of_people(purpose=sendings.purpose, since=sendings.begun_at)
    no = refused.filter(customer_id__any_of=customer_ids).values_list("customer_id", flat=True)
    return set(live.values_list("pk", flat=True)) - set(no)
