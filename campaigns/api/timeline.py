"""A customer's timeline: whole for the lender's own people, their own reports for partners."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Struct
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.domain.partners.contract import TokenScope, source_of
from campaigns.models import PartnerLead
from customers.domain.timeline import (
    TimelineFilter,
    TimelineItem,
    TimelineKind,
    decoded,
    read_filter,
)
from customers.models import Customer
from customers.selectors.profile import timeline as timelines
from loancrm.api.auth import PartnerTokenAuthentication
from loancrm.api.pagination import CURSOR_PARAMETERS, CursorMalformed, limit_of
from loancrm.api.views import PartnerView
from loancrm.kernel import access, clock
from loancrm.kernel.errors import LoanCrmError


class CustomerNotFound(LoanCrmError):
    """There is no such customer for whoever asks."""

    code = "customer_not_found"

    def __init__(self) -> None:
        """Say the same whether the customer does not exist or is not the partner's lead."""
        super().__init__(_("There is no such customer for you."))


class TimelineFilterInvalid(LoanCrmError):
    """The choice of entries cannot be read."""

    code = "timeline_filter_invalid"


class TimelineEntry(Struct, frozen=True):
    """One thing that happened. Texts are in the language of the request, codes are stable."""

    at: datetime
    kind: TimelineKind
    name: str
    title: str
    subject: str
    channel: str
    amount: Decimal | None
    """CNY."""
    source: str
    facts: dict[str, str | int]
    """Codes and figures of the kind: reason, gate and rule_version of a message that was skipped,
    version and value of a score, status of an application."""


class TimelineOut(Struct, frozen=True):
    """One page, newest first; `next_cursor` is null on the last."""

    results: list[TimelineEntry]
    next_cursor: str | None


def _day(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "format": "date"}, description=description)


class CustomerTimelineView(PartnerView):
    """What happened to one customer."""

    required_scopes = [TokenScope.TIMELINE_READ.value]
    authentication_classes = (PartnerTokenAuthentication, SessionAuthentication)

    def check_permissions(self, request: Request) -> None:
        """Check a partner's token; the lender's own people sign in to the admin instead."""
        if not self._is_of_the_house(request):
            super().check_permissions(request)

    def requests_per_minute(self, request: Request) -> int:
        """Return the partner's own limit, or the default one."""
        if self._is_of_the_house(request):
            return int(settings.LOANCRM_API_LIMITS["partner"])
        return super().requests_per_minute(request)

    @extend_schema(
        operation_id="read_timeline",
        parameters=[
            *CURSOR_PARAMETERS,
            OpenApiParameter(
                "kind", str, description="Kinds separated by commas: " + ", ".join(TimelineKind)
            ),
            OpenApiParameter("channel", str, description="sms, email, app …"),
            OpenApiParameter("event", str, description="Name of an event; only such events."),
            _day("from", "First day, in the lender's time zone."),
            _day("to", "Last day."),
        ],
        responses={200: TimelineOut},
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Read a customer's timeline, newest first.

        A partner names one of its own leads by `lead_id` and gets the events that it reported
        itself, nothing else. Users of the lender name a customer and need the permission to see it.
        """
        wanted, cursor = _filter(request), request.query_params.get("cursor")
        if self._is_of_the_house(request):
            customer_id = _seen_customer(request, public_id)
        else:
            customer_id, wanted = _own_lead(self.partner, public_id, wanted)
        try:
            after = decoded(cursor) if cursor else None
        except ValueError as error:
            raise CursorMalformed(_("The cursor is unknown.")) from error
        found = timelines.page(
            customer_id,
            wanted=wanted,
            after=after,
            zone=clock.company_zone(),
            size=limit_of(request.query_params.get("limit")),
            may=request.user.has_perm if self._is_of_the_house(request) else timelines.may_nothing,
        )
        return Response(
            TimelineOut(
                results=[_entry_out(entry) for entry in found.entries], next_cursor=found.older
            )
        )

    def _is_of_the_house(self, request: Request) -> bool:
        """Return whether somebody signed in to the admin asks, and no client with a token."""
        return request.auth is None and bool(getattr(request.user, "is_staff", False))


def _filter(request: Request) -> TimelineFilter:
    names = ("kind", "channel", "event")
    given = {name: request.query_params.get(name, "") for name in names}
    try:
        return read_filter(
            zone=clock.company_zone(),
            first=request.query_params.get("from", ""),
            last=request.query_params.get("to", ""),
            **given,
        )
    except ValueError as error:
        raise TimelineFilterInvalid(
            _("`kind` must name kinds of entries, `from` and `to` days in order (YYYY-MM-DD).")
        ) from error


def _seen_customer(request: Request, public_id: UUID) -> int:
    """Return the customer whom a user may see, by role or by a permission on this very one."""
    customer = Customer.objects.filter(public_id=public_id).first()
    actor = access.user_actor(request.user)
    if customer is None or not access.is_allowed(actor, "customers.view_customer", customer):
        raise CustomerNotFound
    return customer.merged_into_id or customer.pk


def _own_lead(partner: Any, public_id: UUID, wanted: TimelineFilter) -> tuple[int, TimelineFilter]:
    """Return the customer behind a partner's lead, and the filter that leaves its own reports."""
    named = Q(public_id=public_id) | Q(customer__public_id=public_id)
    lead = PartnerLead.objects.filter(named, partner_id=partner.pk).order_by("pk").first()
    if lead is None:
        raise CustomerNotFound
    return lead.customer_id, replace(wanted, source=source_of(partner.slug))


def _entry_out(entry: TimelineItem) -> TimelineEntry:
    return TimelineEntry(
        at=entry.at,
        kind=entry.kind,
        name=entry.name,
        title=entry.title,
        subject=entry.subject,
        channel=entry.channel,
        amount=entry.amount,
        source=entry.source,
        facts=dict(entry.facts),
    )
