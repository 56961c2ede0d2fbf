"""What gates and texts need about the people of one chunk, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Max, Q, Value, When

from campaigns.domain.sending import schedule
from campaigns.domain.sending.eligibility import ContactFacts, MessagePlan, SkipReason
from campaigns.models import Message, MessageVariables, Suppression
from campaigns.selectors.sending import (
    attribute_facts,
    collection_facts,
    global_control,
    past_messages,
    refusals,
)
from customers.domain.consents.consent import Purpose, contact_kind_of
from customers.domain.loans.loan import LoanStatus
from customers.domain.sources import PERSONAL_SOURCES
from customers.models import ContactPoint, Customer, Event, Loan
from customers.selectors import consents, reach, sources

_MESSAGE_COLUMNS = (
    "pk",
    "customer_id",
    "variant_id",
    "is_control",
    "attempts",
    "customer__public_id",
    "customer__name_sealed",
    "customer__gender",
    "customer__province",
    "customer__city",
    "customer__language",
    "customer__time_zone",
    "customer__marketing_status",
    "customer__birth_date",
    "customer__personalisation_allowed",
    "customer__marketing_paused_until",
    "customer__weekly_message_limit",
    "reason",
    "waiting_since",
    "contact_point_id",
    "is_point_named",
)
_PERSON_COLUMNS = tuple(name.removeprefix("customer__") for name in _MESSAGE_COLUMNS[5:17])
_POINT_COLUMNS = (
    *("customer_id", "pk", "row_key", "value_sealed", "value_index", "status"),
    "source",
)
UNKNOWN_ARREARS_DAYS = 999


@dataclass(frozen=True, slots=True)
class SealedText:
    """A sealed value with the key of its row, opened only when a message is written."""

    row_key: UUID
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One message row with what gates and texts need to know about its person.

    Attributes:
        is_doubtful: The provider may have had it already and is asked again with the same key.
        waiting_since: Since when the provider has been too busy for it.
        records: Records that were merged into this person's.
        variables: Values that came with this very message.
    """

    message_id: int
    customer_id: int
    variant_id: int | None
    attempts: int
    language: str
    gender: str
    province: str
    city: str
    name: SealedText | None
    address: SealedText | None
    contact_point_id: int | None
    facts: ContactFacts
    attributes: Mapping[str, Any] = field(default_factory=dict)
    is_doubtful: bool = False
    waiting_since: datetime | None = None
    records: tuple[int, ...] = ()
    variables: SealedText | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    pk: int
    row_key: UUID
    envelope: bytes = field(repr=False)
    value_index: str
    is_active: bool
    source: str


def load_recipients(
    *,
    messages: Q,
    plan: MessagePlan,
    now: datetime,
    attribute_names: Sequence[str] = (),
    has_variables: bool = False,
) -> list[Recipient]:
    """Return the people of the messages that match, ordered by message id.

    Args:
        messages: Which messages; at most about 500.
        attribute_names: Typed attributes that the texts use.
        has_variables: Values came with the messages; asked for only then.
    """
    rows = Message.objects.filter(messages).order_by("pk").values_list(*_MESSAGE_COLUMNS)
    recipients = _with_facts(list(rows), plan, now, attribute_names)
    return _with_variables(recipients) if has_variables else recipients


def _with_variables(recipients: Sequence[Recipient]) -> list[Recipient]:
    ids = [recipient.message_id for recipient in recipients]
    rows = MessageVariables.objects.filter(message_id__any_of=ids)
    given = {
        message_id: SealedText(row_key, bytes(sealed))
        for message_id, row_key, sealed in rows.values_list(
            "message_id", "row_key", "values_sealed"
        )
    }
    return [replace(item, variables=given.get(item.message_id)) for item in recipients]


def load_prospects(
    *,
    customer_ids: Sequence[int],
    plan: MessagePlan,
    now: datetime,
    attribute_names: Sequence[str] = (),
) -> list[Recipient]:
    """Return people as recipients of a message that nobody has planned yet, by their ids.

    Args:
        customer_ids: At most about 500; whoever is in the control group is not known here.
    """
    people = Customer.objects.filter(pk__any_of=customer_ids).order_by("pk")
    rows = [
        (0, pk, None, False, 0, *rest, "", None, None, False)
        for pk, *rest in people.values_list("pk", *_PERSON_COLUMNS)
    ]
    return _with_facts(rows, plan, now, attribute_names)


