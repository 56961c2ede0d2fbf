"""Why somebody got a message of a campaign, or none: what is stored about the choice and the way.

Nothing here says who the person is. What was decided is read from what was written down then; what
the conditions say is asked anew, for that moment as far as it is known, and for now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from campaigns.domain.evidence.gates import GateLine, gate_lines
from campaigns.models import Campaign, Dispatch, LinkVisit, Message, Receipt
from campaigns.selectors.evidence import texts
from campaigns.selectors.evidence.texts import SentText
from customers.models import Customer, SegmentVersion
from customers.selectors.segments import one_customer
from customers.selectors.segments.one_customer import ConditionStand
from customers.selectors.segments.references import SegmentRuleInvalid

# A campaign that runs every day has more; the newest are asked about.
MOST_MESSAGES = 10
_PERSON = ""
_MARKED = "marked"


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One report about a message."""

    kind: str
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class VisitLine:
    """How often one link of a message was opened, by machines too and by people.

    Attributes:
        signs: What told machines' visits from people's, each once.
    """

    target: str
    raw: int
    clean: int
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageReason:
    """One message and its way through gates, provider and receipts."""

    message: Message
    gates: Sequence[GateLine]
    texts: Sequence[SentText]
    receipts: Sequence[ReceiptLine]
    visits: Sequence[VisitLine]


@dataclass(frozen=True, slots=True)
class Reasons:
    """All that is known of why.

    Attributes:
        messages: The newest first, under the person's own record and those merged into it.
        version: The rule that chose the people, or would now.
        moment: When they were chosen; None before the launch.
        conditions: How the rule's conditions stand; empty where nobody can read them any more.
        is_rule_lost: It names what is not there any more.
    """

    messages: Sequence[MessageReason]
    version: SegmentVersion | None
    moment: datetime | None
    conditions: Sequence[ConditionStand]
    is_rule_lost: bool = False

    @property
    def failing_now(self) -> list[ConditionStand]:
        """Return the conditions that do not hold now."""
        return [one for one in self.conditions if not one.holds]

    @property
    def failed_then(self) -> list[ConditionStand]:
        """Return the conditions that are known not to have held when the people were chosen."""
        return [one for one in self.conditions if one.held is False]


def reasons_of(
    *, campaign: Campaign, customer: Customer, now: datetime, zone: ZoneInfo, language: str
) -> Reasons:
    """Return why a customer got or did not get a campaign's messages."""
    rows = _messages(Q(dispatch__campaign=campaign), customer)
    dispatch = rows[0].dispatch if rows else _first_dispatch(campaign)
    version = dispatch.segment_version if dispatch else None
    if version is None and campaign.segment is not None:
        version = campaign.segment.current_version
    moment = dispatch.frozen_at if dispatch else None
    conditions: list[ConditionStand] = []
    is_lost = False
    if version is not None:
        try:
            conditions = one_customer.conditions_of(
                version=version,
                customer_id=customer.pk,
                moment=moment or now,
                now=now,
                zone=zone,
                language=language,
            )
        except SegmentRuleInvalid:
            is_lost = True
    return Reasons(_with_all(rows), version, moment, conditions, is_lost)


def reasons_of_message(message: Message) -> Reasons:
    """Return the way of one message that belongs to no campaign."""
    return Reasons(_with_all([message]), None, None, ())


def _messages(wanted: Q, customer: Customer) -> list[Message]:
    people = Customer.objects.filter(Q(pk=customer.pk) | Q(merged_into=customer)).values("pk")
    rows = Message.objects.filter(wanted, customer__in=people).select_related(
        "dispatch__channel", "dispatch__segment_version__segment", "dispatch__step", "variant"
    )
    return list(rows.order_by("-dispatch__due_at", "-pk")[:MOST_MESSAGES])


def _first_dispatch(campaign: Campaign) -> Dispatch | None:
    rows = campaign.dispatches.filter(frozen_at__isnull=False)
    return rows.select_related("segment_version__segment").order_by("frozen_at", "pk").first()


def _with_all(rows: Sequence[Message]) -> list[MessageReason]:
    ids = [row.pk for row in rows]
    receipts: dict[int, list[ReceiptLine]] = {key: [] for key in ids}
    for message_id, kind, at, detail in (
        Receipt.objects.filter(message__in=ids)
        .order_by("occurred_at", "pk")
        .values_list("message_id", "kind", "occurred_at", "detail")
    ):
        if message_id is not None:
            receipts[message_id].append(ReceiptLine(kind, at, detail))
    visits = _visits(ids)
    kept = texts.texts_of_all(rows)
    return [
        MessageReason(
            row,
            gate_lines(state=row.state, reason=row.reason, was_tried=row.attempted_at is not None),
            kept[row.pk],
            receipts[row.pk],
            visits[row.pk],
        )
        for row in rows
    ]


def _visits(ids: Sequence[int]) -> dict[int, list[VisitLine]]:
    """Return how often the links of messages were opened, and by whom; one query."""
    counts: dict[tuple[int, str], dict[str, int]] = {}
    for message_id, target, is_bot, sign, count in (
        LinkVisit.objects.filter(message__in=ids)
        .values_list("message_id", "link__target", "is_bot", "sign")
        .annotate(count=Count("pk"))
        .order_by("message_id", "link__target", "sign")
    ):
        of_link = counts.setdefault((message_id, target), {})
        key = (sign or _MARKED) if is_bot else _PERSON
        of_link[key] = of_link.get(key, 0) + count
    found: dict[int, list[VisitLine]] = {key: [] for key in ids}
    for (message_id, target), of_link in counts.items():
        clean = of_link.pop(_PERSON, 0)
        found[message_id].append(
            VisitLine(target, clean + sum(of_link.values()), clean, tuple(of_link))
        )
    return found
