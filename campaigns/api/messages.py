"""Messages that the lender's own systems have sent: asked for, and looked after."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api import structs
from campaigns.api.calls import WriteView, decode_items, json_reply, key_parameter
from campaigns.api.texts import item_errors
from campaigns.domain.partners.contract import ItemFault, ItemOutcome, LeadStatus, TokenScope
from campaigns.domain.requests.call import RequestPriority
from campaigns.domain.sending.states import MessageState
from campaigns.models import Partner
from campaigns.selectors.requests import states
from campaigns.services.partners import own_systems
from campaigns.services.partners.idempotency import Reply
from campaigns.services.requests import receiving
from campaigns.services.requests.receiving import Accepted, Refused, RequestResult, RequestRow
from loancrm.api.errors import FieldsInvalid
from loancrm.api.rendering import decode, read_body
from loancrm.api.views import PartnerView
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError


class MessageRequestNotFound(LoanCrmError):
    """The client has no such request."""

    code = "message_request_not_found"


class MessagesView(WriteView):
    """Messages of one template."""

    required_scopes = [TokenScope.MESSAGES_WRITE.value]
    key_required = True

    @extend_schema(
        operation_id="create_messages",
        parameters=[key_parameter(required=True)],
        request=structs.MessageCall,
        responses={202: structs.MessageCallReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Have up to 500 messages sent; good ones are accepted, others refused by index.

        Where none is good nothing is stored, and the call is refused with the faults of all.
        """
        # Before anything is replayed: who is no own system any more reads no reply of earlier.
        own_systems.require_own_system(self.partner)
        body = read_body(request)
        call = decode(body, structs.RawMessageCall)
        return self.write(request, body, lambda: self._store(call))

    def _store(self, call: structs.RawMessageCall) -> Reply | LoanCrmError:
        good, malformed = decode_items(call.messages, structs.MessageIn)
        received = receiving.receive(
            partner=self.partner,
            template_slug=call.template,
            priority=call.priority,
            rows=[_row_of(index, message) for index, message in good],
            actor=self.actor,
            now=clock.now(),
        )
        refused = [*received.refused, *map(_refused_of, malformed)]
        if received.request is None:
            return FieldsInvalid(item_errors(_of_call(refused)))
        return json_reply(_reply_of(received, refused), status=202)


class MessageRequestView(PartnerView):
    """One request of the client's own."""

    partner: Partner
    required_scopes = [TokenScope.MESSAGES_WRITE.value]

    @extend_schema(operation_id="read_message_request", responses={200: structs.MessageRequestOut})
    def get(self, request: Request, request_id: UUID) -> Response:
        """Read where the messages of a request stand; another client's does not exist."""
        own_systems.require_own_system(self.partner)
        found = states.own_request(partner=self.partner, request_id=request_id)
        if found is None:
            raise MessageRequestNotFound(_("You have no such request."))
        return Response(
            structs.MessageRequestOut(
                request_id=found.public_id,
                template=found.template.slug,
                priority=RequestPriority(found.priority),
                received_at=found.received_at,
                messages=[
                    structs.MessageOut(
                        message_id=item.public_id,
                        reference=item.reference,
                        state=MessageState(item.message.state),
                        reason=item.message.reason,
                    )
                    for item in states.messages_of(found)
                ],
            )
        )


def _row_of(index: int, message: structs.MessageIn) -> RequestRow:
    return RequestRow(
        index=index,
        customer=message.customer,
        phone=message.phone,
        email=message.email,
        variables=message.variables,
        reference=message.reference,
    )


def _refused_of(outcome: ItemOutcome) -> Refused:
    return Refused(outcome.index, "", outcome.faults)


def _of_call(refused: Iterable[Refused]) -> list[ItemFault]:
    """Return the faults of all rows, each with its place in the call."""
    return [
        ItemFault(fault.code, f"messages[{row.index}]" + (f".{fault.field}" if fault.field else ""))
        for row in sorted(refused, key=lambda row: row.index)
        for fault in row.faults
    ]


def _reply_of(received: RequestResult, refused: Sequence[Refused]) -> structs.MessageCallReply:
    assert received.request is not None  # noqa: S101 - tells the type checker
    results = [*map(_accepted_out, received.accepted), *map(_refused_out, refused)]
    return structs.MessageCallReply(
        request_id=received.request.public_id,
        received=len(results),
        accepted=len(received.accepted),
        rejected=len(refused),
        results=sorted(results, key=lambda result: result.index),
    )


def _accepted_out(row: Accepted) -> structs.MessageResult:
    return structs.MessageResult(
        index=row.index,
        status=LeadStatus.ACCEPTED,
        message_id=row.message_id,
        reference=row.reference,
        state=row.state,
    )


def _refused_out(row: Refused) -> structs.MessageResult:
    return structs.MessageResult(
        index=row.index,
        status=LeadStatus.REJECTED,
        reference=row.reference,
        errors=item_errors(row.faults),
    )