def _with_facts(
    rows: Sequence[Sequence[Any]],
    plan: MessagePlan,
    now: datetime,
    attribute_names: Sequence[str],
) -> list[Recipient]:
    ids = [row[1] for row in rows]
    named = {row[1]: row[19] for row in rows if row[20]}
    points = _all_points(ids, named, plan.channel)
    consented = _consented(ids, plan, now)
    barred = _source_barred(points, consented, plan, now)
    suppressed = _suppressed(ids, points, plan)
    records = past_messages.records_of(ids)
    sent_already = _sent_already(rows, records, plan)
    at_goal = _at_goal(ids, records, plan)
    past = past_messages.past_sends(ids, plan, now, limits={r[16] for r in rows}, records=records)
    overdue = _overdue(ids)
    students = attribute_facts.students(ids, plan)
    zones = {row[1]: schedule.zone_of(row[11]) for row in rows}
    shared, tries = collection_facts.of_people(points, zones, records, plan, now)
    attributes = attribute_facts.attributes(ids, attribute_names)
    records_by_person = past_messages.by_person(records)
    held_out = global_control.held_out(ids, records_by_person, plan, now)
    recipients: list[Recipient] = []
    for row in rows:
        customer_id = row[1]
        point = points.get(customer_id)
        facts = ContactFacts(
            customer_id=customer_id,
            has_point=point is not None,
            is_point_active=point is not None and point.is_active,
            is_point_named=customer_id in named,
            has_consent=customer_id in consented,
            is_suppressed=customer_id in suppressed,
            marketing_status=row[12],
            birth_date=row[13],
            dpd_days=overdue.get(customer_id, 0),
            personalisation_allowed=row[14],
            zone=schedule.zone_of(row[11]),
            is_control=row[3],
            past_sends=tuple(past.get(customer_id, ())),
            paused_until=row[15],
            weekly_limit=row[16],
            is_source_barred=customer_id in barred,
            is_sent_already=customer_id in sent_already,
            has_reached_goal=customer_id in at_goal,
            is_student=customer_id in students,
            is_address_shared=customer_id in shared,
            collection_tries=tries.get(customer_id, 0),
            is_global_control=customer_id in held_out,
        )
        recipient = _recipient(row, facts, point, attributes.get(customer_id, {}))
        merged = tuple(records_by_person.get(customer_id, ()))
        recipients.append(replace(recipient, records=merged) if merged else recipient)
    return recipients


def _recipient(
    row: Sequence[Any], facts: ContactFacts, point: _Point | None, attributes: Mapping[str, Any]
) -> Recipient:
    """Return one row of `_MESSAGE_COLUMNS` with what was read beside it."""
    return Recipient(
        message_id=row[0],
        customer_id=row[1],
        variant_id=row[2],
        attempts=row[4],
        language=row[10],
        gender=row[7],
        province=row[8],
        city=row[9],
        name=SealedText(row[5], bytes(row[6])) if row[6] else None,
        address=SealedText(point.row_key, point.envelope) if point else None,
        contact_point_id=point.pk if point else None,
        facts=facts,
        attributes=attributes,
        is_doubtful=row[17] == SkipReason.ASKED_AGAIN,
        waiting_since=row[18],
    )


def _all_points(
    customer_ids: Sequence[int], named: Mapping[int, int], channel: str
) -> dict[int, _Point]:
    points = _points([pk for pk in customer_ids if pk not in named], channel)
    return {**points, **_named_points(named, channel)} if named else points


def _points(customer_ids: Sequence[int], channel: str) -> dict[int, _Point]:
    rows = reach.points(channel).filter(customer_id__any_of=customer_ids)
    return dict(map(_point, rows.values_list(*_POINT_COLUMNS)))


def _named_points(named: Mapping[int, int], channel: str) -> dict[int, _Point]:
    """Return the addresses that were named with the messages, of those whose they still are.

    Args:
        named: {customer: contact point}. By its value, which the record that a person's was merged
            into may have had already.
    """
    values = dict(
        ContactPoint.objects.filter(pk__any_of=list(named.values())).values_list(
            "pk", "value_index"
        )
    )
    rows = ContactPoint.objects.filter(
        customer_id__any_of=list(named),
        kind=contact_kind_of(channel),
        value_index__any_of=list(values.values()),
    )
    found = map(_point, rows.values_list(*_POINT_COLUMNS))
    return {
        customer_id: point
        for customer_id, point in found
        if point.value_index == values.get(named[customer_id])
    }


