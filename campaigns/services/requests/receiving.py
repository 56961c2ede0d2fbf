"""A call of the lender's own systems: its good rows become a dispatch, the others hear why not.

Nobody is made a customer by a message, and nobody is written to whom the lender does not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.compliance.rules import RulesInForce
from campaigns.domain.partners.contract import ItemFault
from campaigns.domain.requests.call import RequestPriority, RowCode, naming_faults, value_faults
from campaigns.models import Message, MessageRequest, MessageTemplate, Partner, RequestedMessage
from campaigns.selectors.content.rules import rules_at
from campaigns.selectors.requests import templates
from campaigns.services.partners.own_systems import require_own_system
from campaigns.services.requests import plans
from campaigns.services.sending import freezing, own_values
from campaigns.services.sending.freezing import Experiment
from customers.domain.consents.consent import contact_kind_of
from customers.domain.values.contact import ContactKind
from customers.domain.values.emails import parse_email
from customers.models import Customer
from customers.selectors.identity import named_people
from customers.selectors.identity.named_people import NamedPerson
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import AdmittedBy, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue
from loancrm.kernel.phones import parse_phone

_BY_SCOPE = AdmittedBy("the scope of the system's token")


class TemplateNotFound(LoanCrmError):
    """There is no template of this slug."""

    code = "template_not_found"


class TemplateNotUsable(LoanCrmError):
    """The template is switched off, or not approved as it stands."""

    code = "template_not_usable"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One person of a call and what the message says to them alone.

    Attributes:
        index: Position in the call.
        customer: Public id; or the person is named by `phone` or `email`, which is then written to
            and no other address.
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
    faults: tuple[ItemFault, ...]


@dataclass(frozen=True, slots=True)
class RequestResult:
    """What became of a call; without a good row there is no request."""

    request: MessageRequest | None
    accepted: Sequence[Accepted]
    refused: Sequence[Refused]


def receive(
    *,
    partner: Partner,
    template_slug: str,
    priority: RequestPriority,
    rows: Sequence[RequestRow],
    actor: Actor,
    now: datetime,
) -> RequestResult:
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
    act = acting(actor, _BY_SCOPE, on=partner, now=now)
    require_own_system(partner)
    template = _usable(template_slug)
    people = _people(rows)
    rules = rules_at(now)
    good: dict[int, RequestRow] = {}
    points: dict[int, int] = {}
    refused: list[Refused] = []
    for row in rows:
        person = people.get(row.index)
        faults = _faults(row, template, person, good, rules)
        if faults or person is None:
            refused.append(Refused(row.index, row.reference, faults))
        else:
            good[person.customer_id] = row
            if person.contact_point_id is not None:
                points[person.customer_id] = person.contact_point_id
    if not good:
        return RequestResult(None, (), refused)
    with act:
        request, accepted = _store(partner, template, priority, good, points, now)
        counts = {"accepted": len(accepted), "refused": len(refused)}
        act.record("messages.requested", on=request, facts={"template": template.slug, **counts})
        enqueue(jobs.TICK)
    return RequestResult(request, accepted, refused)


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


def _people(rows: Iterable[RequestRow]) -> dict[int, NamedPerson]:
    """Return {row: person} of the rows that name a person whom the lender knows."""
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
        **{
            row: NamedPerson(known[public_id], None)
            for row, public_id in by_id.items()
            if public_id in known
        },
        **{row: owners[point] for row, point in by_point.items() if point in owners},
    }


def _point(row: RequestRow) -> tuple[ContactKind, str] | None:
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
    row: RequestRow,
    template: MessageTemplate,
    person: NamedPerson | None,
    good: Mapping[int, RequestRow],
    rules: RulesInForce,
) -> tuple[ItemFault, ...]:
    told = {"customer": row.customer, "phone": row.phone, "email": row.email}
    naming = naming_faults(told)
    if not naming:
        name = next(name for name, value in told.items() if value)
        if name not in ("customer", _address_of(template)):
            naming = (ItemFault(RowCode.ADDRESS_OF_OTHER_CHANNEL, name),)
        elif person is None:
            naming = (ItemFault(RowCode.UNKNOWN_CUSTOMER, name),)
        elif person.customer_id in good:
            naming = (ItemFault(RowCode.DUPLICATE_CUSTOMER, name),)
    values = value_faults(
        row.variables, declared=template.variables, purpose=template.purpose, rules=rules
    )
    return (*naming, *values)


def _address_of(template: MessageTemplate) -> str:
    """Return the kind of address that the template's channel writes to."""
    channel = template.channel
    return contact_kind_of(channel.kind) if channel else ""


def _store(
    partner: Partner,
    template: MessageTemplate,
    priority: RequestPriority,
    good: Mapping[int, RequestRow],
    points: Mapping[int, int],
    now: datetime,
) -> tuple[MessageRequest, list[Accepted]]:
    dispatch = freezing.freeze(
        plan=plans.plan_request(template=template, priority=priority, due_at=now),
        audience=Customer.objects.filter(pk__in=list(good)),
        experiment=Experiment(salt=uuid4()),
        points=points,
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
        own_values.write_own_values(values=values, now=now)
    return request, [
        Accepted(item.position, item.public_id, item.reference, item.message.state)
        for item in sorted(asked, key=lambda item: item.position)
    ]
