"""A call of the lender's own systems begins messages of a campaign that waits for calls."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from campaigns import jobs
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.given.trigger_reading import of_stored
from campaigns.domain.campaigns.trigger import Trigger, TriggerKind
from campaigns.domain.partners.contract import ItemCode, ItemFault
from campaigns.models import Campaign, CampaignTrigger, Partner
from campaigns.selectors.campaigns.ends import is_over
from campaigns.selectors.campaigns.shares import CampaignNotFound
from campaigns.services.partners.own_systems import require_own_system
from customers.selectors.identity import named_people
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import AdmittedBy, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.jobs import enqueue

_BY_SCOPE = AdmittedBy("the scope of the system's token")


class CampaignNotListening(LoanCrmError):
    """The campaign takes no calls now: it is not launched, paused or over."""

    code = "campaign_not_listening"


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """One person of a call.

    Attributes:
        index: Position in the call.
        customer: Public id.
        reference: The caller's own name for it; one that came before begins nothing again.
    """

    index: int
    customer: UUID
    reference: str = ""


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """What became of a row.

    Attributes:
        is_known: Its reference came in an earlier call, or earlier in this one.
    """

    index: int
    reference: str
    is_known: bool = False
    faults: tuple[ItemFault, ...] = ()


def receive(
    *,
    partner: Partner,
    campaign_slug: str,
    rows: Sequence[TriggerRow],
    actor: Actor,
    now: datetime,
) -> list[TriggerResult]:
    """Note the people of a call, whose messages begin after the campaign's delay.

    Each passes the segment, the campaign's own rule and every gate of sending: accepted is not yet
    allowed. A fixed number of queries.

    Args:
        rows: At most 500.

    Raises:
        NotOwnSystem: The partner is no system of the lender's own.
        CampaignNotFound: There is no campaign of this name that waits for calls.
        CampaignNotListening: It is not running.
    """
    act = acting(actor, _BY_SCOPE, on=partner, now=now)
    require_own_system(partner)
    with act:
        campaign, trigger = _listening(campaign_slug, now)
        template = CampaignTrigger(
            campaign=campaign, occurred_at=now, received_at=now, due_at=trigger.due_at(now)
        )
        results, new = _sorted_out(rows, template, prefix=f"{partner.pk}:")
        CampaignTrigger.objects.bulk_create(new)
        if new:
            facts: Mapping[str, object] = {"partner": partner.slug, "accepted": len(new)}
            act.record("campaign.triggered", on=campaign, facts=facts)
            enqueue(jobs.FOLLOW_TRIGGERS)
        else:
            act.unchanged()
    return results


def _sorted_out(
    rows: Sequence[TriggerRow], like: CampaignTrigger, *, prefix: str
) -> tuple[list[TriggerResult], list[CampaignTrigger]]:
    """Return what becomes of each row, and the triggers that are new.

    Args:
        like: A trigger that is not stored, with all that they have in common.
        prefix: Tells the references of different callers apart.
    """
    people = named_people.by_public_id({row.customer for row in rows})
    known = _known(like.campaign, [prefix + row.reference for row in rows if row.reference])
    results: list[TriggerResult] = []
    new: list[CampaignTrigger] = []
    for row in rows:
        customer_id = people.get(row.customer)
        reference = prefix + row.reference if row.reference else ""
        if customer_id is None:
            fault = ItemFault(ItemCode.CUSTOMER_NOT_FOUND, "customer")
            results.append(TriggerResult(row.index, row.reference, faults=(fault,)))
            continue
        results.append(TriggerResult(row.index, row.reference, is_known=reference in known))
        if reference in known:
            continue
        if reference:
            known.add(reference)
        trigger = copy(like)
        trigger.customer_id, trigger.reference = customer_id, reference
        new.append(trigger)
    return results, new


def _known(campaign: Campaign, references: Sequence[str]) -> set[str]:
    rows = CampaignTrigger.objects.filter(campaign=campaign, reference__in=references)
    return set(rows.values_list("reference", flat=True))


def _listening(slug: str, now: datetime) -> tuple[Campaign, Trigger]:
    campaign = Campaign.objects.filter(slug=slug).first()
    trigger = of_stored(campaign.trigger) if campaign is not None else None
    if campaign is None or trigger is None or trigger.kind is not TriggerKind.API:
        raise CampaignNotFound
    begins_at = campaign.next_run_at
    if (
        campaign.status != CampaignStatus.RUNNING
        or begins_at is None
        or begins_at > now
        or is_over(campaign)
    ):
        raise CampaignNotListening(_("The campaign takes no triggers now."), campaign=slug)
    return campaign, trigger
