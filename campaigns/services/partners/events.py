"""Events and conversions that partners report about their own leads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from campaigns.domain.partners.contract import (
    REPORTABLE_CONVERSIONS,
    REPORTABLE_EVENTS,
    ItemCode,
    ItemFault,
    ItemOutcome,
    LeadStanding,
    LeadStatus,
    rejected,
)
from campaigns.domain.partners.events import LeadReport, faults_of
from campaigns.models import Partner, PartnerLead
from campaigns.selectors.campaigns import shares
from customers.domain.events.event import ReportedEvent
from customers.services.events import log as event_log
from customers.services.events.log import EventOutcome
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import AdmittedBy, acting

_BY_SCOPE = AdmittedBy("the scope of the partner's token, and the contract")
_CENT = Decimal("0.01")


def report_events(
    *, actor: Actor, partner: Partner, reports: Sequence[LeadReport], now: datetime
) -> list[ItemOutcome]:
    """Record events of the partner's leads; an event id that came before is a duplicate.

    Only leads of this partner can be named, and only those it gets the credit for or brought to a
    lender that knew them already. The number of queries does not depend on the number of reports.
    """
    return _record(actor, partner, reports, now, allowed=REPORTABLE_EVENTS, kind="event")


def report_conversions(
    *, actor: Actor, partner: Partner, reports: Sequence[LeadReport], now: datetime
) -> list[ItemOutcome]:
    """Record conversions of the partner's leads, each once."""
    return _record(actor, partner, reports, now, allowed=REPORTABLE_CONVERSIONS, kind="conversion")


def _record(
    actor: Actor,
    partner: Partner,
    reports: Sequence[LeadReport],
    now: datetime,
    *,
    allowed: frozenset[str],
    kind: str,
) -> list[ItemOutcome]:
    act = acting(actor, _BY_SCOPE, on=partner, now=now)
    leads = _leads_of(partner, reports)
    campaigns = _shared_slugs(partner, reports)
    outcomes: list[ItemOutcome] = []
    accepted: list[tuple[LeadReport, PartnerLead]] = []
    for report in reports:
        faults = faults_of(report, allowed=allowed, now=now)
        lead = leads.get(report.lead_id or report.reference)
        if not faults:
            faults = _faults_of_lead(lead) + _faults_of_campaign(report, campaigns)
        if faults or lead is None:
            outcomes.append(rejected(report.index, *faults))
        else:
            accepted.append((report, lead))
    with act:
        result = event_log.append_events(
            events=[_event(partner, report, lead, kind) for report, lead in accepted], now=now
        )
        for (report, lead), outcome in zip(accepted, result.outcomes, strict=True):
            is_new = outcome is EventOutcome.CREATED
            outcomes.append(
                ItemOutcome(
                    index=report.index,
                    status=LeadStatus.ACCEPTED if is_new else LeadStatus.DUPLICATE,
                    lead_id=lead.public_id,
                )
            )
        act.record(
            f"partner_{kind}s_reported",
            facts={
                "received": len(reports),
                "created": result.created,
                "duplicates": result.duplicates,
            },
        )
    return outcomes


def _leads_of(partner: Partner, reports: Sequence[LeadReport]) -> Mapping[UUID | str, PartnerLead]:
    ids = {report.lead_id for report in reports if report.lead_id}
    references = {report.reference for report in reports if not report.lead_id}
    found: dict[UUID | str, PartnerLead] = {}
    rows = (
        PartnerLead.objects.filter(partner=partner)
        .filter(Q(public_id__in=ids) | Q(reference__in=references))
        .select_related("customer")
        .only("public_id", "reference", "standing", "customer__merged_into")
    )
    for lead in rows:
        found[lead.public_id] = lead
        found[lead.reference] = lead
    return found


def _shared_slugs(partner: Partner, reports: Sequence[LeadReport]) -> set[str]:
    if not any(report.campaign for report in reports):
        return set()
    return shares.campaign_slugs(partner.user)


def _faults_of_lead(lead: PartnerLead | None) -> tuple[ItemFault, ...]:
    if lead is None:
        return (ItemFault(ItemCode.LEAD_NOT_FOUND, "lead_id"),)
    if lead.standing == LeadStanding.DUPLICATE:
        return (ItemFault(ItemCode.LEAD_IS_DUPLICATE, "lead_id"),)
    return ()


def _faults_of_campaign(report: LeadReport, shared: set[str]) -> tuple[ItemFault, ...]:
    if report.campaign and report.campaign not in shared:
        return (ItemFault(ItemCode.CAMPAIGN_NOT_FOUND, "campaign"),)
    return ()


def _event(partner: Partner, report: LeadReport, lead: PartnerLead, kind: str) -> ReportedEvent:
    return ReportedEvent(
        source=partner.source,
        external_id=lead.reference,
        name=report.event,
        occurred_at=report.occurred_at.astimezone(UTC),
        dedup_key=f"{kind}:{report.report_id}",
        customer_id=lead.customer.merged_into_id or lead.customer_id,
        amount=None if report.amount is None else report.amount.quantize(_CENT),
        channel=report.channel,
        subject=report.campaign or report.subject,
        properties=report.properties,
    )