def _point(row: Sequence[Any]) -> tuple[int, _Point]:
    """Return one row of `_POINT_COLUMNS` with whose it is."""
    customer_id, pk, row_key, sealed, index, status, source = row
    is_usable = reach.is_usable(status)
    return customer_id, _Point(pk, row_key, bytes(sealed), index, is_usable, source)


def _consented(customer_ids: Sequence[int], plan: MessagePlan, now: datetime) -> Mapping[int, str]:
    """Return {customer: who told us} of the consents in force."""
    granted = consents.in_force(now=now, channel=plan.channel, purpose=plan.purpose)
    rows = granted.filter(customer_id__any_of=customer_ids, changed_at__lte=now)
    return dict(rows.values_list("customer_id", "source"))


def _source_barred(
    points: Mapping[int, _Point], consented: Mapping[int, str], plan: MessagePlan, now: datetime
) -> set[int]:
    """Return whose consent or address came from a source that does not allow the purpose.

    An address stands when another source that may be used has handed in the person too, or when the
    person agreed to us directly. One query; a second only where somebody depends on it.
    """
    if plan.purpose is not Purpose.MARKETING:
        return set()
    barred = sources.barred(plan.purpose, today=now.astimezone(plan.company_zone).date())
    if not barred:
        return set()
    found = {customer_id for customer_id, source in consented.items() if source in barred}
    borrowed = [
        customer_id
        for customer_id, point in points.items()
        if point.source in barred and consented.get(customer_id) not in PERSONAL_SOURCES
    ]
    return found | (set(borrowed) - sources.vouched_for(borrowed, barred=barred))


def _suppressed(
    customer_ids: Sequence[int], points: Mapping[int, _Point], plan: MessagePlan
) -> set[int]:
    people_of: dict[str, list[int]] = defaultdict(list)
    for customer_id, point in points.items():
        if point.value_index:
            people_of[point.value_index].append(customer_id)
    # Said once more that none is blank: the index of values holds no others, and without it every
    # chunk would read the whole stop list.
    is_value_stopped = Q(value_index__any_of=list(people_of)) & ~Q(value_index="")
    rows = Suppression.objects.filter(
        Q(customer_id__any_of=customer_ids) | is_value_stopped,
        channel__in=["", plan.channel],
        purpose__in=["", plan.purpose],
        lifted_at__isnull=True,
    ).values_list("customer_id", "value_index")
    found: set[int] = set()
    for customer_id, value_index in rows:
        if customer_id is not None:
            found.add(customer_id)
        found.update(people_of.get(value_index, ()))
    if plan.refusals_since is not None:
        refused = refusals.of_people(purpose=plan.purpose, since=plan.refusals_since)
        found.update(
            refused.filter(customer_id__any_of=customer_ids).values_list("customer_id", flat=True)
        )
    return found


def _sent_already(
    rows: Sequence[Sequence[Any]], records: Mapping[int, int], plan: MessagePlan
) -> set[int]:
    """Return who has had the message: under a merged record, or by the message before."""
    had = past_messages.sent_already(records=records, message_id=rows[0][0]) if rows else set()
    if plan.before_id is not None:
        ids = [row[1] for row in rows]
        had |= past_messages.reached_before(customer_ids=ids, dispatch_id=plan.before_id)
    return had


def _at_goal(
    customer_ids: Sequence[int], records: Mapping[int, int], plan: MessagePlan
) -> set[int]:
    """Return who has done what the campaign is for since its audience was frozen.

    What stands under a record that was merged into a person's is the person's.
    """
    if plan.goal_since is None or not customer_ids:
        return set()
    rows = Event.objects.filter(
        customer_id__any_of=[*customer_ids, *records],
        occurred_at__gte=plan.goal_since,
        type__name=plan.goal_event,
    )
    return {records.get(pk, pk) for pk in rows.values_list("customer_id", flat=True)}


def _overdue(customer_ids: Sequence[int]) -> dict[int, int]:
    # A loan that its source reports as overdue without saying since when counts as long overdue.
    days = Case(
        When(
            status__in=[LoanStatus.OVERDUE, LoanStatus.CHARGED_OFF],
            is_state_reported=True,
            then=Value(UNKNOWN_ARREARS_DAYS),
        ),
        default=F("dpd_days"),
    )
    rows = (
        Loan.objects.filter(
            customer_id__any_of=customer_ids,
            status__in=[LoanStatus.ACTIVE, LoanStatus.OVERDUE, LoanStatus.CHARGED_OFF],
        )
        .values_list("customer_id")
        .annotate(most=Max(days))
    )
    return {customer_id: most for customer_id, most in rows if most > 0}
