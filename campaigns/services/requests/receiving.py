"""A call of the lender's own systems: its good rows become a dispatch, the others hear why not.

Nobody is made a customer by a message, and nobody is written to whom the lender does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.partners.contract import Fault
from campaigns.domain.requests.call import RequestPriority, RowCode, naming_faults, value_faults
from campaigns.models import Message, MessageRequest, MessageTemplate, Partner, RequestedMessage
from campaigns.selectors.requests import templates
from campaigns.services.requests import plans
from campaigns.services.sending import freezing, own_values
from campaigns.services.sending.freezing import Experiment
from customers.domain.sources import SourceKind
from customers.domain.values.contact import ContactKind
from customers.domain.values.emails import parse_email
from customers.models import Customer
from customers.selectors.identity import named_people
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.phones import parse_phone


class NotOwnSystem(LoanCrmError):
    """Only the lender's own systems may have messages sent."""

    code = "not_own_system"


class TemplateNotFound(LoanCrmError):
    """There is no template of this slug."""

    code = "template_not_found"


class TemplateNotUsable(LoanCrmError):
    """The template is switched off, or not approved as it stands."""

    code = "template_not_usable"


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a call and what the message says to them alone.

    Attributes:
        index: Position in the call.
        customer: Public id; or the person is named by `phone` or `email`.
        reference: The caller's own name for the message.
    """

    index: int
    customer: UUID | None = None
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row that became a message."""

    index: int
    message_id: UUID
    reference: str
    state: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that became nothing, and why; a fault quotes no value."""

    index: int
    reference: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a call; without a good row there is no request."""

    request: MessageRequest | None
    accepted: Sequence[Accepted]
    refused: Sequence[Refused]


@transaction.atomic
def receive(
    *,
    partner: Partner,
    template_slug: str,
    priority: RequestPriority,
    rows: Sequence[Row],
    actor: Actor,
    now: datetime,
) -> Received:
    """Plan a message for every good row of a call and say for each row what became of it.

    The messages pass every gate when they are sent: accepted is not yet allowed.

    Args:
        rows: At most 500.

    Raises:
        NotOwnSystem: The partner is no system of the lender's own.
        TemplateNotFound: There is no such template.
        TemplateNotUsable: It is switched off, or not approved as it stands.
        SendingUnconfirmed: Nothing may be planned until a person has confirmed the deployment.
    """
    require_own_system(partner)
    template = _usable(template_slug)
    people = _people(rows)
    good: dict[int, Row] = {}
    refused: list[Refused] = []
    for row in rows:
        faults = _faults(row, template, people.get(row.index), good)
        if faults:
            refused.append(Refused(row.index, row.reference, faults))
        else:
            good[people[row.index]] = row
    if not good:
        return Received(None, (), refused)
    request, accepted = _store(partner, template, priority, good, now)
    audit.record(
        actor=actor,
        action="messages.requested",
        object_type=audit.type_of(request),
        object_id=request.pk,
        now=now,
        facts={"template": template.slug, "accepted": len(accepted), "refused": len(refused)},
    )
    enqueue(jobs.TICK)
    return Received(request, accepted, refused)


def require_own_system(partner: Partner) -> None:
    """Refuse whoever is not a system of the lender's own.

    Raises:
        NotOwnSystem: The partner is another company, or its data source was made another kind.
    """
    if partner.data_source.kind != SourceKind.OWN_SYSTEM:
        raise NotOwnSystem(_("Only systems of the lender's own may have messages sent."))


def _usable(slug: str) -> MessageTemplate:
    # Not locked, so that calls do not wait for each other: what is changed at the same moment is
    # held by the worker, who compares it with what was approved.
    rows = MessageTemplate.objects.filter(slug=slug)
    template = rows.select_related("touchpoint__channel").first()
    if template is None:
        raise TemplateNotFound(_("There is no message template of this name."))
    channel = template.channel
    if not template.is_active or channel is None or not channel.is_active:
        raise TemplateNotUsable(_("The template or its channel is switched off."))
    if not templates.is_approved(template):
        raise TemplateNotUsable(_("The template is not approved as it stands."))
    return template


def _people(rows: Iterable[Row]) -> dict[int, int]:
    """Return {row: customer} of the rows that name a person whom the lender knows."""
    by_id: dict[int, UUID] = {}
    by_point: dict[int, tuple[ContactKind, str]] = {}
    for row in rows:
        if row.customer is not None:
            by_id[row.index] = row.customer
        elif (point := _point(row)) is not None:
            by_point[row.index] = point
    known = named_people.by_public_id(set(by_id.values()))
    indexes = {
        kind: {index for found, index in by_point.values() if found is kind}
        for kind in {kind for kind, _index in by_point.values()}
    }
    owners = named_people.by_address(indexes)
    return {
        **{row: known[public_id] for row, public_id in by_id.items() if public_id in known},
        **{row: owners[point] for row, point in by_point.items() if point in owners},
    }


def _point(row: Row) -> tuple[ContactKind, str] | None:
    try:
        if row.phone:
            return ContactKind.PHONE, named_people.index_of(parse_phone(row.phone).e164)
        if row.email:
            return ContactKind.EMAIL, named_people.index_of(parse_email(row.email))
    except ValueError:
        # What is no address is nobody's.
        return None
    return None


def _faults(
    row: Row, template: MessageTemplate, customer_id: int | None, good: Mapping[int, Row]
) -> tuple[Fault, ...]:
    told = {"customer": row.customer, "phone": row.phone, "email": row.email}
    naming = naming_faults(told)
    if not naming:
        name = next(name for name, value in told.items() if value)
        if customer_id is None:
            naming = (Fault(RowCode.UNKNOWN_CUSTOMER, name),)
        elif customer_id in good:
            naming = (Fault(RowCode.DUPLICATE_CUSTOMER, name),)
    values = value_faults(row.variables, declared=template.variables, purpose=template.purpose)
    return (*naming, *values)


def _store(
    partner: Partner,
    template: MessageTemplate,
    priority: RequestPriority,
    good: Mapping[int, Row],
    now: datetime,
) -> tuple[MessageRequest, list[Accepted]]:
    dispatch = freezing.freeze(
        plan=plans.plan_request(template=template, priority=priority, due_at=now),
        audience=Customer.objects.filter(pk__in=list(good)),
        experiment=Experiment(salt=uuid4()),
        now=now,
    )
    request = MessageRequest.objects.create(
        partner=partner,
        template=template,
        dispatch=dispatch,
        priority=priority,
        received_at=now,
    )
    messages = Message.objects.filter(dispatch=dispatch).in_bulk(field_name="pk")
    asked = [
        RequestedMessage(
            request=request,
            message=message,
            position=good[message.customer_id].index,
            reference=good[message.customer_id].reference,
        )
        for message in messages.values()
    ]
    RequestedMessage.objects.bulk_create(asked)
    if template.variables:
        values = {pk: good[row.customer_id].variables for pk, row in messages.items()}
        own_values.keep(values=values, now=now)
    return request, [
        Accepted(item.position, item.public_id, item.reference, item.message.state)
        for item in sorted(asked, key=lambda item: item.position)
    ]
