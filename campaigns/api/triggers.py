"""Messages of a campaign that the lender's own systems begin, person by person."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from campaigns.api import structs
from campaigns.api.calls import WriteView, decode_items, json_reply, key_parameter
from campaigns.api.texts import item_errors
from campaigns.domain.partners.contract import LeadStatus, TokenScope
from campaigns.services.partners import own_systems
from campaigns.services.partners.idempotency import Reply
from campaigns.services.triggers import receiving
from campaigns.services.triggers.receiving import TriggerResult, TriggerRow
from loancrm.api.rendering import decode, read_body
from loancrm.kernel import clock


class TriggersView(WriteView):
    """Triggers of one campaign."""

    required_scopes = [TokenScope.MESSAGES_WRITE.value]
    key_required = True

    @extend_schema(
        operation_id="create_triggers",
        parameters=[key_parameter(required=True)],
        request=structs.TriggerCall,
        responses={202: structs.TriggerCallReply},
    )
    def post(self, request: Request, slug: str) -> HttpResponse:
        """Begin a campaign's message for up to 500 people.

        The campaign waits for calls and is running. Who is outside its segment, or is kept from
        another message by its own rule, is counted on the campaign's page and gets none.
        """
        own_systems.require_own_system(self.partner)
        body = read_body(request)
        call = decode(body, structs.RawTriggerCall)
        return self.write(request, body, lambda: self._store(slug, call))

    def _store(self, slug: str, call: structs.RawTriggerCall) -> Reply:
        good, malformed = decode_items(call.triggers, structs.TriggerIn)
        taken = receiving.receive(
            partner=self.partner,
            campaign_slug=slug,
            rows=[TriggerRow(index, row.customer, row.reference) for index, row in good],
            actor=self.actor,
            now=clock.now(),
        )
        faulty = [TriggerResult(row.index, "", faults=row.faults) for row in malformed]
        results = [_result(row) for row in sorted([*taken, *faulty], key=lambda row: row.index)]
        count = {
            status: sum(row.status is status for row in results)
            for status in (LeadStatus.ACCEPTED, LeadStatus.DUPLICATE, LeadStatus.REJECTED)
        }
        reply = structs.TriggerCallReply(
            received=len(results),
            accepted=count[LeadStatus.ACCEPTED],
            duplicates=count[LeadStatus.DUPLICATE],
            rejected=count[LeadStatus.REJECTED],
            results=results,
        )
        return json_reply(reply, status=202)


def _result(row: TriggerResult) -> structs.TriggerResultOut:
    accepted = LeadStatus.DUPLICATE if row.is_known else LeadStatus.ACCEPTED
    return structs.TriggerResultOut(
        index=row.index,
        status=LeadStatus.REJECTED if row.faults else accepted,
        reference=row.reference,
        errors=item_errors(row.faults),
    )
