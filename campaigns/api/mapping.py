"""Between what partners send and get and the values that services take and return."""

from django.utils.translation import gettext as _

from campaigns.api import structs
from campaigns.api.texts import item_errors
from campaigns.domain.partners.contract import (
    ItemCode,
    ItemOutcome,
    LeadStanding,
    LeadStatus,
    status_of,
)
from campaigns.domain.partners.events import LeadReport
from campaigns.models import Campaign, PartnerLead
from campaigns.selectors.campaigns.shares import CampaignNotFound
from campaigns.services.partners.leads import LeadSubmission
from customers.domain.consents.captures import ConsentClaim, RawPerson
from customers.domain.values.quality import ValueRefused
from customers.domain.values.words import parse_flag
from loancrm.api.errors import FieldsInvalid
from loancrm.kernel.errors import LoanCrmError


class LeadNotFound(LoanCrmError):
    """The partner has no such lead."""

    code = "lead_not_found"


def submission_of(index: int, lead: structs.LeadIn) -> LeadSubmission:
    """Return a lead as the service takes it."""
    person = RawPerson(
        name=lead.name,
        phone=lead.phone,
        email=lead.email,
        national_id=lead.national_id,
        birth_date=lead.birth_date,
        gender=lead.gender,
        province=lead.province,
        city=lead.city,
        occupation=lead.occupation,
        education=lead.education,
        marital=lead.marital,
        income_band=lead.income_band,
        language=lead.language,
        consents=tuple(map(_claim_of, lead.consents)),
    )
    return LeadSubmission(
        index=index, reference=lead.reference, person=person, campaign=lead.campaign
    )


def _claim_of(consent: structs.ConsentIn) -> ConsentClaim:
    try:
        is_granted, is_doubtful = parse_flag(str(consent.granted)), False
    except ValueRefused:
        is_granted, is_doubtful = False, True
    return ConsentClaim(
        channel=consent.channel,
        purpose=consent.purpose,
        is_granted=is_granted,
        at=consent.at,
        evidence=consent.evidence,
        policy_version=consent.policy_version,
        is_doubtful=is_doubtful,
    )


def report_of(index: int, event: structs.EventIn) -> LeadReport:
    """Return an event as the service takes it."""
    return LeadReport(
        index=index,
        report_id=event.event_id,
        event=event.event,
        occurred_at=event.occurred_at,
        lead_id=event.lead_id,
        reference=event.reference,
        amount=event.amount,
        channel=event.channel,
        subject=event.subject,
        properties=event.properties,
    )


def conversion_of(conversion: structs.ConversionIn) -> LeadReport:
    """Return a conversion as the service takes it."""
    return LeadReport(
        index=0,
        report_id=conversion.conversion_id,
        event=conversion.event,
        occurred_at=conversion.occurred_at,
        lead_id=conversion.lead_id,
        reference=conversion.reference,
        amount=conversion.amount,
        campaign=conversion.campaign,
    )


def refusal_of(outcome: ItemOutcome) -> LoanCrmError | None:
    """Return the refusal of a single item as the problem of its request, None for a good item.

    `LeadNotFound` where it names no lead of the partner, `CampaignNotFound` where it names a
    campaign that is not shared, else `FieldsInvalid`.
    """
    if outcome.status is not LeadStatus.REJECTED:
        return None
    codes = {fault.code for fault in outcome.faults}
    if ItemCode.LEAD_NOT_FOUND in codes:
        return LeadNotFound(_("You have no such lead."))
    if codes == {ItemCode.CAMPAIGN_NOT_FOUND}:
        return CampaignNotFound()
    return FieldsInvalid(item_errors(outcome.faults))


def created_status(outcome: ItemOutcome) -> int:
    """Return 201 for something new, 200 for a duplicate."""
    return 201 if outcome.status is LeadStatus.ACCEPTED else 200


def lead_out(lead: PartnerLead) -> structs.LeadOut:
    """Return a lead as its own partner sees it."""
    return structs.LeadOut(
        lead_id=lead.public_id,
        reference=lead.reference,
        status=status_of(LeadStanding(lead.standing)),
        received_at=lead.received_at,
    )


def campaign_out(campaign: Campaign) -> structs.CampaignOut:
    """Return a shared campaign."""
    return structs.CampaignOut(
        slug=campaign.slug,
        name=campaign.name,
        status=campaign.status,
        purpose=campaign.purpose,
        goal_event=campaign.goal_event,
        goal_window_days=campaign.goal_window_days,
        launched_at=campaign.launched_at,
    )
