"""Leads, events, conversions and campaigns of a partner."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api import structs
from campaigns.api.calls import (
    WriteView,
    bulk_reply,
    decode_items,
    json_reply,
    key_parameter,
)
from campaigns.api.mapping import (
    LeadNotFound,
    campaign_out,
    conversion_of,
    created_status,
    lead_out,
    refusal_of,
    report_of,
    submission_of,
)
from campaigns.domain.partners.contract import TokenScope
from campaigns.models import Partner
from campaigns.selectors.campaigns import shares
from campaigns.services.partners import events, leads
from campaigns.services.partners.idempotency import Reply
from loancrm.api.pagination import CURSOR_PARAMETERS, page_of
from loancrm.api.rendering import decode, read_body
from loancrm.api.views import PartnerView
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError


class LeadsView(WriteView):
    """One lead."""

    required_scopes = [TokenScope.LEADS_WRITE.value]
    key_required = True

    @extend_schema(
        operation_id="create_lead",
        parameters=[key_parameter(required=True)],
        request=structs.LeadIn,
        responses={201: structs.LeadReply, 200: structs.LeadReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Hand in a lead: 201 when it is new, 200 when it is a duplicate."""
        body = read_body(request)
        lead = decode(body, structs.LeadIn)
        return self.write(request, body, lambda: self._store(lead))

    def _store(self, lead: structs.LeadIn) -> Reply | LoanCrmError:
        (outcome,) = leads.capture_leads(
            actor=self.actor,
            partner=self.partner,
            submissions=[submission_of(0, lead)],
            now=clock.now(),
            today=clock.today(),
        )
        if refusal := refusal_of(outcome):
            return refusal
        content = {
            "lead_id": outcome.lead_id,
            "reference": lead.reference,
            "status": outcome.status,
        }
        return json_reply(content, status=created_status(outcome))


class LeadsBulkView(WriteView):
    """Many leads."""

    required_scopes = [TokenScope.LEADS_WRITE.value]
    key_required = True

    @extend_schema(
        operation_id="create_leads",
        parameters=[key_parameter(required=True)],
        request=structs.LeadBatch,
        responses={200: structs.BulkReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Hand in up to 1,000 leads; the good ones are stored, the others refused by index."""
        body = read_body(request)
        raws = decode(body, structs.RawLeads).leads
        return self.write(request, body, lambda: self._store(raws))

    def _store(self, raws: Any) -> Reply:
        good, outcomes = decode_items(raws, structs.LeadIn)
        outcomes += leads.capture_leads(
            actor=self.actor,
            partner=self.partner,
            submissions=[submission_of(index, lead) for index, lead in good],
            now=clock.now(),
            today=clock.today(),
        )
        return bulk_reply(len(raws), outcomes)


class LeadView(PartnerView):
    """One lead of the partner's own."""

    partner: Partner
    required_scopes = [TokenScope.LEADS_WRITE.value]

    @extend_schema(operation_id="read_lead", responses={200: structs.LeadOut})
    def get(self, request: Request, lead_id: UUID) -> Response:
        """Read a lead; another partner's lead does not exist."""
        lead = leads.own_lead(partner=self.partner, lead_id=lead_id)
        if lead is None:
            raise LeadNotFound(_("You have no such lead."))
        return Response(lead_out(lead))


class EventsView(WriteView):
    """One event."""

    required_scopes = [TokenScope.EVENTS_WRITE.value]

    @extend_schema(
        operation_id="create_event",
        parameters=[key_parameter(required=False)],
        request=structs.EventIn,
        responses={201: structs.EventReply, 200: structs.EventReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Report an event of a lead: 201 when it is new, 200 when it came before."""
        body = read_body(request)
        event = decode(body, structs.EventIn)
        return self.write(request, body, lambda: self._store(event))

    def _store(self, event: structs.EventIn) -> Reply | LoanCrmError:
        (outcome,) = events.report_events(
            actor=self.actor,
            partner=self.partner,
            reports=[report_of(0, event)],
            now=clock.now(),
        )
        if refusal := refusal_of(outcome):
            return refusal
        content = structs.EventReply(id=event.event_id, status=outcome.status)
        return json_reply(content, status=created_status(outcome))


class EventsBulkView(WriteView):
    """Many events."""

    required_scopes = [TokenScope.EVENTS_WRITE.value]

    @extend_schema(
        operation_id="create_events",
        parameters=[key_parameter(required=False)],
        request=structs.EventBatch,
        responses={200: structs.BulkReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Report up to 1,000 events; the good ones are stored, the others refused by index."""
        body = read_body(request)
        raws = decode(body, structs.RawEvents).events
        return self.write(request, body, lambda: self._store(raws))

    def _store(self, raws: Any) -> Reply:
        good, outcomes = decode_items(raws, structs.EventIn)
        outcomes += events.report_events(
            actor=self.actor,
            partner=self.partner,
            reports=[report_of(index, event) for index, event in good],
            now=clock.now(),
        )
        return bulk_reply(len(raws), outcomes)


class ConversionsView(WriteView):
    """One conversion."""

    required_scopes = [TokenScope.CONVERSIONS_WRITE.value]

    @extend_schema(
        operation_id="create_conversion",
        parameters=[key_parameter(required=False)],
        request=structs.ConversionIn,
        responses={201: structs.EventReply, 200: structs.EventReply},
    )
    def post(self, request: Request) -> HttpResponse:
        """Report a conversion of a lead: 201 when it is new, 200 when it came before."""
        body = read_body(request)
        conversion = decode(body, structs.ConversionIn)
        return self.write(request, body, lambda: self._store(conversion))

    def _store(self, conversion: structs.ConversionIn) -> Reply | LoanCrmError:
        (outcome,) = events.report_conversions(
            actor=self.actor,
            partner=self.partner,
            reports=[conversion_of(conversion)],
            now=clock.now(),
        )
        if refusal := refusal_of(outcome):
            return refusal
        content = structs.EventReply(id=conversion.conversion_id, status=outcome.status)
        return json_reply(content, status=created_status(outcome))


class CampaignsView(PartnerView):
    """The campaigns shared with the partner."""

    required_scopes = [TokenScope.CAMPAIGNS_READ.value]

    @extend_schema(
        operation_id="list_campaigns",
        parameters=CURSOR_PARAMETERS,
        responses={200: structs.CampaignPage},
    )
    def get(self, request: Request) -> Response:
        """List shared campaigns, the newest first."""
        rows, following = page_of(shares.campaigns_of(request.user), request)
        return Response(
            structs.CampaignPage(
                results=[campaign_out(campaign) for campaign in rows], next_cursor=following
            )
        )
